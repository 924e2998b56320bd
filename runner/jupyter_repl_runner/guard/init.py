"""The first process of a runner's container: passes signals on, and reaps the orphans of the person's programs.

Without it, every daemon that a program starts would stay as a zombie when it ends. If the runner were process 1 and
reaped them, it would also take the exit codes for which its own code waits.

The image starts us with SIGTERM blocked, so that none is lost before there are handlers. The person's programs must not
inherit that.
"""

import os
import signal
from collections.abc import Callable


def with_init(work: Callable[[], int]) -> int:
    """Run `work` in a child, and return its exit code. If we are not process 1, an init is there: call `work` here."""
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
    """Unblock SIGTERM. One that came while it was blocked is delivered now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
