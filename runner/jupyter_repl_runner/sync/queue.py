"""Which paths have changed and when their turn comes. Pure: times are passed in, in seconds of any clock that only
rises.

A path's turn comes when nothing was heard of it for QUIET_SECONDS, but LONGEST_SECONDS after its first change at the
latest.
"""

from dataclasses import dataclass, field

QUIET_SECONDS, LONGEST_SECONDS = 0.29, 2.0
"""The first with the scan that follows, before anything is sent: 0.3."""
MOST_PATHS = 5000
"""More than so many cause a full scan."""


@dataclass
class Batch:
    """`everything`: a full scan; else of these paths, and right in these folders. `is_heard`:
    something did happen, it is not just time for a scan."""

    everything: bool = False
    is_heard: bool = True
    paths: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return self.everything or bool(self.paths or self.folders)


@dataclass
class _Times:
    first: float
    last: float

    @property
    def due(self) -> float:
        return min(self.last + QUIET_SECONDS, self.first + LONGEST_SECONDS)


class Queue:
    def __init__(self) -> None:
        self._paths: dict[str, _Times] = {}
        self._folders: dict[str, _Times] = {}
        self._everything: _Times | None = None
        self._is_heard = False

    def note(
        self, now: float, *, paths: set[str] | frozenset[str] = frozenset(), folders: set[str] | None = None
    ) -> None:
        """Something has happened to `paths`, and to what lies in `folders`."""
        for kept, new in ((self._paths, paths), (self._folders, folders or ())):
            for path in new:
                times = kept.setdefault(path, _Times(now, now))
                times.last = now
        if len(self._paths) + len(self._folders) > MOST_PATHS:
            self.note_all(now)

    def note_all(self, now: float, *, is_heard: bool = True) -> None:
        """Anything may have happened; not `is_heard`: or nothing."""
        self._is_heard |= is_heard or bool(self._paths or self._folders)
        first = min([times.first for times in (*self._paths.values(), *self._folders.values())], default=now)
        if self._everything is None:
            self._everything = _Times(first, now)
        self._everything.last = now
        self._paths.clear()
        self._folders.clear()

    @property
    def next_due(self) -> float | None:
        times = [*self._paths.values(), *self._folders.values(), *([self._everything] if self._everything else [])]
        return min((each.due for each in times), default=None)

    @property
    def waiting(self) -> list[str]:
        """The paths and folders that wait."""
        return sorted({*self._paths, *self._folders})

    @property
    def is_heard(self) -> bool:
        """Whether anything has happened that was not dealt with."""
        return self._is_heard or bool(self._paths or self._folders)

    def __bool__(self) -> bool:
        return self._everything is not None or bool(self._paths or self._folders)

    def take(self, now: float) -> Batch:
        """Take what is due out of the queue."""
        if self._everything is not None:
            if self._everything.due > now:
                return Batch()
            batch = Batch(everything=True, is_heard=self.is_heard)
            self._everything, self._is_heard = None, False
            self._paths.clear()
            self._folders.clear()
            return batch
        batch = Batch()
        for kept, due in ((self._paths, batch.paths), (self._folders, batch.folders)):
            due.update(path for path, times in kept.items() if times.due <= now)
            for path in due:
                del kept[path]
        return batch
