"""One terminal: a PTY between its output (`output`) and what was typed (`inputs`), on the running loop.

Neither reading nor writing blocks, and neither takes more than a bounded part of a turn of the loop, so that the other
terminals get theirs.
"""

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path

from jupyter_repl_runner import tasks

from .attention import Attention
from .inputs import Inputs
from .output import GRACE_SECONDS, Exit, Output, Sink, Viewer
from .process_tree import ProcessTree
from .pty import Pty
from .reading import TICK_BYTES, read_turn
from .reaping import describe, reap

TICK_SECONDS = 0.0005
"""The longest that one turn of the loop reads from one PTY."""
REST_BYTES, REST_SECONDS = 1 << 10, 0.006
"""After REST_BYTES in a turn a terminal rests for REST_SECONDS, if nobody watches it or people type into others."""
TELL_BYTES, TELL_SECONDS = 1 << 14, 0.02
"""Input is acknowledged after this much or this long: a key's acknowledgement must not delay its echo."""
QUIET_SECONDS, REST_OF_OUTPUT_SECONDS = 0.1, 1.0
"""If the first program has ended and others hold the terminal, it is read until nothing has come for
QUIET_SECONDS, but no longer than REST_OF_OUTPUT_SECONDS."""


class Session:
    """Create it in a running loop. `on_exit` is called once, after the program has ended and was reaped."""

    def __init__(
        self,
        number: int,
        pty: Pty,
        mark: tuple[str, str],
        on_exit: Callable[["Session"], None],
        ring: int,
        attention: Attention,
    ) -> None:
        self.number = number
        self.title = ""
        self.last_activity = time.time()
        self._pty = pty
        self._on_exit = on_exit
        self._born = time.monotonic()
        self._output = Output(number, ring, self._born)
        self._inputs = Inputs()
        self._attention = attention
        self._untold: dict[str, int] = {}
        """By viewer, how many bytes of its input were written and are not acknowledged yet."""
        self._telling = False
        self._leader = ""
        """The viewer that typed last: the terminal has the size of its screen."""
        self._loop = asyncio.get_running_loop()
        self._reading = self._writing = self._ended = False
        self._is_resting = False
        self._timers: list[asyncio.TimerHandle] = []
        self._finishing: asyncio.Task[None] | None = None
        self.processes = ProcessTree(pty.pid, mark)
        self._heard = -math.inf
        """When output was last read, by the monotonic clock."""
        self._first_gone = math.inf
        """When the first program ended, by the monotonic clock. Others may still hold the terminal."""
        pty.when_ended(self._loop, self._on_first_gone)
        self._resume()

    @property
    def exit(self) -> Exit | None:
        """How the program ended, once it has."""
        return self._output.exit

    # -- viewers

    def attach(
        self, name: str, sink: Sink, size: tuple[int, int], start: int | None, *, is_visitor: bool = False
    ) -> tuple[Viewer, dict[str, int]]:
        """Returns a viewer and a reply. The caller sends the reply, then calls `show`. `start`: see `Output.attach`.

        The reply is `{terminal, offset, start, input}`, see docs/protocol.md.
        """
        viewer = self._output.attach(name, sink, size, start, time.monotonic())
        viewer.is_visitor = is_visitor
        reply = {"terminal": self.number, "offset": viewer.credit.sent, "start": self._output.start}
        return viewer, {**reply, "input": self._inputs.received(name)}

    def show(self, viewer: Viewer) -> None:
        for other in self._output.all:
            if other.name == viewer.name:  # its connection died, which was not noticed yet
                self._output.detach(other, time.monotonic())
        self._output.show(viewer, time.monotonic())
        self._fit(viewer)
        self._balance()

    def detach(self, viewer: Viewer) -> None:
        """Idempotent."""
        if self._output.detach(viewer, time.monotonic()):
            if self._output.viewers:
                self._fit(self._output.viewers[-1])
            else:
                self._later(GRACE_SECONDS, self._balance)
            self._balance()

    def acknowledge(self, viewer: Viewer, offset: int) -> None:
        self._output.acknowledge(viewer, offset, time.monotonic())
        self._balance()

    def clear(self) -> None:
        """Do not replay what was printed until now. The viewers clear their own screens."""
        self._output.clear()

    def resize(self, viewer: Viewer, size: tuple[int, int]) -> None:
        """`viewer` has room for `size` (rows, columns)."""
        viewer.size = viewer.shown = size
        self._fit(viewer)

    def _fit(self, viewer: Viewer) -> None:
        """Give the terminal the size of the viewer that typed last, or of `viewer` if that one is not here. A visitor
        never decides the size."""
        leader = next((other for other in self._output.viewers if other.name == self._leader), viewer)
        if not self._ended and not leader.is_visitor:
            self._pty.resize(*leader.size)
        for other in self._output.all:
            if other.shown != self._pty.size:
                other.shown = self._pty.size
                other.sink.resized(self.number, other.shown)

    # -- output

    def _on_readable(self) -> None:
        now = time.monotonic()
        data, is_end = read_turn(self._pty, now + TICK_SECONDS)
        if data:
            self._output.append(data, now)
            self._heard = now
            is_watched = self._output.viewers and not self._attention.is_elsewhere(self.number, now)
            if len(data) > REST_BYTES and not is_watched:
                self._is_resting = True
                self._later(REST_SECONDS, self._end_rest)
            self._balance()
            self.last_activity = time.time()
        if is_end:
            self._begin_finish()

    def _on_first_gone(self) -> None:
        """The first program has ended. A program that it left behind may hold the terminal for ever, so we don't wait
        for the PTY's end: the terminal ends when everything printed until now has been read."""
        self._first_gone = time.monotonic()
        self._look_for_the_rest()

    def _look_for_the_rest(self) -> None:
        if not self._is_read():  # `_resume` calls this again
            return
        self._on_readable()
        if not self._is_read():
            return
        now = time.monotonic()
        is_quiet = now > max(self._heard, self._first_gone) + QUIET_SECONDS
        if is_quiet or now > self._first_gone + REST_OF_OUTPUT_SECONDS:
            self._begin_finish()
        else:
            self._later(TELL_SECONDS, self._look_for_the_rest)

    def _is_read(self) -> bool:
        return self._reading and not self._ended

    def _balance(self) -> None:
        """Read the PTY exactly while more output is wanted and the terminal does not rest."""
        if not self._is_resting and self._output.is_wanted(time.monotonic()):
            self._resume()
        else:
            self._pause()

    def _end_rest(self) -> None:
        self._is_resting = False
        self._balance()

    def _resume(self) -> None:
        if not self._reading and not self._ended:
            self._reading = True
            self._loop.add_reader(self._pty.fd, self._on_readable)
            if self._first_gone < math.inf:
                self._later(TELL_SECONDS, self._look_for_the_rest)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._pty.fd)

    # -- input

    def type(self, viewer: Viewer, offset: int | None, data: bytes) -> None:
        """Raises InvalidRequest or Unavailable, see `Inputs.add`. Input for an ended program is dropped."""
        self._inputs.add(viewer.name, offset, data)
        self._attention.note(self.number, time.monotonic())
        if viewer.name != self._leader:
            self._leader = viewer.name
            self._fit(viewer)
        self._write()
        self.last_activity = time.time()

    def interrupt(self, viewer: Viewer, offset: int | None) -> None:
        """Write the terminal's interrupt character. Drops what this viewer typed before and is not written yet."""
        self._inputs.interrupt(viewer.name, offset)
        self.last_activity = time.time()
        if not self._ended:
            self._pty.interrupt()
        self._untold[viewer.name] = 0
        self._tell()

    def _write(self) -> None:
        taken = 0
        while taken < TICK_BYTES and (data := self._inputs.first()) is not None:
            count = len(data) if self._ended else self._pty.write(data[:TICK_BYTES])
            if count == 0:
                break
            name = self._inputs.advance(count)
            self._untold[name] = self._untold.get(name, 0) + count
            taken += 0 if self._ended else count
        waiting = self._inputs.first() is not None
        if waiting and not self._writing:
            self._loop.add_writer(self._pty.fd, self._write)
        elif self._writing and not waiting and not self._ended:
            self._loop.remove_writer(self._pty.fd)
        self._writing = waiting
        if sum(self._untold.values()) >= TELL_BYTES:
            self._tell()
        elif self._untold and not self._telling:
            self._telling = True
            self._later(TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = False
        untold, self._untold = self._untold, {}
        for viewer in self._output.viewers:
            if viewer.name in untold:
                viewer.sink.input_written(self.number, self._inputs.written(viewer.name))

    # -- the end

    @property
    def is_busy(self) -> bool:
        return not self._ended and self._pty.has_foreground_program()

    @property
    def folder(self) -> Path | None:
        """The working directory of its program, if that is still a folder, else None. Blocks for a moment."""
        folder = Path(self._pty.folder() or "") if not self._ended else None
        return folder if folder and folder.is_absolute() and folder.is_dir() else None

    def say(self, text: bytes) -> None:
        """Add a message of the runner to the output, unless the program has ended."""
        if self._output.exit is None:
            self._output.append(text, time.monotonic())

    def signal_all(self, number: int) -> bool:
        """Send a signal to every process of the terminal. Returns True if there was any. Blocks."""
        return self.processes.signal(number, is_reaped=self._ended)

    async def close(self) -> None:
        """End the program and everything it started; returns when they are gone and reaped. Idempotent."""
        if not self._ended:
            await asyncio.to_thread(self.processes.find)
        self._begin_finish()
        if self._finishing:
            await asyncio.shield(self._finishing)
        self._output.close()
        await asyncio.to_thread(self.processes.end)

    def _begin_finish(self) -> None:
        """The PTY has ended, or the terminal is being closed: stop reading, then reap the program."""
        if self._ended:
            return
        self._pause()
        self._pty.forget_end(self._loop)
        if self._writing:
            self._loop.remove_writer(self._pty.fd)
        self._ended = True
        self._writing = False
        self._write()  # what still waited counts as written: nobody will read it
        self._finishing = tasks.spawn(self._finish(), f"terminal {self.number} ends")

    async def _finish(self) -> None:
        status = await reap(self._pty)
        for timer in self._timers:
            timer.cancel()
        self._tell()
        now = time.monotonic()
        self._attention.forget(self.number)
        self._output.finish(describe(status, now - self._born), now)
        self._on_exit(self)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(seconds, call))
