"""What all requests of a server to others share: errors for people, and bodies that are streamed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from tornado.httpclient import HTTPError
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPTimeoutError

from jupyter_repl_runner.contract.errors import ReplError, Unavailable


class mapped:
    """Translates errors of the HTTP client into ReplErrors about `who` was asked."""

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


def body_producer(
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
