"""One terminal: a PTY, its ring, and the viewers that watch and type.

Reading never blocks and stops while every viewer is behind its credit, so a program that floods is paced by whoever
watches it. With nobody there a full ring pauses the program for GRACE_SECONDS, so that a dropped connection loses
nothing; after that it runs on and the newest bytes are kept.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jupyter_repl_runner import processes

from . import replay
from .credit import Credit
from .inputs import Inputs
from .pty import Pty
from .ring import Ring

RING_BYTES = 8 << 20
GRACE_SECONDS = 30.0
FRAME_BYTES = 1 << 16
TICK_BYTES, TICK_SECONDS = 1 << 16, 0.0005
"""The most that one PTY takes of one turn of the loop, so that others get theirs."""
FLOOD_BYTES, FLOOD_PAUSE = 8 << 10, 0.001
REAP_SECONDS = 2.0
ENDING: tuple[tuple[int, float], ...] = ((signal.SIGHUP, 0.2), (signal.SIGTERM, 0.3), (signal.SIGKILL, 3.0))


@dataclass(frozen=True)
class Exit:
    """How the program ended: `code` is None if `signal` (its name) ended it. `duration` in seconds."""

    code: int | None
    signal: str | None
    duration: float


class Sink(Protocol):
    """Where a viewer's frames go; calls never block."""

    def output(self, terminal: int, offset: int, data: bytes) -> None: ...
    def input_written(self, terminal: int, offset: int) -> None: ...
    def exited(self, terminal: int, how: Exit) -> None: ...


@dataclass(eq=False)
class Viewer:
    """One tab at one terminal. `name` outlives a connection: it is how its input is counted on."""

    name: str
    sink: Sink
    credit: Credit
    replay_end: int = 0
    """Output before this offset is replayed to somebody who has not seen it: queries in it are silenced."""
    told_exit: bool = False


