"""A user's server on a hub forwards all requests for REPLs to the shared service.

Login, XSRF and Origin are checked here, as for any request to the user's server; the service checks what the user may
do. It knows the user by the token of this server alone: a cookie or a token of the caller's is never passed on.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.web import authenticated, stream_request_body

from jupyter_repl_ext.handlers import PROJECT
from jupyter_repl_ext.handlers.audit import PERSON_HEADER, encode
from jupyter_repl_ext.handlers.base import ReplMixin, StreamedBody, TypedHandler
from jupyter_repl_ext.handlers.channel import ChannelHandler
from jupyter_repl_ext.repls.activity import SETTING as ACTIVITY
from jupyter_repl_ext.runners.channels import Channels
from jupyter_repl_ext.runners.relay import CLOSE_RESTART
from jupyter_repl_runner.contract.errors import FileNotFound, Unavailable
from jupyter_repl_runner.store.transfer import RequestBody

from .service_client import ServiceClient

SETTING = "jupyter_repl_service"
HUB_VARIABLE = "JUPYTERHUB_API_TOKEN"
MAX_BODY = 5 << 30


class Forward:
    """Where the service is, and how it knows this server's user."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.client = ServiceClient()
        self.channels = Channels()

    def close(self) -> None:
        self.channels.end_all(CLOSE_RESTART, "The server is stopping.")
        self.client.close()

    def address(self, path: str, query: str) -> str:
        """The service's address for a path below `repl/`. Raises FileNotFound for a path that would lead elsewhere."""
        if any(part in (".", "..") for part in unquote(path).replace("\\", "/").split("/")):
            raise FileNotFound("There is no such address.")
        kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "token"]
        return f"{self._url}/repl/{path}{'?' + urlencode(kept) if kept else ''}"

    def credentials(self, person: str) -> dict[str, str]:
        """The headers that tell the service who the user is. Raises Unavailable. The token is read each time. `person`:
        who is logged in here, which is not the user if the server is shared."""
        token = os.environ.get(HUB_VARIABLE, "")
        if not token:
            raise Unavailable(
                "This server has no token of the hub, so the service for REPLs would not know its user.",
                hint=f"Start it by JupyterHub, which sets {HUB_VARIABLE}.",
            )
        return {"Authorization": f"token {token}", PERSON_HEADER: encode(person)}

    def base_of(self, location: str, base_url: str) -> str:
        """An address of the service's as one of this server's: only the path is of use to a browser."""
        return url_path_join(base_url, urlsplit(location).path.removeprefix(urlsplit(self._url).path))


class ForwardMixin(ReplMixin):
    @property
    def forward(self) -> Forward:
        return cast(Forward, self.settings[SETTING])

    async def ready(self) -> None:
        """Nothing has to start here."""

    def credentials(self) -> dict[str, str]:
        """Raises Unavailable."""
        return self.forward.credentials(self.current_user.username)

    def service_address(self) -> str:
        """Raises FileNotFound. The path is passed on as it came, so that each name keeps its escapes."""
        path = str(self.request.path).removeprefix(self.base_url).removeprefix("repl/")
        return self.forward.address(path, str(self.request.query))


@stream_request_body
class ForwardHandler(ForwardMixin, StreamedBody, TypedHandler):
    """A body is passed on while it arrives, so rights are checked in `prepare`, before its first byte."""

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method in ("POST", "PUT", "PATCH", "DELETE"):
            await self.check_rights("write")
            self.request.connection.set_max_body_size(MAX_BODY)  # type: ignore[union-attr]
            address, credentials = self.service_address(), self.credentials()
            self._body = RequestBody(lambda chunks: self._pass_on(address, credentials, chunks), "a forwarded request")

    @authenticated
    @authorized
    async def get(self, *_: str) -> None:
        await self._pass_on(self.service_address(), self.credentials(), None)
        self.finish()

    head = get

    @authenticated
    @authorized
    async def post(self, *_: str) -> None:
        assert self._body is not None
        await self._body.finish()
        if not self._finished:
            self.finish()

    put = patch = delete = post

    async def _pass_on(self, address: str, credentials: dict[str, str], body: AsyncIterator[bytes] | None) -> None:
        await self.forward.client.pass_on(self, address, credentials, body)
        if location := self._headers.get("Location"):
            self.set_header("Location", self.forward.base_of(location, self.base_url))


class ForwardChannelHandler(ForwardMixin, ChannelHandler):
    def look_up(self, repl_id: str) -> None:
        """The service does that."""

    def touch(self) -> None:
        self.settings[ACTIVITY] = datetime.now(UTC)

    @property
    def channels(self) -> Channels:
        return self.forward.channels

    async def connect(self) -> tuple[HTTPHeaders, IOStream]:
        return await self.forward.client.channel(self.service_address(), self.credentials(), self.request.headers)


HANDLERS = [
    (PROJECT + r"/channel", ForwardChannelHandler),
    (r"/repl/(.*)", ForwardHandler),
]
