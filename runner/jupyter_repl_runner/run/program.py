"""Runs: the project's command, or one file, each in a terminal of its own. One at a time."""

import asyncio
import shlex
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import FileNotFound, InvalidRequest, ReplError, Unavailable
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.contract.settings import SETTINGS_FILE, Settings, parse_settings
from jupyter_repl_runner.files import content
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.terminal.manager import Terminals
from jupyter_repl_runner.terminal.output import Exit
from jupyter_repl_runner.terminal.session import Session

HISTORY = 20
STOP_STEPS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STOP_SECONDS = 2.0
POLL_SECONDS = 0.05
MAX_SETTINGS_BYTES = 64 * 1024

INTERPRETERS = {
    ".py": "python3",
    ".js": "node",
    ".mjs": "node",
    ".cjs": "node",
    ".sh": "sh",
    ".bash": "bash",
    ".rb": "ruby",
    ".r": "Rscript",
    ".jl": "julia",
    ".go": "go run",
}

_SHELL = "trap 'exit 130' INT; trap 'exit 143' TERM; "
"""The traps let the shell outlive its program: if a program ignores a signal, it is still there, and so is its run."""

_HINTS = {
    126: "The command can't be executed. Check its mode: ls -l",
    127: "The command was not found. Install it, or change run in .repl.toml.",
}


@dataclass
class Run:
    """`path` is the file that was run; None for the project's command. `terminal` is the number of the terminal with
    its output. `started` is in seconds since the epoch. `exit` is None while it runs."""

    run: int
    command: str
    path: str | None
    terminal: int
    started: float
    exit: Exit | None = None

    def to_json(self) -> dict[str, Any]:
        begun = {
            "run": self.run,
            "terminal": self.terminal,
            "command": self.command,
            "path": self.path,
            "started": round(self.started, 3),
        }
        if self.exit is None:
            return begun
        return {
            **begun,
            "code": self.exit.code,
            "signal": self.exit.signal,
            "duration": round(self.exit.duration, 3),
            "hint": _HINTS.get(self.exit.code or 0, ""),
        }


class Program:
    """Starts and stops runs; `tell(run)` is called when one has ended and its output was read."""

    def __init__(
        self, beneath: Beneath, terminals: Terminals, assignment: Assignment, tell: Callable[[Run], None]
    ) -> None:
        self._beneath = beneath
        self._terminals = terminals
        self._assignment = assignment
        self._tell = tell
        self._history: deque[Run] = deque(maxlen=HISTORY)
        self._last = 0
        self._starting = asyncio.Lock()
        self._stopping: dict[int, asyncio.Task[None]] = {}

    @property
    def current(self) -> Run | None:
        """The run that has not ended yet."""
        return next((run for run in self._history if run.exit is None), None)

    def to_json(self) -> list[dict[str, Any]]:
        """The last HISTORY runs, oldest first."""
        return [run.to_json() for run in self._history]

    def main_file(self) -> str:
        """Returns the path of the file that a tab opens first; empty if there is none. Blocks."""
        try:
            return self._settings().main or self._assignment.main
        except ReplError:
            return self._assignment.main

    async def start(self, path: str | None, size: tuple[int, int]) -> Run:
        """Run the project's command, or the file `path`. Raises Unavailable while another run goes on."""
        command = await asyncio.to_thread(self._command, path)
        async with self._starting:
            if (current := self.current) is not None:
                raise Unavailable(f"{current.command} is still running.", hint="Stop it first.")
            self._last += 1
            number = self._last
            argv = ["/bin/sh", "-c", _SHELL + command]
            session = await self._terminals.open(size, argv, lambda session: self._ended(number, session))
            run = Run(number, command, path, session.number, time.time())
            self._history.append(run)
            return run

    def stop(self, number: int) -> None:
        """Begin to end a run with all its children: SIGINT, SIGTERM, SIGKILL, STOP_SECONDS apart. Idempotent."""
        run = next((run for run in self._history if run.run == number), None)
        if run is None:
            raise FileNotFound(f"There is no run {number}.")
        if run.exit is None and number not in self._stopping:
            session = self._terminals.get(run.terminal)
            task = tasks.spawn(self._stop(session), f"stop run {number}")
            self._stopping[number] = task
            task.add_done_callback(lambda _: self._stopping.pop(number, None))

    async def close(self) -> None:
        """Cancel the stops under way. Closing the terminals ends what is left."""
        await tasks.stop(*self._stopping.values())

    async def _stop(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        for number in STOP_STEPS:
            if not await asyncio.to_thread(session.signal_all, number):
                return
            until = loop.time() + STOP_SECONDS
            while loop.time() < until:
                await asyncio.sleep(POLL_SECONDS)
                if session.exit is not None and not await asyncio.to_thread(session.signal_all, 0):
                    return

    def _ended(self, number: int, session: Session) -> None:
        for run in self._history:
            if run.run == number:
                run.exit = session.exit
                self._tell(run)

    def _command(self, path: str | None) -> str:
        if path is not None:
            return self._file_command(check_path(path))
        command = self._settings().run or self._assignment.run
        if not command:
            raise InvalidRequest(
                "This project has no command to run.", hint=f'Put run = "..." into {SETTINGS_FILE} at its root.'
            )
        return command

    def _file_command(self, path: str) -> str:
        content.stat(self._beneath, path)  # raises FileNotFound and similar errors
        interpreter = INTERPRETERS.get(PurePosixPath(path).suffix.lower())
        if interpreter is None:
            raise InvalidRequest(f"No interpreter is known for {path}.", hint=f"Put a command into {SETTINGS_FILE}.")
        return f"{interpreter} {shlex.quote('./' + path)}"

    def _settings(self) -> Settings:
        try:
            text, _ = content.read_text(self._beneath, SETTINGS_FILE, MAX_SETTINGS_BYTES)
        except FileNotFound:
            return Settings()
        return parse_settings(text)
