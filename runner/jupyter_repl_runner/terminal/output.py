"""A terminal's output and its viewers: each viewer is sent what its credit allows. Does no I/O itself, and times are
passed in.

The PTY is read while at least one viewer has credit, so the fastest viewer sets the pace of a program that floods.
Without viewers, a full ring pauses the program for GRACE_SECONDS, so that a dropped connection loses nothing. After
that the program runs on, and the ring retains the newest bytes.
"""

from dataclasses import dataclass
from typing import Protocol

from . import replay
from .credit import Credit
from .ring import Ring

GRACE_SECONDS = 30.0
FRAME_BYTES = 1 << 16
MAX_LINE = 1 << 12
ROOM_BYTES = 1 << 16
"""A ring counts as full when only this much is free: the most that is read at once."""


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
    def resized(self, terminal: int, size: tuple[int, int]) -> None: ...
    def exited(self, terminal: int, how: Exit) -> None: ...


@dataclass(eq=False)
class Viewer:
    """One tab at one terminal. `name` stays the same after a reconnect, so that the tab's input is counted on."""

    name: str
    sink: Sink
    credit: Credit
    size: tuple[int, int]
    """Rows and columns that the tab has room for."""
    shown: tuple[int, int]
    """Rows and columns that the tab assumes the terminal to have."""
    replay_end: int = 0
    """Output before this offset is a replay to a viewer that has not seen it: its queries are silenced."""
    told_exit: bool = False
    is_visitor: bool = False
    """Gets the output, and neither paces the program nor keeps it from running on."""


class Output:
    """The output of terminal `number`, of which at least the newest `capacity` bytes are kept."""

    def __init__(self, number: int, capacity: int, now: float) -> None:
        self.viewers: list[Viewer] = []
        self._visitors: list[Viewer] = []
        self.exit: Exit | None = None
        self._number = number
        self._ring = Ring(capacity)
        self._capacity = capacity
        self._cleared = 0
        """Output before this offset is no longer replayed. The offset is the start of a line."""
        self._left_at = 0
        self._grace_until = now + GRACE_SECONDS

    @property
    def all(self) -> tuple[Viewer, ...]:
        """The viewers, with the visitors."""
        return (*self.viewers, *self._visitors)

    @property
    def start(self) -> int:
        """Offset of the oldest byte still kept."""
        return self._ring.start

    def append(self, data: bytes, now: float) -> None:
        """Append what the program has printed, and send each viewer what its credit allows."""
        before = self._ring.end
        self._ring.append(data)
        for viewer in self.all:
            credit = viewer.credit
            if credit.sent == before >= viewer.replay_end and credit.room(self._ring.end) == len(data):
                viewer.sink.output(self._number, before, data)  # sent as it came: nothing must delay an echo
                credit.spend(len(data), now)
            else:
                self._pump(viewer, now)

    def finish(self, how: Exit, now: float) -> None:
        """No more output will come. A viewer that has all of it is sent the exit."""
        self.exit = how
        for viewer in self.all:
            self._pump(viewer, now)

    def close(self) -> None:
        """Drop all viewers and all output at once, so that their memory does not wait for the garbage collector."""
        self.viewers.clear()
        self._visitors.clear()
        self._ring.clear()

    def clear(self) -> None:
        """Later viewers are not shown what was printed before, except the line that is being typed."""
        tail = self._ring.read(max(self._ring.start, self._ring.end - MAX_LINE), MAX_LINE)
        self._cleared = self._ring.end - len(tail) + tail.rfind(b"\n") + 1

    def is_wanted(self, now: float) -> bool:
        """Returns True if more output should be read: a viewer has credit, or without viewers the ring has room or the
        grace period is over."""
        end = self._ring.end
        if self.viewers:
            return not all(viewer.credit.is_behind(end) for viewer in self.viewers)
        return now >= self._grace_until or end - self._left_at < self._capacity - ROOM_BYTES

    def attach(self, name: str, sink: Sink, size: tuple[int, int], start: int | None, now: float) -> Viewer:
        """Returns a viewer that is sent output from offset `start` on, or from the oldest retained byte if that is
        later. If `start` is None the viewer has seen nothing, and is sent a replay. Nothing is sent before `show`.
        """
        ring = self._ring
        if start is None:
            offset, replay_end = max(ring.start, self._cleared, ring.end - replay.MAX_REPLAY), ring.end
            if offset > self._cleared:
                offset += replay.clean_start(ring.read(offset, FRAME_BYTES))
        else:
            offset, replay_end = min(max(start, ring.start), ring.end), 0
        return Viewer(name, sink, Credit(offset, now), size, size, replay_end)

    def show(self, viewer: Viewer, now: float) -> None:
        (self._visitors if viewer.is_visitor else self.viewers).append(viewer)
        self._pump(viewer, now)

    def detach(self, viewer: Viewer, now: float) -> bool:
        """Returns True if the viewer was attached, and is no visitor."""
        if viewer in self._visitors:
            self._visitors.remove(viewer)
        if viewer not in self.viewers:
            return False
        self.viewers.remove(viewer)
        if not self.viewers:
            self._left_at = viewer.credit.acked
            self._grace_until = now + GRACE_SECONDS
        return True

    def acknowledge(self, viewer: Viewer, offset: int, now: float) -> None:
        if viewer in self.all:  # a late acknowledgement of a superseded connection must send nothing
            viewer.credit.acknowledge(offset, now)
            self._pump(viewer, now)

    def _pump(self, viewer: Viewer, now: float) -> None:
        """Send what the credit allows. An offset that jumps shows the viewer that output was dropped."""
        ring, credit = self._ring, viewer.credit
        if credit.sent < ring.start:
            credit.skip_to(ring.start)
        while room := credit.room(ring.end):
            if credit.sent < viewer.replay_end:
                # Read in one piece, as far as the credit goes: a query that is cut in two would not be found.
                data = ring.read(credit.sent, min(room, viewer.replay_end - credit.sent))
                data = replay.silence_queries(data)
            else:
                data = ring.read(credit.sent, min(room, FRAME_BYTES))
            for start in range(0, len(data), FRAME_BYTES):
                viewer.sink.output(self._number, credit.sent + start, data[start : start + FRAME_BYTES])
            credit.spend(len(data), now)
        if self.exit and credit.sent == ring.end and not viewer.told_exit:
            viewer.told_exit = True
            viewer.sink.exited(self._number, self.exit)
