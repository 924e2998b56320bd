"""The open channels of this server, so that it can end them all."""

from collections.abc import Iterator
from contextlib import contextmanager

from .relay import Relay


class Channels:
    def __init__(self) -> None:
        self._open: set[Relay] = set()

    @contextmanager
    def opened(self, relay: Relay) -> Iterator[None]:
        """The block is the life of the channel."""
        self._open.add(relay)
        try:
            yield
        finally:
            self._open.discard(relay)

    def end_all(self, code: int, reason: str) -> None:
        """Each ends by itself, within a few seconds."""
        for relay in self._open:
            relay.end(code, reason)