class Session:
    """Made in a running loop. `on_exit` is called once, when the program has ended and was reaped."""

    def __init__(
        self, number: int, pty: Pty, mark: tuple[str, str], on_exit: Callable[["Session"], None], ring: int
    ) -> None:
        self.number = number
        self.title = ""
        self.exit: Exit | None = None
        self.last_activity = time.time()
        self._pty = pty
        self._mark = mark
        self._on_exit = on_exit
        self._capacity = ring
        self._ring = Ring(ring)
        self._inputs = Inputs()
        self._viewers: list[Viewer] = []
        self._loop = asyncio.get_running_loop()
        self._born = time.monotonic()
        self._reading = self._writing = self._ended = False
        self._left_at = 0
        self._grace_until = self._born + GRACE_SECONDS
        self._timers: list[asyncio.TimerHandle] = []
        self._finishing: asyncio.Task[None] | None = None
        self._resume()

    # -- viewers

    def attach(self, name: str, sink: Sink, start: int | None) -> tuple[Viewer, dict[str, int]]:
        """Add a viewer; the caller sends the reply, then calls `show`. `start` None: somebody new to it.

        The reply is `{terminal, offset, start, input}`, see docs/protocol.md.
        """
        ring = self._ring
        if start is None:
            offset = max(ring.start, ring.end - replay.MAX_REPLAY)
            if offset > 0:
                offset += replay.clean_start(ring.read(offset, FRAME_BYTES))
            replay_end = ring.end
        else:
            offset, replay_end = min(max(start, ring.start), ring.end), 0
        viewer = Viewer(name, sink, Credit(offset, time.monotonic()), replay_end)
        reply = {"terminal": self.number, "offset": offset, "start": ring.start}
        return viewer, {**reply, "input": self._inputs.received(name)}

    def show(self, viewer: Viewer) -> None:
        self._viewers.append(viewer)
        self._pump(viewer)
        self._balance()

    def detach(self, viewer: Viewer) -> None:
        """Idempotent."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            if not self._viewers:
                self._left_at = viewer.credit.acked
                self._grace_until = time.monotonic() + GRACE_SECONDS
                self._later(GRACE_SECONDS, self._balance)
            self._balance()

    def acknowledge(self, viewer: Viewer, offset: int) -> None:
        viewer.credit.acknowledge(offset, time.monotonic())
        self._pump(viewer)
        self._balance()

    # -- output

    def _on_readable(self) -> None:
        taken, until = 0, time.monotonic() + TICK_SECONDS
        while taken < TICK_BYTES and time.monotonic() < until:
            data = self._pty.read()
            if data is None:
                break
            if not data:
                self._begin_finish()
                break
            self._ring.append(data)
            taken += len(data)
        if taken:
            self.last_activity = time.time()
            for viewer in list(self._viewers):
                self._pump(viewer)
            self._balance()
            if taken > FLOOD_BYTES and self._reading:
                self._pause()
                self._later(FLOOD_PAUSE, self._balance)

    def _pump(self, viewer: Viewer) -> None:
        """Send this viewer what its credit allows; an offset that jumps tells it of a gap."""
        ring, credit = self._ring, viewer.credit
        if credit.sent < ring.start:
            credit.skip_to(ring.start)
        while room := credit.room(ring.end):
            if credit.sent < viewer.replay_end:
                # One piece as far as it goes: a query must not be cut in two and so escape the search.
                data = ring.read(credit.sent, min(room, viewer.replay_end - credit.sent))
                data = replay.silence_queries(data)
            else:
                data = ring.read(credit.sent, min(room, FRAME_BYTES))
            for start in range(0, len(data), FRAME_BYTES):
                viewer.sink.output(self.number, credit.sent + start, data[start : start + FRAME_BYTES])
            credit.sent += len(data)
        if self.exit and credit.sent == ring.end and not viewer.told_exit:
            viewer.told_exit = True
            viewer.sink.exited(self.number, self.exit)

    def _balance(self) -> None:
        """Read the PTY exactly while somebody has use for more."""
        end = self._ring.end
        if self._viewers:
            wanted = not all(viewer.credit.is_behind(end) for viewer in self._viewers)
        else:
            wanted = time.monotonic() >= self._grace_until or end - self._left_at < self._capacity - TICK_BYTES
        if wanted:
            self._resume()
        else:
            self._pause()

    def _resume(self) -> None:
        if not self._reading and not self._ended:
            self._reading = True
            self._loop.add_reader(self._pty.fd, self._on_readable)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._pty.fd)

    # -- input

    def type(self, viewer: Viewer, offset: int | None, data: bytes) -> None:
        """Raises InvalidRequest or Unavailable, see `Inputs.add`. Input for an ended program is dropped."""
        self._inputs.add(viewer.name, offset, data)
        self.last_activity = time.time()
        self._write()

    def interrupt(self, viewer: Viewer, offset: int | None) -> None:
        self._inputs.interrupt(viewer.name, offset)
        self.last_activity = time.time()
        if not self._ended:
            self._pty.interrupt()
        self._tell_written(viewer.name)

    def resize(self, rows: int, columns: int) -> None:
        if not self._ended:
            self._pty.resize(rows, columns)

    def _write(self) -> None:
        told: set[str] = set()
        while (data := self._inputs.first()) is not None:
            count = len(data) if self._ended else self._pty.write(data[:FRAME_BYTES])
            if count == 0:
                break
            told.add(self._inputs.advance(count))
        waiting = self._inputs.first() is not None
        if waiting and not self._writing:
            self._loop.add_writer(self._pty.fd, self._write)
        elif self._writing and not waiting and not self._ended:
            self._loop.remove_writer(self._pty.fd)
        self._writing = waiting
        for name in told:
            self._tell_written(name)

    def _tell_written(self, name: str) -> None:
        for viewer in self._viewers:
            if viewer.name == name:
                viewer.sink.input_written(self.number, self._inputs.written(name))

    # -- the end

    @property
    def is_busy(self) -> bool:
        return not self._ended and self._pty.has_foreground_program()

    def signal_all(self, number: int) -> bool:
        """Send a signal to every process of the terminal; whether there was any. Blocks."""
        found = processes.find(self._root(), self._mark)  # the first program included: it carries the mark
        # That one first: a shell that sees its program die of SIGKILL would still exit in its own way.
        found.sort(key=lambda process: process.pid != self._pty.pid)
        processes.send(found, number)
        return bool(found)

    async def close(self) -> None:
        """End the program and everything it started; returns when they are gone and reaped. Idempotent."""
        self._begin_finish()
        if self._finishing:
            await asyncio.shield(self._finishing)
        await asyncio.to_thread(processes.end, None, self._mark, ENDING)

    def _begin_finish(self) -> None:
        """The PTY has come to its end, or is brought to it."""
        if self._ended:
            return
        self._pause()
        if self._writing:
            self._loop.remove_writer(self._pty.fd)
        self._ended = True
        self._writing = False
        self._write()  # what still waited counts as written: nobody will read it
        self._finishing = self._loop.create_task(self._finish(), name=f"terminal {self.number} ends")

    async def _finish(self) -> None:
        """Reap the first program; if it only closed its terminal, hang up and insist."""
        until = time.monotonic() + REAP_SECONDS
        status = self._pty.poll()
        delay = 0.001
        while status is None and time.monotonic() < until:
            await asyncio.sleep(delay)
            delay = min(delay * 2, 0.05)
            if delay >= 0.016:
                self._pty.hang_up()
            status = self._pty.poll()
        self._pty.hang_up()
        while status is None:
            os.kill(self._pty.pid, signal.SIGKILL)
            await asyncio.sleep(0.02)
            status = self._pty.poll()
        self.exit = _describe(status, time.monotonic() - self._born)
        for timer in self._timers:
            timer.cancel()
        for viewer in list(self._viewers):
            self._pump(viewer)
        self._on_exit(self)

    def _root(self) -> int | None:
        return None if self._ended else self._pty.pid

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(seconds, call))


def _describe(status: int, duration: float) -> Exit:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        known = {known.value: known.name for known in signal.Signals}
        return Exit(None, known.get(number, f"signal {number}"), duration)
    return Exit(os.WEXITSTATUS(status), None, duration)
