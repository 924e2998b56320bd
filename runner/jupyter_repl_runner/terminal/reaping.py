"""The end of a terminal's first program."""

import asyncio
import os
import signal
import time

from .output import Exit
from .pty import Pty

REAP_SECONDS = 2.0


async def reap(pty: Pty) -> int:
    """Return the program's status, as `os.waitpid` gives it. If it only closed its terminal: hang up, then kill it."""
    until = time.monotonic() + REAP_SECONDS
    status = pty.poll()
    delay = 0.001
    while status is None and time.monotonic() < until:
        await asyncio.sleep(delay)
        delay = min(delay * 2, 0.05)
        if delay >= 0.016:
            pty.hang_up()
        status = pty.poll()
    pty.hang_up()
    while status is None:
        os.kill(pty.pid, signal.SIGKILL)
        await asyncio.sleep(0.02)
        status = pty.poll()
    return status


def describe(status: int, duration: float) -> Exit:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        known = {known.value: known.name for known in signal.Signals}
        return Exit(None, known.get(number, f"signal {number}"), duration)
    return Exit(os.WEXITSTATUS(status), None, duration)
