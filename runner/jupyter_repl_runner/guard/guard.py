"""The parent of a REPL's processes on a laptop: it ends all of them when the runner or the server ends, or on a signal.
If the guard itself is killed, the runner and sync notice the end of their pipe, and end the REPL.

It holds the lock of the REPL's private directory (an inherited descriptor) until the last of them is gone. So a process
that gets that lock knows that nothing of the REPL runs. Every start waits for the guard, which therefore starts the
runner first, and only then imports what it needs for the end: subprocess, dataclasses and pathlib alone would cost
30 ms.

If the files live in S3, it starts `sync` before the runner, starts it again if it is killed, and ends it last. So sync
also saves what the runner and the programs write while they end.
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
"""How long sync may take to end: longer than the time that sync allows itself."""
SYNC_AGAIN_SECONDS = 0.5
ENDING: tuple[tuple[int, float], ...] = (
    (signal.SIGHUP, 0.1),
    (signal.SIGTERM, 0.4),
    (signal.SIGKILL, 3.0),
)
_PR_SET_CHILD_SUBREAPER = 36


def guard(directory: str, lock: int, control: int, ready: int, grants: int = -1) -> int:
    """Run until the REPL has ended; the exit code is 0 unless the runner crashed.

    `lock` is the locked directory's descriptor. `control` is a pipe that closes when the server ends. `ready` is a pipe
    to which the runner writes when it listens. `grants` is a socket for sync, or -1 if the files are on this disk.
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
    """The runner, and sync if there is one. The constructor starts sync, or the runner if there is no sync."""

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
        """Start sync. It writes to a pipe when the main file is there; then the runner is started."""
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
        self._ended.pop(pid, None)  # of an earlier child with this pid
        return pid

    def watch(self) -> tuple[str, int]:
        """Wait until the runner ends, the server ends, or a signal comes. Returns `(cause, runner's status)`."""
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
        """Returns the milliseconds until sync is to be started again; None if it is not."""
        return max(0.0, self._sync_again - time.monotonic()) * 1000 if self._sync_again else None

    def _hear(self) -> None:
        said = os.read(self._opened, 16)
        os.close(self._opened)
        self._opened = -1
        if said and not self._runner:
            self._start_runner()

    def _start_sync_again(self) -> None:
        """Start sync again if it was killed; it goes on where it was. A sync that was fenced off stays ended."""
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
            except OSError:  # no process or no memory is left just now: programs have used them up
                self._sync_again = time.monotonic() + SYNC_AGAIN_SECONDS

    def end(self) -> None:
        """End the runner gently (it saves), then all processes that the REPL started, also detached ones, then sync."""
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
        """Send SIGTERM, and wait at most `seconds` for the end."""
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
    """Record why the REPL ended. The exit that follows releases the lock. A stop on request leaves no files."""
    import json
    from pathlib import Path

    folder = Path(directory)
    if cause == ASKED:
        from jupyter_repl_runner.files.removal import remove_tree

        remove_tree(folder)
        return
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -number
    temporary = folder / (EXIT_FILE + ".new")
    if (folder / RECORD_FILE).exists():  # no longer needed: its blocks are reused, as the disk may be full
        os.replace(folder / RECORD_FILE, temporary)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(json.dumps({"cause": cause, "code": code, "signal": number}))
        file.truncate()
    os.replace(temporary, folder / EXIT_FILE)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _become_subreaper() -> None:
    """Orphans of the REPL become our children (Linux), so that a search by descent finds them. Elsewhere only
    the mark finds them."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
