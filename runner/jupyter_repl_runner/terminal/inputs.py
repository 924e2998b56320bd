"""The queue of several viewers' input for one PTY: counts, bounds and acknowledges it. Pure.

Each viewer counts its own bytes from its first on. So after a reconnect, bytes that were already received are
recognised by their offset and dropped.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass

from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable

MAX_QUEUED = 1 << 20
"""The most bytes that may wait until a terminal's program reads them; far more than a client's credit allows."""
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
        """Returns how many bytes of this viewer's input were accepted. Remembers the newest MAX_VIEWERS viewers."""
        return self._viewer(viewer).received

    def written(self, viewer: str) -> int:
        return self._viewer(viewer).written

    def add(self, viewer: str, offset: int | None, data: bytes) -> None:
        """Queue input that starts at `offset` (None: where the viewer's last input ended). Drops repeated bytes.

        Raises InvalidRequest if bytes before `offset` are missing, Unavailable if the queue is full. Then nothing is
        queued.
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
        """Drop what `viewer` typed before `offset` and is not yet written. It counts as received and written."""
        state = self._viewer(viewer)
        kept = deque((who, data) for who, data in self._queue if who != viewer)
        self._queued = sum(len(data) for _, data in kept)
        self._queue = kept
        state.received = max(state.received, offset or 0)
        state.written = state.received

    def first(self) -> memoryview | None:
        """Returns the bytes to write next; None if there are none."""
        return self._queue[0][1] if self._queue else None

    def advance(self, count: int) -> str:
        """Record that the PTY took `count` bytes of `first()`. Returns the viewer that sent them."""
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
