"""The runner accepts only requests that carry the token of the extension that started it."""

import hmac
from typing import Any
from urllib.parse import unquote

from tornado.web import RequestHandler

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.messages import AUTH_HEADER, VISITOR_HEADER

MAX_NAME = 255


class RunnerHandler(RequestHandler):
    """Base of every handler of the runner: checks the token (before a streamed body is read), and answers
    errors as JSON."""

    def initialize(self, **shared: Any) -> None:
        """`shared` is what the application passes to a handler; each handler gets `token`."""
        self._token: str = shared["token"]

    async def prepare(self) -> None:
        given = self.request.headers.get(AUTH_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            self.set_status(403)
            self.finish({"code": "NoPermissions", "message": "The token is wrong.", "hint": ""})
        elif self.visitor and self.request.method not in ("GET", "HEAD"):
            self.set_status(403)
            self.finish({"code": "NoPermissions", "message": "You may only look at this REPL.", "hint": ""})

    @property
    def visitor(self) -> str:
        """The name of somebody who may only look; empty for the owner. The server that has the token says who it is."""
        return unquote(self.request.headers.get(VISITOR_HEADER, ""))[:MAX_NAME]

    def set_default_headers(self) -> None:
        self.clear_header("Server")

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, ReplError):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, ReplError):
            self.set_status(error.status)
            self.finish(error.to_json())
        else:
            self.finish({"code": "Unavailable", "message": self._reason, "hint": ""})
