"""A client at a terminal: a stream whose output is binary, or text for a simple client."""

import asyncio
import codecs
from collections.abc import Callable

from jupyter_repl_runner.contract import frames
from jupyter_repl_runner.contract.frames import Frame
from jupyter_repl_runner.contract.messages import build_event
from jupyter_repl_runner.terminal.output import Exit, Viewer
from jupyter_repl_runner.terminal.session import Session

from .streams import Transport

FLUSH_SECONDS = 0.02


class TerminalStream:
    """`viewer` is attached to `session`."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self.session = session
        self.viewer = viewer

    def receive(self, frame: Frame) -> None:
        if frame.kind == frames.ACK:
            self.session.acknowledge(self.viewer, frame.offset)
        elif frame.kind == frames.INPUT:
            self.session.type(self.viewer, frame.offset, frame.payload)
        elif frame.kind == frames.INTERRUPT:
            self.session.interrupt(self.viewer, frame.offset)

    def close(self) -> None:
        self.session.detach(self.viewer)


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
    """Output as JSON text, without resume. Flushed bytes count as acknowledged, since the client acknowledges none."""

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
