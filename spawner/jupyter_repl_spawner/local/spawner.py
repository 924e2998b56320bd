"""LocalSpawner: a guard and a runner per REPL, on this machine, reached by a Unix socket of mode 600.

It knows nothing of stores: `folders` says where a project is. Other servers of the same user attach to a REPL by its
private directory. A REPL stops with the server that started it.
"""

import asyncio
import http.client
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.local import CRASHED, MARK, SERVER_GONE, SOCKET_FILE, START_FAILED, UNSAVED
from jupyter_repl_runner.contract.messages import AUTH_HEADER
from jupyter_repl_runner.contract.phases import RUNNING, STOPPED, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Address, Folders, Granter, Leaving, Progress, Spawner, SpawnerContext

from . import private_directory
from .environment import repl_environment
from .grant_server import GrantServer
from .launch import FLUSH_SECONDS, Guard, launch, read_marks
from .sweep import end_marked, sweep

POLL_SECONDS = 0.03
ASK_SECONDS = 2.0


def make_spawner(context: SpawnerContext) -> "LocalSpawner":
    """The entry point `local`."""
    settings = context.settings
    return LocalSpawner(
        context.folders,
        runtime_dir=settings["runtime_dir"],
        start_seconds=settings["start_timeout"],
        keep_environment=settings["keep_environment"],
        granter=context.granter,
    )


