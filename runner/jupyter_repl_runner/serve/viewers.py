"""The terminals that one channel watches, and how their frames reach it: binary, or as text for a simple client."""

import asyncio
import codecs
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from jupyter_repl_runner.contract import frames
from jupyter_repl_runner.contract.errors import FileNotFound, Unavailable
from jupyter_repl_runner.contract.frames import Frame
from jupyter_repl_runner.contract.messages import build_event
from jupyter_repl_runner.terminal.output import Exit, Viewer
from jupyter_repl_runner.terminal.session import Session

FLUSH_SECONDS = 0.02


class Transport(Protocol):
    """Where a channel's messages go."""

    def send(self, message: str | bytes) -> None:
        """Never blocks; without effect once the connection is closed."""

    @property
    def is_flushed(self) -> bool:
        """Whether all of it has left, also if the connection is closed."""


class Viewers:
    """Attachments by terminal number."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._attached: dict[int, tuple[Session, Viewer]] = {}
        self._default_name = secrets.token_hex(8)
        self._is_closed = False

    def attach(
        self, session: Session, name: str | None, size: tuple[int, int], start: int | None, text: bool
    ) -> tuple[Viewer, dict[str, Any]]:
        """Attach to `session`, in place of an earlier attachment of this channel. Raises Unavailable after `close`."""
        if self._is_closed:  # while a shell was opened for it; whom nobody acknowledges would stop the program
            raise Unavailable("The connection is gone.")
        self.detach(session.number)
        sink = TextSink(self._transport) if text else BinarySink(self._transport)
        viewer, reply = session.attach(name or self._default_name, sink, size, start)
        if isinstance(sink, TextSink):
            sink.flushed = lambda offset: session.acknowledge(viewer, offset)
        self._attached[session.number] = session, viewer
        return viewer, reply

    def get(self, number: int) -> tuple[Session, Viewer]:
        """Raises FileNotFound if this channel does not watch the terminal."""
        try:
            return self._attached[number]
        except KeyError:
            raise FileNotFound(f"Terminal {number} is not open here.", hint="Send requestTerminal first.") from None

    def detach(self, number: int) -> None:
        """Idempotent."""
        session, viewer = self._attached.pop(number, (None, None))
        if session and viewer:
            session.detach(viewer)

    def close(self) -> None:
        """Detach from all, for good."""
        self._is_closed = True
        for number in list(self._attached):
            self.detach(number)

    def receive(self, frame: Frame) -> None:
        """A binary frame of the client; raises a ReplError. An acknowledgement that comes late is no error."""
        if frame.kind == frames.ACK:
            session, viewer = self._attached.get(frame.terminal, (None, None))
            if session and viewer:
                session.acknowledge(viewer, frame.offset)
            return
        session, viewer = self.get(frame.terminal)
        if frame.kind == frames.INPUT:
            session.type(viewer, frame.offset, frame.payload)
        elif frame.kind == frames.INTERRUPT:
            session.interrupt(viewer, frame.offset)


class BinarySink:
    def __init__(self, transport: Transport) -> None:
        self._send = transport.send

    def output(self, terminal: int, offset: int, data: bytes) -> None:
        self._send(Frame(frames.OUTPUT, terminal, offset, data).pack())

    def input_written(self, terminal: int, offset: int) -> None:
        self._send(Frame(frames.ACK, terminal, offset).pack())

    def resized(self, terminal: int, size: tuple[int, int]) -> None:
        self._send(size_event(terminal, size))

    def exited(self, terminal: int, how: Exit) -> None:
        self._send(exit_event(terminal, how))


class TextSink:
    """Output as JSON text, without resume. What was flushed counts as acknowledged, since the client says nothing."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._send = transport.send
        self._sent = self._reported = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.flushed: Callable[[int], None] = lambda offset: None

    def output(self, terminal: int, offset: int, data: bytes) -> None:
        self._send(build_event("terminal", {"terminal": terminal, "data": self._decoder.decode(data)}))
        is_looking, self._sent = self._sent > self._reported, offset + len(data)
        if not is_looking:
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        if self._transport.is_flushed:
            self._reported = self._sent
            self.flushed(self._sent)
        else:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._look)

    def input_written(self, terminal: int, offset: int) -> None:
        pass

    def resized(self, terminal: int, size: tuple[int, int]) -> None:
        self._send(size_event(terminal, size))

    def exited(self, terminal: int, how: Exit) -> None:
        self._send(exit_event(terminal, how))


def size_event(terminal: int, size: tuple[int, int]) -> str:
    return build_event("terminalSize", {"terminal": terminal, "rows": size[0], "cols": size[1]})


def exit_event(terminal: int, how: Exit) -> str:
    return build_event("terminalExit", {"terminal": terminal, "code": how.code, "signal": how.signal})
