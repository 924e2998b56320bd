"""The terminals of a REPL, by number."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import RING_BYTES
from jupyter_repl_runner.contract.errors import FileNotFound, Unavailable

from .attention import Attention
from .environment import TERMINAL_MARK, shell, terminal_environment
from .pty import Pty
from .session import Session

MAX_TERMINALS = 64
MAX_ENDED = 20
"""Ended terminals whose output can still be read; the oldest is forgotten first."""


class Terminals:
    """Numbers are never used twice. `environment` is the runner's; `folder` is where programs start; at least `ring`
    bytes of each one's output are kept."""

    def __init__(self, folder: Path, environment: Mapping[str, str], ring: int = RING_BYTES) -> None:
        self._folder = folder
        self._environment = environment
        self._ring = ring
        self._sessions: dict[int, Session] = {}
        self._last = self._opening = 0
        self._attention = Attention()
        self._closing: set[asyncio.Task[None]] = set()

    async def open(
        self,
        size: tuple[int, int],
        argv: Sequence[str] | None = None,
        on_exit: Callable[[Session], None] = lambda session: None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Session:
        """Start a shell, or `argv`, in `folder`. Raises Unavailable if it can't start, or if MAX_TERMINALS are open."""
        if self._opening + sum(session.exit is None for session in self._sessions.values()) >= MAX_TERMINALS:
            raise Unavailable(f"{MAX_TERMINALS} terminals are open.", hint="Close one of them.")
        mark = secrets.token_hex(8)
        env = terminal_environment(self._environment, mark, environment or {})
        self._opening += 1
        try:
            # In a thread, so that the other terminals go on: this returns only when the child has become its program.
            pty = await asyncio.to_thread(Pty, argv or shell(), env, str(folder or self._folder), size)
        finally:
            self._opening -= 1
        self._last += 1
        session = Session(self._last, pty, (TERMINAL_MARK, mark), on_exit, self._ring, self._attention)
        self._sessions[session.number] = session
        self._forget_ended()
        return session

    def get(self, number: int) -> Session:
        """Raises FileNotFound if there is no such terminal."""
        try:
            return self._sessions[number]
        except KeyError:
            raise FileNotFound(f"There is no terminal {number}.", hint="Open a new one.") from None

    def close(self, number: int) -> None:
        """Forget the terminal at once and end its programs in the background; unknown numbers are no error."""
        session = self._sessions.pop(number, None)
        if session is not None:
            task = tasks.spawn(session.close(), f"close terminal {number}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        for number in list(self._sessions):
            self.close(number)
        if self._closing:
            await asyncio.wait(self._closing, timeout=10)

    @property
    def are_typed_into(self) -> bool:
        """True while somebody types into one of them."""
        return self._attention.is_anywhere(time.monotonic())

    def to_json(self) -> list[dict[str, Any]]:
        """Returns the terminals whose program still runs."""
        return [{"terminal": number} for number, session in self._sessions.items() if session.exit is None]

    @property
    def sessions(self) -> list[Session]:
        return list(self._sessions.values())

    def _forget_ended(self) -> None:
        ended = [number for number, session in self._sessions.items() if session.exit is not None]
        for number in ended[:-MAX_ENDED]:
            self.close(number)
