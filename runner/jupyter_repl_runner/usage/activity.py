"""When a REPL was last used. Keys, output, a foreground program, a run and requests are use; open sockets are not."""

import time
from collections.abc import Callable, Iterable

from jupyter_repl_runner.terminal.session import Session


class Activity:
    """`last` is the time of the last use, in seconds since the epoch."""

    def __init__(self, sessions: Callable[[], Iterable[Session]], is_running: Callable[[], bool]) -> None:
        """`is_running` returns True during a run. A run's shell has no job control, so its session is never busy."""
        self._sessions = sessions
        self._is_running = is_running
        self._touched = time.time()

    def touch(self) -> None:
        """Somebody did something other than typing into a terminal."""
        self._touched = time.time()

    @property
    def last(self) -> float:
        sessions = list(self._sessions())
        if self._is_running() or any(session.is_busy for session in sessions):
            return time.time()
        return max([self._touched, *(session.last_activity for session in sessions)])
