"""The streams of one channel: bytes behind a number, in binary frames, paced by acknowledgements in each direction.

A terminal is one kind of stream. The runner assigns the numbers, and uses none twice.
"""

from typing import Protocol

from jupyter_repl_runner.contract import frames
from jupyter_repl_runner.contract.errors import FileNotFound, NoPermissions, Unavailable
from jupyter_repl_runner.contract.frames import Frame


class Transport(Protocol):
    """Where a channel's messages go."""

    def send(self, message: str | bytes) -> None:
        """Never blocks. Does nothing once the connection is closed."""

    @property
    def is_flushed(self) -> bool:
        """True if no message waits to be sent; so too after the connection is closed."""


class Stream(Protocol):
    """The runner's end of a stream."""

    def receive(self, frame: Frame) -> None:
        """Handle a frame of the client. Raises a ReplError."""

    def close(self) -> None:
        """The client is gone, or has closed the stream."""


class Streams:
    """The streams that a client has open, by number. `is_read_only`: the client may only acknowledge."""

    def __init__(self, *, is_read_only: bool = False) -> None:
        self.is_read_only = is_read_only
        self._open: dict[int, Stream] = {}
        self._is_closed = False

    def check_open(self) -> None:
        """Raises Unavailable after `close_all`: nobody would acknowledge what is sent."""
        if self._is_closed:
            raise Unavailable("The connection is gone.")

    def add(self, number: int, stream: Stream) -> None:
        self._open[number] = stream

    def get(self, number: int) -> Stream:
        """Raises FileNotFound if this client has not opened it."""
        try:
            return self._open[number]
        except KeyError:
            raise FileNotFound(f"Terminal {number} is not open here.", hint="Send requestTerminal first.") from None

    def close(self, number: int) -> None:
        """Idempotent."""
        stream = self._open.pop(number, None)
        if stream is not None:
            stream.close()

    def close_all(self) -> None:
        """Close all streams. After this `check_open` raises."""
        self._is_closed = True
        for number in list(self._open):
            self.close(number)

    def receive(self, frame: Frame) -> None:
        """Pass a frame to its stream. Raises a ReplError. Ignores a late acknowledgement of a closed stream."""
        if self.is_read_only and frame.kind != frames.ACK:
            raise NoPermissions("You may only look at this REPL.")
        if frame.kind == frames.ACK and frame.stream not in self._open:
            return
        self.get(frame.stream).receive(frame)
