"""Requests of a user's server to the shared service, streamed both ways."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import RequestHandler

from jupyter_repl_ext.handlers.base import VERSION_HEADER
from jupyter_repl_ext.runners.client import MAX_TRANSFER, RunnerClient
from jupyter_repl_ext.runners.outgoing import NOT_MODIFIED, Answer, mapped, stream_request
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.store.transfer import STALL_SECONDS
from jupyter_repl_spawner.port import Address

ASKED = (
    "Accept",
    "Content-Length",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Range",
)
ANSWERED = (
    "Accept-Ranges",
    "Allow",
    "Cache-Control",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Content-Security-Policy",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Location",
    "Retry-After",
    "X-Accel-Buffering",
    "X-Content-Type-Options",
    VERSION_HEADER,
)
"""The only headers that are passed on, and passed back."""
NO_ROUTE = (404, 502, 503, 504)


class ServiceClient:
    def __init__(self) -> None:
        self._http = SimpleAsyncHTTPClient(force_instance=True, max_clients=200, max_body_size=MAX_TRANSFER)
        self._channels = RunnerClient()

    def close(self) -> None:
        self._http.close()
        self._channels.close()

    async def pass_on(
        self, handler: RequestHandler, url: str, credentials: dict[str, str], body: AsyncIterator[bytes] | None
    ) -> None:
        """Answer `handler`'s request with the service's answer, also if that is an error. Raises Unavailable if there
        is no answer of the service's."""
        asked = handler.request.headers
        headers = {**{name: asked[name] for name in ASKED if name in asked}, **credentials}
        if body is None:
            headers.pop("Content-Length", None)
        answer, method = _Answer(handler), str(handler.request.method)
        with mapped("The service for REPLs", "It may be starting: try again in a moment."):
            # A POST without a body is one like any other.
            await stream_request(self._http, method, url, headers, body, answer, allow_nonstandard_methods=True)
        answer.check()

    async def channel(self, url: str, credentials: dict[str, str], asked: HTTPHeaders) -> tuple[HTTPHeaders, IOStream]:
        """The service's channel, opened with the handshake that a browser `asked` for. Raises Unavailable."""
        parts = urlsplit(url)
        address = Address(f"{parts.scheme}://{parts.netloc}", "", credentials)
        return await self._channels.channel(address, asked, path=parts.path)


class _Answer(Answer):
    """Passes an answer on as it comes, if it is the service's."""

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__()
        self._handler = handler
        self._is_ours = False

    def on_head(self) -> None:
        is_redirect = 300 <= self.status < 400 and self.status != NOT_MODIFIED
        self._is_ours = VERSION_HEADER in self.headers and not is_redirect
        if self._is_ours:
            self._handler.set_status(self.status)
            for name in ANSWERED:
                if name in self.headers:
                    self._handler.set_header(name, self.headers[name])

    async def chunk(self, data: bytes) -> None:
        if self._is_ours:
            self._handler.write(data)
            async with asyncio.timeout(STALL_SECONDS):
                await self._handler.flush()

    def check(self) -> None:
        """Raises Unavailable unless the answer was the service's."""
        if self._is_ours:
            return
        if self.status in NO_ROUTE:
            raise Unavailable(
                "The service for REPLs can't be reached now.", hint="It may be starting: it is tried again by itself."
            )
        raise Unavailable(
            f"Something else than the service for REPLs has answered ({self.status}).",
            hint="Ask the administrator: JUPYTER_REPL_SERVICE_URL may be wrong.",
        )
