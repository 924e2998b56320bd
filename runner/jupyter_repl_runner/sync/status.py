"""Keeps the marks: what is saved and what is not yet, in a file that the runner reads."""

import os
import time
from collections import OrderedDict
from collections.abc import Container, Iterable
from dataclasses import replace
from logging import getLogger
from pathlib import Path

from jupyter_repl_runner.contract.marks import MAX_PATHS, Marks, State, within

MOST_REPORTS, MAX_REASON = 50, 500
MARKS_BYTES = 1 << 15
"""Of each list in the marks and in answers: the marks lie in a volume of 1 MiB, twice while they are replaced, and a
path takes up to 24 KiB."""
UNREADABLE = "It can't be read: look at its mode."
TELL_SECONDS = 0.2
"""Between two reports of uploads."""

log = getLogger(__name__)


class Status:
    """Writes each change at once, but for single uploads among many; of these it lists the last `MAX_PATHS`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._uploaded: OrderedDict[str, str] = OrderedDict()
        self._unsaved: dict[str, str] = {}
        self._unrestored: dict[str, str] = {}
        self._marks = Marks("restoring")
        self._written, self._written_at = "", 0.0
        self.sending = 0
        """Bytes of files that are being sent."""

    @property
    def marks(self) -> Marks:
        return self._marks

    @property
    def unsaved_short(self) -> dict[str, str]:
        """What of `unsaved` fits into an answer: paths may be very long."""
        return dict(within(self._unsaved.items(), MARKS_BYTES))

    def tell(self, state: State | None = None, reason: str = "", hint: str = "", **fields: object) -> None:
        """Change what is named; reason and hint hold for the state."""
        if state is not None:
            fields |= {"state": state, "reason": reason, "hint": hint}
        self._marks = replace(self._marks, **fields)  # type: ignore[arg-type]
        self.write()

    def waiting(self, paths: list[str], state: State, pending: int | None = None) -> None:
        """`paths`: some of the `pending` ones, or all. The reason stays with its state."""
        marks = self._marks
        reason, hint = (marks.reason, marks.hint) if state == marks.state else ("", "")
        count = len(paths) if pending is None else pending
        self.tell(state, reason, hint, pending=count, paths=tuple(paths[:MAX_PATHS]))

    def uploaded(self, path: str, etag: str) -> None:
        """The store has taken a file."""
        self._uploaded[path] = etag
        self._uploaded.move_to_end(path)
        while len(self._uploaded) > MAX_PATHS:
            self._uploaded.popitem(last=False)
        left = tuple(name for name in self._marks.paths if name != path)
        pending = max(self._marks.pending - 1, len(left))
        uploaded = tuple(self._uploaded.items())
        self._marks = replace(self._marks, when=time.time(), uploaded=uploaded, paths=left, pending=pending)
        if time.monotonic() > self._written_at + TELL_SECONDS:
            self.write()

    def report(self, path: str, reason: str) -> None:
        """A path that can't be saved."""
        if path in self._unsaved or len(self._unsaved) < MOST_REPORTS:
            self._unsaved[path] = reason[:MAX_REASON]
        self._tell_reports()

    @property
    def unsaved(self) -> dict[str, str]:
        """What can't be saved, and why."""
        return dict(self._unsaved)

    def settle(self, paths: Iterable[str]) -> None:
        """Remove the reports of these paths."""
        for path in paths:
            self._unsaved.pop(path, None)
        self._tell_reports()

    def report_unrestored(self, path: str, reason: str) -> None:
        """A path that can't be had from the store, which keeps it."""
        if path in self._unrestored or len(self._unrestored) < MOST_REPORTS:
            self._unrestored[path] = f"It can't be restored. {reason}"[:MAX_REASON]
        self._tell_reports()

    @property
    def has_unrestored(self) -> bool:
        return bool(self._unrestored)

    def settle_unrestored(self, wanted: Container[str]) -> None:
        """Remove the reports of paths that are not in `wanted`."""
        self._unrestored = {path: reason for path, reason in self._unrestored.items() if path in wanted}
        self._tell_reports()

    def _tell_reports(self) -> None:
        reports = {**self._unrestored, **self._unsaved}
        self._marks = replace(self._marks, reports=tuple(sorted(reports.items())))

    def write(self) -> None:
        """The work goes on where there is no room for the marks: they are written with the next change."""
        text = self._marks.shortened(MARKS_BYTES).dump()
        if text == self._written:
            return
        temporary = self._path.with_suffix(".new")
        try:
            temporary.write_text(text)
            os.replace(temporary, self._path)
        except OSError as error:
            log.warning("The marks can't be written: %s", error)
            return
        self._written, self._written_at = text, time.monotonic()