class LocalSpawner(Spawner):
    """An empty `runtime_dir` means /tmp/jupyter-repl-{uid}. `start_seconds` and `stop_seconds` are deadlines.
    `keep_environment`: names and patterns of variables that REPLs inherit in addition to the usual ones. With a
    `granter`, projects live in a store and their folders here are copies. Without one, the folders are the projects."""

    def __init__(
        self,
        folders: Callable[[ProjectRef], Folders],
        runtime_dir: str = "",
        start_seconds: float = 20.0,
        stop_seconds: float = 10.0,
        keep_environment: Sequence[str] = (),
        granter: Granter | None = None,
    ) -> None:
        self._folders = folders
        self._runtime_dir = runtime_dir
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds + (FLUSH_SECONDS if granter else 0)
        self._granter = granter
        self._keep = tuple(keep_environment)
        self._guards: dict[Path, Guard] = {}

    async def __aenter__(self) -> Self:
        root = self._root()
        await asyncio.to_thread(sweep, root)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Flushes and stops the REPLs that this server started."""
        guards = dict(self._guards)
        await asyncio.gather(*(self._stop(directory) for directory in guards), return_exceptions=True)

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        directory = self._directory(assignment.ref)
        progress("Starting the runner")
        async with _deadline(self._start_seconds, "The REPL did not start in time."):
            while (lock := private_directory.lock(directory, make=True)) is None:
                if await asyncio.to_thread(_answers, directory):
                    return
                await asyncio.sleep(POLL_SECONDS)
        try:
            await self._launch(directory, lock, assignment, progress)
        finally:
            os.close(lock)

    async def _launch(self, directory: Path, lock: int, assignment: Assignment, progress: Progress) -> None:
        if (earlier := self._guards.pop(directory, None)) is not None:  # its runner has crashed
            await earlier.discard()
        if private_directory.read_record(directory) is not None:  # its guard was killed: end all of its processes
            await asyncio.to_thread(end_marked, directory)
        folders = self._folders(assignment.ref)
        environment = repl_environment(os.environ, self._keep)
        answers = None
        try:
            if self._granter is not None:
                grant = await self._granter.grant(assignment.ref)
                folders.workdir.mkdir(parents=True, exist_ok=True)
                answers = GrantServer(self._granter, grant)
            elif not folders.workdir.is_dir():
                raise Unavailable(f"The folder of {assignment.ref} is gone.", hint="Put it back, or make a new REPL.")
            guard = await launch(
                directory, lock, assignment, folders, environment, self._start_seconds, progress, answers
            )
        except BaseException as error:
            if answers is not None:
                await answers.stop()
            if isinstance(error, Unavailable):
                private_directory.write_exit(directory, START_FAILED, error.message, error.hint)
            raise
        self._guards[directory] = guard

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        """Files that are not saved in S3 stay on this machine; the next start saves them."""
        await self._stop(self._directory(ref))

    async def _stop(self, directory: Path) -> None:
        """Asks the runner to drain, and waits until the guard releases the lock. If it does not, signals the guard."""
        guard = self._guards.pop(directory, None)
        if private_directory.is_locked(directory):
            await asyncio.to_thread(_ask, directory, "POST", "/drain")
            if not await self._is_free(directory, self._stop_seconds * 0.8):
                _signal_guard(directory)
                await self._is_free(directory, self._stop_seconds / 2)
        if guard is not None:
            await guard.discard()
        async with _deadline(self._stop_seconds, "The REPL did not stop in time."):
            while (lock := private_directory.lock(directory, make=False)) is None:
                if not private_directory.is_locked(directory):
                    return
                await asyncio.sleep(POLL_SECONDS)  # another server is stopping it too
        try:
            await asyncio.to_thread(end_marked, directory)
            if private_directory.read_exit(directory).get("cause") != UNSAVED:
                await asyncio.to_thread(private_directory.remove, directory)
        finally:
            os.close(lock)

    async def forget(self, ref: ProjectRef) -> None:
        if self._granter is not None:  # without one, the folder is the project itself, which the store deletes
            for folder in (self._folders(ref).workdir.parent, self._directory(ref)):
                await asyncio.to_thread(private_directory.remove, folder)

    async def poll(self, ref: ProjectRef) -> Phase:
        directory = self._directory(ref)
        if private_directory.is_locked(directory):
            if (directory / SOCKET_FILE).exists():
                return RUNNING
            marks = read_marks(directory)
            return Phase("starting", step=marks.progress if marks else "Starting the runner")
        record, end = private_directory.read_record(directory), private_directory.read_exit(directory)
        if end.get("cause") == START_FAILED:
            return Phase("failed", cause="start-failed", reason=str(end.get("reason")), hint=str(end.get("hint")))
        if end.get("cause") == UNSAVED:
            return Phase("stopped", cause="unsaved", reason=_UNSAVED, hint="Start it again to save the rest.")
        if end.get("cause") == SERVER_GONE or (record and not psutil.pid_exists(record.server_pid)):
            return Phase("stopped", cause="server-gone", reason="The server that ran it went away.")
        if end.get("cause") == CRASHED or record:
            return _crashed(end)
        return STOPPED

    async def list(self) -> list[ProjectRef]:
        """Only those of this server's store: other servers of the same user may use other stores."""
        return sorted(ref for directory in self._root().iterdir() if (ref := self._ref_of(directory)) is not None)

    def _ref_of(self, directory: Path) -> ProjectRef | None:
        record = private_directory.read_record(directory)
        try:
            ref = ProjectRef(record.owner, record.repl_id) if record else None
        except InvalidRequest:
            return None
        return ref if ref is not None and self._directory(ref) == directory else None

    async def address(self, ref: ProjectRef) -> Address:
        directory = self._directory(ref)
        record = private_directory.read_record(directory)
        if record is None or not private_directory.is_locked(directory):
            raise Unavailable(f"{ref} is not running.", hint="Start it.")
        return Address(f"unix:{directory / SOCKET_FILE}", record.token)

    async def _is_free(self, directory: Path, seconds: float) -> bool:
        """Waits until no process holds the directory's lock. Returns False if that takes longer than `seconds`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while private_directory.is_locked(directory):
            if loop.time() > until:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _directory(self, ref: ProjectRef) -> Path:
        return self._root() / private_directory.directory_name(self._folders(ref).workdir)

    def _root(self) -> Path:
        return private_directory.runtime_root(self._runtime_dir)


_UNSAVED = "Not everything has reached S3 yet: the rest is kept on this machine."


def _crashed(end: dict[str, Any]) -> Phase:
    if end.get("signal"):
        reason = f"The runner was killed by {_name_of(end['signal'])}."
    else:
        reason = f"The runner ended unexpectedly (code {end.get('code', 'unknown')})."
    return Phase("failed", cause="runner-gone", reason=reason, hint="Your files are kept. Start it again.")


def _name_of(number: Any) -> str:
    """Returns a signal's name, or its number for a real-time signal, which has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _answers(directory: Path) -> bool:
    """Returns True if a runner answers there and is not draining. Blocks for at most ASK_SECONDS."""
    status = _ask(directory, "GET", "/status")
    return status is not None and not status.get("draining", True)


def _ask(directory: Path, method: str, path: str) -> dict[str, Any] | None:
    """Returns the runner's answer, or None if there is no valid one."""
    record = private_directory.read_record(directory)
    if record is None:
        return None
    connection = _UnixConnection(directory / SOCKET_FILE)
    try:
        connection.request(method, path, headers={AUTH_HEADER: record.token})
        found = parse_json(connection.getresponse().read() or b"{}")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("runner", timeout=ASK_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _signal_guard(directory: Path) -> None:
    """Sends SIGTERM to a guard whose runner does not stop; the guard then stops everything. The guard is found by its
    mark, never by a pid alone."""
    record = private_directory.read_record(directory)
    for process in psutil.process_iter() if record else ():
        try:
            if "guard" in process.cmdline() and record and process.environ().get(MARK) == record.mark:
                process.terminate()
        except psutil.Error:
            continue


class _deadline:
    """asyncio.timeout, with an error for people."""

    def __init__(self, seconds: float, message: str) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._message = message

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise Unavailable(self._message, hint="Try again.") from None
