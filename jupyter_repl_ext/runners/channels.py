"""The open channels of this server, so that it can end them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tornado.web import RequestHandler

from .relay import Relay


class Channels:
    def __init__(self) -> None:
        self._open: dict[Relay, RequestHandler] = {}

    @contextmanager
    def opened(self, relay: Relay, handler: RequestHandler) -> Iterator[None]:
        """The block is the life of the channel. `handler`: of the request that opened it."""
        self._open[relay] = handler
        try:
            yield
        finally:
            del self._open[relay]

    def __len__(self) -> int:
        return len(self._open)

    def items(self) -> list[tuple[Relay, RequestHandler]]:
        return list(self._open.items())

    def end_all(self, code: int, reason: str) -> None:
        """Each ends by itself, within a few seconds."""
        for relay in list(self._open):
            relay.end(code, reason)
