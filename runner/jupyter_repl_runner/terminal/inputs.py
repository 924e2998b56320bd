"""Input of several viewers on its way into one PTY: counted, bounded, acknowledged. Pure.

Each viewer counts its own bytes from its first on, so after a reconnect what was received already is recognised by its
offset and dropped.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable

MAX_QUEUED = 1 << 20
"""Bytes that may wait for one terminal's program to read; far above what a client that keeps to its credit sends."""
MAX_VIEWERS = 64


@dataclass
class _Viewer:
    received: int = 0
    written: int = 0


class Inputs:
    """The queue of one terminal. `received` and `written` count a viewer's bytes since its first."""

    def __init__(self) -> None:
        self._viewers: OrderedDict[str, _Viewer] = OrderedDict()
        self._queue: deque[tuple[str, memoryview]] = deque()
        self._queued = 0

    def received(self, viewer: str) -> int:
        """How much of this viewer's input was taken; remembers the newest MAX_VIEWERS viewers."""
        return self._viewer(viewer).received

    def written(self, viewer: str) -> int:
        return self._viewer(viewer).written

    def add(self, viewer: str, offset: int | None, data: bytes) -> None:
        """Queue input that starts at `offset` (None: where the last ended). Repeated bytes are dropped.

        Raises InvalidRequest for a hole, Unavailable if the queue is full; nothing is taken then.
        """
        state = self._viewer(viewer)
        if offset is None:
            offset = state.received
        if offset > state.received:
            raise InvalidRequest("Input is missing before this.", hint="Send it again from `input` on.")
        fresh = memoryview(data)[state.received - offset :]
        if self._queued + len(fresh) > MAX_QUEUED:
            raise Unavailable("The program does not read its input.", hint="Interrupt it, then type again.")
        if fresh:
            state.received += len(fresh)
            self._queued += len(fresh)
            self._queue.append((viewer, fresh))

    def interrupt(self, viewer: str, offset: int | None) -> None:
        """Forget what `viewer` typed before `offset` and is not written yet; it counts as received and written."""
        state = self._viewer(viewer)
        kept = deque((who, data) for who, data in self._queue if who != viewer)
        self._queued = sum(len(data) for _, data in kept)
        self._queue = kept
        state.received = max(state.received, offset or 0)
        state.written = state.received

    def first(self) -> memoryview | None:
        """What is to be written next."""
        return self._queue[0][1] if self._queue else None

    def advance(self, count: int) -> str:
        """The PTY took `count` bytes of `first()`; the viewer whose they were."""
        viewer, data = self._queue.popleft()
        if count < len(data):
            self._queue.appendleft((viewer, data[count:]))
        self._queued -= count
        self._viewer(viewer).written += count
        return viewer

    def _viewer(self, viewer: str) -> _Viewer:
        state = self._viewers.get(viewer)
        if state is None:
            state = self._viewers[viewer] = _Viewer()
            if len(self._viewers) > MAX_VIEWERS:
                self._viewers.popitem(last=False)
        else:
            self._viewers.move_to_end(viewer)
        return state
