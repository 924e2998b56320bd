"""The parent of a REPL's processes on a laptop: when runner, guard's pipe or server goes, all of them end.

It holds the lock of the REPL's private directory (an inherited descriptor) until the last of them is gone, so a process
that gets that lock knows that nothing of the REPL runs. It is in the path of every start, so it starts the runner first
and imports what it needs for the end only then: subprocess, dataclasses and pathlib alone would cost 30 ms.

Where the files live in S3 it starts `sync` before the runner, starts it again if it is killed, and ends it last:
what the runner and the programs wrote at their end is saved too.
"""

import os
import select
import signal
import sys
import time

from jupyter_repl_runner.contract.local import (
    ASKED,
    CRASHED,
    EXIT_FILE,
    FENCED_CODE,
    MARK,
    RECORD_FILE,
    SERVER_GONE,
    UNSAVED,
)

DRAIN_SECONDS = 2.0
FLUSH_SECONDS = 25.0
"""Longer than sync gives itself."""
SYNC_AGAIN_SECONDS = 0.5
ENDING: tuple[tuple[int, float], ...] = (
    (signal.SIGHUP, 0.1),
    (signal.SIGTERM, 0.4),
    (signal.SIGKILL, 3.0),
)
_PR_SET_CHILD_SUBREAPER = 36


def guard(directory: str, lock: int, control: int, ready: int, grants: int = -1) -> int:
    """Run until the REPL has ended; the exit code is 0 unless the runner crashed.

    `lock` is the locked directory's descriptor, `control` the pipe that closes when the server goes, `ready` the pipe
    on which the runner says that it listens, `grants` a socket for sync, or -1 where the files are on this disk.
    """
    for descriptor in (lock, control, ready, grants):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
    processes = _Processes(directory, control, ready, grants)
    cause, status = processes.watch()
    processes.end()
    if cause == ASKED and processes.has_unsaved:
        cause = UNSAVED
    _leave(directory, cause, status)
    return 1 if cause == CRASHED else 0


class _Processes:
    """The runner, and sync where there is one; made, they are started."""

    def __init__(self, directory: str, control: int, ready: int, grants: int) -> None:
        self._directory = directory
        self._control = control
        self._ready = ready
        self._grants = grants
        self._ended: dict[int, int] = {}
        """The wait statuses of children that were reaped."""
        # Only the guard holds the other end of its children's standard input. When that closes, they know that the
        # guard was killed, and end the REPL themselves.
        self._input, self._pipe = os.pipe()
        self._runner = self._sync = 0
        self._sync_again = 0.0
        self.has_unsaved = False
        self._opened = -1
        if grants < 0:
            self._start_runner()
        _become_subreaper()
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        if grants >= 0:
            self._start_sync()

    def _start_runner(self) -> None:
        self._runner = self._spawn("serve", ["--ready", str(self._ready)], [self._ready])
        os.close(self._ready)

    def _start_sync(self) -> None:
        """It says on a pipe when the main file is there, which is when the runner starts."""
        self._opened, opened = os.pipe()
        arguments = ["--grants", str(self._grants), "--ready", str(opened)]
        try:
            self._sync = self._spawn("sync", arguments, [self._grants, opened])
        except OSError:
            os.close(self._opened)
            self._opened = -1
            raise
        finally:
            os.close(opened)

    def _spawn(self, verb: str, arguments: list[str], descriptors: list[int]) -> int:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, True)
        command = [sys.executable, "-P", "-m", "jupyter_repl_runner", verb, "--directory", self._directory]
        pid = os.posix_spawn(
            sys.executable,
            [*command, "--guarded", *arguments],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, self._input, 0)],
            setsid=True,
        )
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._ended.pop(pid, None)  # of a child before it
        return pid

    def watch(self) -> tuple[str, int]:
        """Wait for the first of: the runner's end, the server's end, a signal. `(cause, runner's status)`."""
        while True:
            poll = select.poll()
            for descriptor in (self._wake, self._control, self._opened):
                if descriptor >= 0:
                    poll.register(descriptor, select.POLLIN)
            ready = dict(poll.poll(self._timeout()))
            if self._opened in ready:
                self._hear()
            if self._wake in ready:
                numbers = os.read(self._wake, 64)
                self._reap()
                if self._runner in self._ended:
                    status = self._ended[self._runner]
                    return (ASKED if status == 0 else CRASHED), status
                if any(number != signal.SIGCHLD for number in numbers):
                    return ASKED, 0
            if self._control in ready:
                return SERVER_GONE, 0
            if self._sync in self._ended and not self._runner:
                return CRASHED, self._ended[self._sync]
            self._start_sync_again()

    def _timeout(self) -> float | None:
        """Milliseconds until sync may be started again, if it must be."""
        return max(0.0, self._sync_again - time.monotonic()) * 1000 if self._sync_again else None

    def _hear(self) -> None:
        said = os.read(self._opened, 16)
        os.close(self._opened)
        self._opened = -1
        if said and not self._runner:
            self._start_runner()

    def _start_sync_again(self) -> None:
        """A sync that was killed goes on where it was; one that was fenced off is not wanted any more."""
        if self._sync not in self._ended:
            return
        status = self._ended[self._sync]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == FENCED_CODE:
            self._sync = 0
        elif not self._sync_again:
            self._sync_again = time.monotonic() + SYNC_AGAIN_SECONDS
        elif time.monotonic() >= self._sync_again:
            self._sync_again = 0.0
            try:
                self._start_sync()
            except OSError:  # no process or no memory just now: programs have used them up
                self._sync_again = time.monotonic() + SYNC_AGAIN_SECONDS

    def end(self) -> None:
        """End the runner gently (it saves), then whatever the REPL started, wherever it hides, then sync."""
        from jupyter_repl_runner import processes

        os.close(self._pipe)
        if self._runner and self._runner not in self._ended:
            self._finish(self._runner, DRAIN_SECONDS)
        mark = (MARK, os.environ.get(MARK, ""))
        if mark[1]:
            processes.end(os.getpid(), mark, ENDING, spare=self._sync)
        if self._sync:
            if self._sync not in self._ended:
                self._finish(self._sync, FLUSH_SECONDS)
            self.has_unsaved = self._ended.get(self._sync) != 0
            processes.end(os.getpid(), mark, ENDING)
        self._reap()

    def _finish(self, pid: int, seconds: float) -> None:
        """SIGTERM, and wait."""
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        until = time.monotonic() + seconds
        while time.monotonic() < until and pid not in self._ended and _exists(pid):
            time.sleep(0.02)
            self._reap()

    def _reap(self) -> None:
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if ended == 0:
                return
            self._ended[ended] = status


def _leave(directory: str, cause: str, status: int) -> None:
    """Say why it ended, then let go of the lock by exiting. A REPL that was asked to end leaves nothing."""
    import json
    from pathlib import Path

    folder = Path(directory)
    if cause == ASKED:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
        return
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -number
    temporary = folder / (EXIT_FILE + ".new")
    temporary.write_text(json.dumps({"cause": cause, "code": code, "signal": number}))
    os.replace(temporary, folder / EXIT_FILE)
    (folder / RECORD_FILE).unlink(missing_ok=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _become_subreaper() -> None:
    """Orphans of the REPL become our children (Linux), so that descent finds them; elsewhere the mark must do."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
