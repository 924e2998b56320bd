"""Whether anything goes on: keystrokes, output, a foreground program, requests. Open sockets don't count."""

import time
from collections.abc import Callable, Iterable

from jupyter_repl_runner.terminal.session import Session


class Activity:
    """`last` is in seconds since the epoch."""

    def __init__(self, sessions: Callable[[], Iterable[Session]]) -> None:
        self._sessions = sessions
        self._touched = time.time()

    def touch(self) -> None:
        """Somebody did something other than typing into a terminal."""
        self._touched = time.time()

    @property
    def last(self) -> float:
        sessions = list(self._sessions())
        if any(session.is_busy for session in sessions):
            return time.time()
        return max([self._touched, *(session.last_activity for session in sessions)])
