"""What all channels of a runner share: the project's parts, and a way to send to all of them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from weakref import WeakValueDictionary

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.messages import build_event
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.run.program import Program, Run
from jupyter_repl_runner.terminal.manager import Terminals
from jupyter_repl_runner.usage.activity import Activity
from jupyter_repl_runner.usage.disk import Disk


class Listener(Protocol):
    def send(self, message: str) -> None: ...


class Room:
    """Lives as long as the runner."""

    def __init__(self, assignment: Assignment, beneath: Beneath, trash: Trash, terminals: Terminals) -> None:
        self.assignment = assignment
        self.instance = secrets.token_hex(8)
        """Changes with each runner: shows a client whether the terminals that it knows still exist."""
        self.beneath = beneath
        self.trash = trash
        self.terminals = terminals
        self.program = Program(beneath, terminals, assignment, self._tell_run)
        self.activity = Activity(lambda: terminals.sessions, lambda: self.program.current is not None)
        self.draining = False
        self.synced: Mapping[str, Any] | None = None
        """The marks of sync; None if there is no sync, because the files are on this disk."""
        self.disk: Disk | None = None
        """None unless the project's disk has a limit of its own."""
        self._listeners: dict[Listener, str] = {}
        """With the name of a visitor; empty for the owner."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def join(self, listener: Listener, visitor: str = "") -> None:
        self._listeners[listener] = visitor
        if visitor:
            self.broadcast("visitors", {"names": self.visitors})

    def leave(self, listener: Listener) -> None:
        if self._listeners.pop(listener, ""):
            self.broadcast("visitors", {"names": self.visitors})

    @property
    def visitors(self) -> list[str]:
        """The names of all who look at the REPL of another."""
        return sorted({name for name in self._listeners.values() if name})

    def broadcast(self, event: str, data: Mapping[str, Any]) -> None:
        if self._listeners:
            message = build_event(event, data)
            for listener in list(self._listeners):
                listener.send(message)

    def check_disk(self) -> None:
        """Raises DiskFull if the disk is so full that we refuse our own writes."""
        if self.disk is not None:
            self.disk.check_disk()

    @asynccontextmanager
    async def writing(self, path: str) -> AsyncIterator[None]:
        """Admit one writer of a path at a time, in the order of the calls: the newer of two saves must win."""
        self.check_disk()
        lock = self._locks.get(path)
        if lock is None:
            lock = self._locks[path] = asyncio.Lock()
        async with lock:
            yield

    def tell_synced(self, marks: Mapping[str, Any]) -> None:
        self.synced = marks
        self.broadcast("synced", marks)

    def _tell_run(self, run: Run) -> None:
        self.broadcast("runExit", run.to_json())
