"""The processes of a terminal: its first program, what that has started, and all that carry the terminal's mark."""

import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_repl_runner import processes

if TYPE_CHECKING:
    import psutil

ENDING: tuple[tuple[int, float], ...] = ((signal.SIGHUP, 0.2), (signal.SIGTERM, 0.3), (signal.SIGKILL, 3.0))


class ProcessTree:
    """`first` is the pid of the first program. Once that is reaped, the pid may belong to another process. All methods
    but `owns` block."""

    def __init__(self, first: int, mark: tuple[str, str]) -> None:
        self._first = first
        self._mark = mark
        self._known: Sequence[psutil.Process] = ()
        """Processes found before. One that has since lost both its mark and its parent is found only by this."""

    def owns(self, environment: bytes) -> bool:
        """Returns True if a process with that environment was started in this terminal."""
        return "=".join(self._mark).encode() in environment.split(b"\0")

    def find(self) -> None:
        """Find and remember the processes. Call it while the first program is there."""
        self._known = processes.find(self._first, self._mark, known=self._known)

    def signal(self, number: int, *, is_reaped: bool) -> bool:
        """Send a signal to each process. Returns True if there was any."""
        # This finds the first program too: it carries the mark.
        root = None if is_reaped else self._first
        found = self._known = processes.find_for(number, root, self._mark, known=self._known)
        # The first program gets the signal first: a shell that sees its child die of SIGKILL would exit by itself.
        found.sort(key=lambda process: process.pid != self._first)
        processes.send(found, number)
        return bool(found)

    def end(self) -> None:
        """End all that are left. Call it after the first program was reaped."""
        processes.end(None, self._mark, ENDING, known=self._known)
