"""The processes of a terminal: its first program, what that has started, and whatever carries the terminal's mark."""

import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_repl_runner import processes

if TYPE_CHECKING:
    import psutil

ENDING: tuple[tuple[int, float], ...] = ((signal.SIGHUP, 0.2), (signal.SIGTERM, 0.3), (signal.SIGKILL, 3.0))


class ProcessTree:
    """`first`: the pid of the first program, which is another's once that was reaped. All calls block but `owns`."""

    def __init__(self, first: int, mark: tuple[str, str]) -> None:
        self._first = first
        self._mark = mark
        self._known: Sequence[psutil.Process] = ()
        """What has neither mark nor parent any more was found before."""

    def owns(self, environment: bytes) -> bool:
        """Whether a process with that environment was started from here."""
        return "=".join(self._mark).encode() in environment.split(b"\0")

    def find(self) -> None:
        """Remember those who are there, while the first program is."""
        self._known = processes.find(self._first, self._mark, known=self._known)

    def signal(self, number: int, *, is_reaped: bool) -> bool:
        """Send a signal to each of them; whether there was any."""
        # The first program included: it carries the mark.
        root = None if is_reaped else self._first
        found = self._known = processes.find_for(number, root, self._mark, known=self._known)
        # That one first: a shell that sees its program die of SIGKILL would still exit in its own way.
        found.sort(key=lambda process: process.pid != self._first)
        processes.send(found, number)
        return bool(found)

    def end(self) -> None:
        """All that are left, once the first program was reaped."""
        processes.end(None, self._mark, ENDING, known=self._known)
