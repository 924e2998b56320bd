"""The parent of one runner on a laptop: when runner, guard's pipe or server goes, all of the REPL's processes end.

It holds the lock of the REPL's private directory (an inherited descriptor) until the last of them is gone, so whoever
gets that lock knows that nothing of the REPL runs. It is in the path of every start, so it starts the runner first and
imports what it needs for the end when that has come: subprocess, dataclasses and pathlib alone would cost 30 ms.
"""

import os
import select
import signal
import sys
import time

from jupyter_repl_runner.contract.local import ASKED, CRASHED, EXIT_FILE, MARK, RECORD_FILE, SERVER_GONE

DRAIN_SECONDS = 2.0
ENDING: tuple[tuple[int, float], ...] = (
    (signal.SIGHUP, 0.1),
    (signal.SIGTERM, 0.4),
    (signal.SIGKILL, 3.0),
)
_PR_SET_CHILD_SUBREAPER = 36


def guard(directory: str, lock: int, control: int, ready: int) -> int:
    """Run until the REPL has ended; the exit code is 0 unless the runner crashed.

    `lock` is the locked directory's descriptor, `control` the pipe that closes when the server goes, `ready` the pipe
    on which the runner says that it listens.
    """
    for descriptor in (lock, control):
        os.set_inheritable(descriptor, False)
    runner, pipe = _start_runner(directory, ready)
    _become_subreaper()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    cause, status = _watch(control, runner, wake_read)
    os.close(pipe)
    _end_all(runner)
    _leave(directory, cause, status)
    return 1 if cause == CRASHED else 0


def _start_runner(directory: str, ready: int) -> tuple[int, int]:
    """The runner's pid, and our end of the pipe that is its standard input.

    Only the guard holds it: its end tells the runner that the guard was killed, and the runner then ends the REPL's
    processes itself.
    """
    read, write = os.pipe()
    os.set_inheritable(ready, True)
    verb = ["serve", "--directory", directory, "--ready", str(ready), "--guarded"]
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-m", "jupyter_repl_runner", *verb],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, read, 0)],
        setsid=True,
    )
    os.close(read)
    os.close(ready)
    return pid, write


def _watch(control: int, runner: int, wake: int) -> tuple[str, int]:
    """Wait for the first of: the runner's end, the server's end, a signal. `(cause, runner's status)`."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(control, select.POLLIN)
    while True:
        ready = dict(poll.poll())
        if wake in ready:
            numbers = os.read(wake, 64)
            status = reap(runner)
            if status is not None:
                return (ASKED if status == 0 else CRASHED), status
            if any(number != signal.SIGCHLD for number in numbers):
                return ASKED, 0
        if control in ready:
            return SERVER_GONE, 0


def _end_all(runner: int) -> None:
    """End the runner gently (it saves), then whatever the REPL started, wherever it hides."""
    from jupyter_repl_runner import processes

    if reap(runner) is None:
        try:
            os.kill(runner, signal.SIGTERM)
        except ProcessLookupError:
            pass
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until and reap(runner) is None and _exists(runner):
            time.sleep(0.02)
    mark = (MARK, os.environ.get(MARK, ""))
    if mark[1]:
        processes.end(os.getpid(), mark, ENDING)
    reap(runner)


def _leave(directory: str, cause: str, status: int) -> None:
    """Say why it ended, then let go of the lock by exiting. A REPL that was asked to end leaves nothing."""
    import json
    from pathlib import Path

    folder = Path(directory)
    if cause == ASKED:
        for entry in folder.iterdir():
            entry.unlink(missing_ok=True)
        folder.rmdir()
        return
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -number
    temporary = folder / (EXIT_FILE + ".new")
    temporary.write_text(json.dumps({"cause": cause, "code": code, "signal": number}))
    os.replace(temporary, folder / EXIT_FILE)
    (folder / RECORD_FILE).unlink(missing_ok=True)


def reap(pid: int) -> int | None:
    """Reap every ended child; the wait status of `pid` if it is among them (0 if it is nobody's child any more)."""
    found = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == pid:
            found = status


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
