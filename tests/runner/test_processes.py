"""Who is ended leaves nobody behind, though children put off what they could be known by."""

import signal
import subprocess

import psutil
from support.lab import wait_for

from jupyter_repl_runner import processes

MARK = ("NOBODY_HAS", "this")
SECONDS = "43217.5"
FORKS = f"while :; do env -i setsid sleep {SECONDS} & sleep 0.002; done"


def left() -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if SECONDS in (process.info["cmdline"] or [])]


def test_what_is_forked_in_the_last_moment_is_ended_too() -> None:
    """A child that is forked between the look and the end of its parent has no parent any more."""
    for _ in range(5):
        parent = subprocess.Popen(["sh", "-c", FORKS])
        wait_for(left)
        assert processes.end(None, MARK, [(signal.SIGKILL, 20)], known=[psutil.Process(parent.pid)])
        parent.wait(5)
        survivors = left()
        for process in survivors:
            process.kill()
        assert not survivors
