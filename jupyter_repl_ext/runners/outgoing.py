"""What all requests of a server to others share: errors for people, and bodies that are streamed both ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient

from jupyter_repl_runner.contract.errors import ReplError, Unavailable

CONNECT_SECONDS, TRANSFER_SECONDS = 5.0, 3600.0
NOT_MODIFIED = 304


class Answer:
    """An answer as it comes: its head is collected here, line by line."""

    def __init__(self) -> None:
        self.status = 0
        self.headers = HTTPHeaders()

    def header(self, line: str) -> None:
        if line.startswith("HTTP/"):
            self.status, self.headers = int(line.split(" ", 2)[1]), HTTPHeaders()
        elif line.strip():
            self.headers.parse_line(line)
        else:
            self.on_head()

    def on_head(self) -> None:
        """The head is whole."""
        raise NotImplementedError

    async def chunk(self, data: bytes) -> None:
        """Take a part of the body. The stream is paced by this."""
        raise NotImplementedError


async def stream_request(
    http: SimpleAsyncHTTPClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: AsyncIterator[bytes] | None,
    answer: Answer,
    **options: Any,
) -> None:
    """Make a request whose body and answer are streamed. Raises what tornado raises, but for errors that were answered.
    `options`: further ones of HTTPRequest."""
    left = asyncio.get_running_loop().create_future()
    request = HTTPRequest(
        url,
        method=method,
        headers=dict(headers),
        connect_timeout=CONNECT_SECONDS,
        request_timeout=TRANSFER_SECONDS,
        follow_redirects=False,
        decompress_response=False,
        header_callback=answer.header,
        streaming_callback=answer.chunk,  # tornado awaits what it returns
        # tornado's type hint says Future
        body_producer=cast(Any, _body_producer(body, left) if body is not None else None),
        **options,
    )
    try:
        await http.fetch(request, raise_error=False)
    finally:
        left.cancel()


class mapped:
    """Translates errors of the HTTP client into ReplErrors. `who`: what was asked."""

    def __init__(self, who: str = "The runner", hint: str = "Start the REPL again.") -> None:
        self._who = who
        self._hint = hint

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ReplError):
            return
        if isinstance(error, HTTPTimeoutError | TimeoutError):
            raise Unavailable(f"{self._who} did not answer in time.", hint="Try again.") from error
        if isinstance(error, HTTPError | StreamClosedError | OSError):
            raise Unavailable(f"{self._who} can't be reached.", hint=self._hint) from error


def _body_producer(
    body: AsyncIterator[bytes], left: "asyncio.Future[None]"
) -> Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[None]]:
    """Returns a `body_producer` for tornado, which writes `body`. `left` is done when nobody waits for the request any
    more. Tornado would still send all of it, so the producer raises: the connection closes, and the runner discards the
    part that it has received."""

    async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
        while True:
            chunk: asyncio.Future[bytes] = asyncio.ensure_future(_next(body))
            await asyncio.wait((chunk, left), return_when=asyncio.FIRST_COMPLETED)
            if not chunk.done():
                chunk.cancel()
                raise ConnectionAbortedError("nobody waits for this request")
            if not chunk.result():
                return
            await write(chunk.result())

    return produce


async def _next(body: AsyncIterator[bytes]) -> bytes:
    """Returns the next chunk, or an empty one at the end."""
    return await anext(body, b"")
