"""The first process of a runner's container: passes signals on, and reaps what the person's programs leave behind.

Without one every daemon of theirs would stay as a zombie, and the runner, as process 1, would take the exit codes that
it waits for itself.

The image starts us with SIGTERM blocked, so that none is lost before there are handlers. No program of the person's may
inherit that.
"""

import os
import signal
from collections.abc import Callable


def with_init(work: Callable[[], int]) -> int:
    """Run `work` in a child, and return its exit code. Elsewhere than in process 1 there is an init already."""
    if os.getpid() != 1:
        unblock_end()
        return work()
    child = os.fork()
    if child == 0:
        unblock_end()
        return work()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    unblock_end()
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def unblock_end() -> None:
    """Take SIGTERM from now on, and the one that waits."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
