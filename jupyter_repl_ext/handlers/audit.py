"""Who did what to whose REPLs, a line of JSON each: for a service that many people share.

A request that only reads leaves no line, unless it is about the REPLs of another user. No line holds a token, a query
or a body.
"""

import json
import logging
from typing import Any
from urllib.parse import quote, unquote

from jupyter_server.base.handlers import JupyterHandler

from jupyter_repl_runner.contract.refs import ProjectRef

PERSON_HEADER = "X-Jupyter-Repl-Person"
"""From a user's server: who is logged in there, percent-encoded. That is not its user if the server is shared. Only for
the log: the right to a request comes from the server's token."""
MAX_NAME = 255
QUIET = ("GET", "HEAD", "OPTIONS")

log = logging.getLogger("jupyter_repl_ext.audit")


def encode(name: str) -> str:
    return quote(name[:MAX_NAME], safe="")


def note(handler: JupyterHandler, ref: ProjectRef | None, *, is_visit: bool) -> None:
    """Call it when the request is answered."""
    request = handler.request
    is_channel = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method in QUIET and not is_channel and not is_visit:
        return
    user = handler.current_user
    line: dict[str, Any] = {
        "user": user.username if user is not None else None,
        "person": unquote(request.headers.get(PERSON_HEADER, ""))[:MAX_NAME] or None,
        "project": str(ref) if ref is not None else None,
        "visit": is_visit,
        "method": request.method,
        "path": request.path,
        "status": handler.get_status(),
    }
    log.info("%s", json.dumps({name: value for name, value in line.items() if value is not None}))
