"""The terminals that one channel watches, and how their frames reach it: binary, or as text for a simple client."""

import codecs
import secrets
from asyncio import Future
from collections.abc import Callable
from typing import Any

from jupyter_repl_runner.contract import frames
from jupyter_repl_runner.contract.errors import FileNotFound
from jupyter_repl_runner.contract.frames import Frame
from jupyter_repl_runner.contract.messages import build_event
from jupyter_repl_runner.terminal.session import Exit, Session, Viewer

Send = Callable[[str | bytes], "Future[None]"]


class Viewers:
    """Attachments by terminal number; `send` queues a message and answers a future of its being flushed."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._attached: dict[int, tuple[Session, Viewer]] = {}
        self._default_name = secrets.token_hex(8)

    def attach(
        self, session: Session, name: str | None, start: int | None, text: bool
    ) -> tuple[Viewer, dict[str, Any]]:
        """Attach to `session`, in place of an earlier attachment of this channel."""
        self.detach(session.number)
        sink = TextSink(self._send) if text else BinarySink(self._send)
        viewer, reply = session.attach(name or self._default_name, sink, start)
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

    def detach_all(self) -> None:
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
    def __init__(self, send: Send) -> None:
        self._send = send

    def output(self, terminal: int, offset: int, data: bytes) -> None:
        self._send(Frame(frames.OUTPUT, terminal, offset, data).pack())

    def input_written(self, terminal: int, offset: int) -> None:
        self._send(Frame(frames.ACK, terminal, offset).pack())

    def exited(self, terminal: int, how: Exit) -> None:
        self._send(exit_event(terminal, how))


class TextSink:
    """Output as JSON text, without resume. What was flushed counts as acknowledged, since the client says nothing."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.flushed: Callable[[int], None] = lambda offset: None

    def output(self, terminal: int, offset: int, data: bytes) -> None:
        text = self._decoder.decode(data)
        flushed = self._send(build_event("terminal", {"terminal": terminal, "data": text}))
        flushed.add_done_callback(lambda _: self.flushed(offset + len(data)))

    def input_written(self, terminal: int, offset: int) -> None:
        pass

    def exited(self, terminal: int, how: Exit) -> None:
        self._send(exit_event(terminal, how))


def exit_event(terminal: int, how: Exit) -> str:
    return build_event("terminalExit", {"terminal": terminal, "code": how.code, "signal": how.signal})
