"""What a terminal prints, and who watches it: each viewer is sent what its credit allows. No I/O of its own, and times
are passed in.

Output is wanted while one viewer has credit, so a program that floods is paced by the fastest of those who watch it.
With nobody there a full ring pauses the program for GRACE_SECONDS, so that a dropped connection loses nothing; after
that it runs on and the newest bytes are kept.
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
"""A ring counts as full this much before it is: the most that is read at once."""


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
    """One tab at one terminal. `name` outlives a connection: it is how its input is counted on."""

    name: str
    sink: Sink
    credit: Credit
    size: tuple[int, int]
    """Rows and columns that it has room for."""
    shown: tuple[int, int]
    """Rows and columns that it believes the terminal to have."""
    replay_end: int = 0
    """Output before this offset is replayed to somebody who has not seen it: queries in it are silenced."""
    told_exit: bool = False


class Output:
    """The output of terminal `number`, of which at least the newest `capacity` bytes are kept."""

    def __init__(self, number: int, capacity: int, now: float) -> None:
        self.viewers: list[Viewer] = []
        self.exit: Exit | None = None
        self._number = number
        self._ring = Ring(capacity)
        self._capacity = capacity
        self._cleared = 0
        """Output before this offset is not replayed any more; it is the beginning of a line."""
        self._left_at = 0
        self._grace_until = now + GRACE_SECONDS

    @property
    def start(self) -> int:
        """Offset of the oldest byte still kept."""
        return self._ring.start

    def append(self, data: bytes, now: float) -> None:
        """The program has printed this; each viewer is sent what it may be sent."""
        before = self._ring.end
        self._ring.append(data)
        for viewer in list(self.viewers):
            credit = viewer.credit
            if credit.sent == before >= viewer.replay_end and credit.room(self._ring.end) == len(data):
                viewer.sink.output(self._number, before, data)  # as it came: an echo waits for nothing else
                credit.spend(len(data), now)
            else:
                self._pump(viewer, now)

    def finish(self, how: Exit, now: float) -> None:
        """No more output will come; a viewer that has all of it gets the exit."""
        self.exit = how
        for viewer in list(self.viewers):
            self._pump(viewer, now)

    def close(self) -> None:
        """Let everybody go and forget everything, at once: nobody waits for a collector to find it."""
        self.viewers.clear()
        self._ring.clear()

    def clear(self) -> None:
        """Who comes later is not shown what was printed, but for the line that is being typed."""
        tail = self._ring.read(max(self._ring.start, self._ring.end - MAX_LINE), MAX_LINE)
        self._cleared = self._ring.end - len(tail) + tail.rfind(b"\n") + 1

    def is_wanted(self, now: float) -> bool:
        """Whether somebody has use for more."""
        end = self._ring.end
        if self.viewers:
            return not all(viewer.credit.is_behind(end) for viewer in self.viewers)
        return now >= self._grace_until or end - self._left_at < self._capacity - ROOM_BYTES

    def attach(self, name: str, sink: Sink, size: tuple[int, int], start: int | None, now: float) -> Viewer:
        """A viewer from offset `start` on, as far as that is kept; None: somebody who has seen nothing of it.

        It is sent nothing before `show`.
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
        self.viewers.append(viewer)
        self._pump(viewer, now)

    def detach(self, viewer: Viewer, now: float) -> bool:
        """Whether it was attached."""
        if viewer not in self.viewers:
            return False
        self.viewers.remove(viewer)
        if not self.viewers:
            self._left_at = viewer.credit.acked
            self._grace_until = now + GRACE_SECONDS
        return True

    def acknowledge(self, viewer: Viewer, offset: int, now: float) -> None:
        if viewer in self.viewers:  # a late word of a connection that was superseded must not wake it
            viewer.credit.acknowledge(offset, now)
            self._pump(viewer, now)

    def _pump(self, viewer: Viewer, now: float) -> None:
        """An offset that jumps shows a gap."""
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
                viewer.sink.output(self._number, credit.sent + start, data[start : start + FRAME_BYTES])
            credit.spend(len(data), now)
        if self.exit and credit.sent == ring.end and not viewer.told_exit:
            viewer.told_exit = True
            viewer.sink.exited(self._number, self.exit)
