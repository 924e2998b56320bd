"""Starts a guard in a locked private directory and waits until its runner listens."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.local import EXIT_FILE, LOG_FILE, MARK, RECORD_FILE, SOCKET_FILE
from jupyter_repl_runner.contract.marks import MARKS_FILE, Marks
from jupyter_repl_spawner.port import Folders, Progress

from .grant_server import GrantServer
from .private_directory import RunnerRecord, write_record

END_SECONDS = 8.0
FLUSH_SECONDS = 30.0
"""Added to END_SECONDS for a guard whose sync still saves."""
LOOK_SECONDS = 0.2
_LOG_TAIL = 2000


@dataclass
class Guard:
    """A guard that this server has started. Closing `control` stops the REPL; it also closes if this server dies."""

    process: "subprocess.Popen[bytes]"
    control: int
    answers: GrantServer | None = None

    async def discard(self) -> None:
        """Closes `control`, and waits until the guard has stopped everything and has exited. Idempotent."""
        await asyncio.to_thread(self._discard)
        if self.answers is not None:
            await self.answers.stop()

    def _discard(self) -> None:
        if self.control >= 0:
            os.close(self.control)
            self.control = -1
        try:
            self.process.wait(END_SECONDS + (FLUSH_SECONDS if self.answers else 0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


async def launch(
    directory: Path,
    lock: int,
    assignment: Assignment,
    folders: Folders,
    environment: Mapping[str, str],
    seconds: float,
    progress: Progress,
    answers: GrantServer | None = None,
) -> Guard:
    """Starts a guard and returns it when its runner listens. The guard inherits `lock`, the lock of the directory.
    `answers` serves sync if the files come from a store. The start fails after `seconds` without any progress.

    Raises Unavailable with the log's last line. Then, or if it is cancelled, the guard stops everything and exits.
    """
    mark = f"{directory}:{secrets.token_hex(8)}"
    for name in (EXIT_FILE, SOCKET_FILE, MARKS_FILE):
        (directory / name).unlink(missing_ok=True)
    write_record(directory, _new_record(assignment, folders, mark))
    control_read, control_write = os.pipe()
    ready_read, ready_write = os.pipe()
    try:
        descriptors = [lock, control_read, ready_write, *([answers.theirs.fileno()] if answers else [])]
        process = _spawn(directory, descriptors, {**environment, MARK: mark})
        guard = Guard(process, control_write, answers)
    except OSError as error:
        os.close(control_write)
        os.close(ready_read)
        raise Unavailable(f"The runner could not be started: {error.strerror}.", hint="Is the disk full?") from error
    finally:
        os.close(control_read)
        os.close(ready_write)
        if answers is not None:
            answers.started()
    try:
        await _wait_ready(ready_read, directory, seconds, progress)
    except BaseException:
        await asyncio.shield(_undo(guard, directory))
        raise
    return guard


def _new_record(assignment: Assignment, folders: Folders, mark: str) -> RunnerRecord:
    return RunnerRecord(
        owner=assignment.ref.owner,
        repl_id=assignment.ref.repl_id,
        token=secrets.token_urlsafe(32),
        mark=mark,
        server_pid=os.getpid(),
        workdir=str(folders.workdir),
        trash=str(folders.trash),
        assignment=assignment.to_json(),
    )


async def _undo(guard: Guard, directory: Path) -> None:
    await guard.discard()
    for name in (RECORD_FILE, EXIT_FILE):
        (directory / name).unlink(missing_ok=True)


def _spawn(directory: Path, descriptors: list[int], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    names = ("--lock", "--control", "--ready", "--grants")
    arguments = ["--directory", str(directory)]
    for name, descriptor in zip(names, descriptors, strict=False):
        arguments += [name, str(descriptor)]
    with open(directory / LOG_FILE, "wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "jupyter_repl_runner", "guard", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=directory,
            pass_fds=descriptors,
            start_new_session=True,
        )


async def _wait_ready(descriptor: int, directory: Path, seconds: float, progress: Progress) -> None:
    """Waits for the word `ready` on the pipe. Raises Unavailable if the pipe closes without it, or
    after `seconds` without progress."""
    loop = asyncio.get_running_loop()
    word: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        loop.remove_reader(descriptor)
        if not word.done():
            word.set_result(os.read(descriptor, 64))

    loop.add_reader(descriptor, read)
    try:
        until, before = loop.time() + seconds, None
        while not (await asyncio.wait({word}, timeout=LOOK_SECONDS))[0]:
            marks = read_marks(directory)
            if marks is not None and marks.progress != before:
                until, before = loop.time() + seconds, marks.progress
                progress(marks.progress)
            if loop.time() > until:
                raise _late(marks, seconds)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    if word.result() != b"ready\n":
        marks = read_marks(directory)
        if marks is not None and marks.reason:
            raise _late(marks, seconds)
        raise Unavailable("The runner ended while it started.", hint=_log_tail(directory))


def read_marks(directory: Path) -> Marks | None:
    """Returns what sync says about its work, or None if there is no valid file of marks."""
    try:
        return Marks.load((directory / MARKS_FILE).read_text())
    except (OSError, ValueError, TypeError):
        return None


def _late(marks: Marks | None, seconds: float) -> Unavailable:
    if marks is None:
        return Unavailable(f"The runner did not listen within {seconds:.0f} s.", hint="Try again.")
    return Unavailable(f"The files could not be restored: {marks.reason or 'there was no progress.'}", hint=marks.hint)


def _log_tail(directory: Path) -> str:
    """Returns the last line of the log of guard and runner, which usually says what went wrong."""
    try:
        text = (directory / LOG_FILE).read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace")
    except OSError:
        return "Its log can't be read."
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "It wrote no log."
