"""A program on a PTY of its own: clean signals, its environment, its size, and where it is."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab import wait_for

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.terminal.environment import terminal_environment
from jupyter_repl_runner.terminal.pty import Pty

SIZE = (24, 80)
BASH = ["/bin/bash", "--noprofile", "--norc"]


class Opened:
    """PTYs that are closed, and whose programs are ended, with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[Pty] = []

    def __call__(self, *argv: str) -> Pty:
        environment = terminal_environment({"PATH": os.environ["PATH"], "PS1": "$ "}, "mark", {"OWN": "1"})
        pty = Pty(argv or BASH, environment, str(self._folder), SIZE)
        self._open.append(pty)
        return pty

    def close(self) -> None:
        for pty in self._open:
            pty.hang_up()
            if pty.poll() is None:
                os.kill(pty.pid, signal.SIGKILL)
                wait_for(lambda pty=pty: pty.poll() is not None)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tmp_path)
    yield opened
    opened.close()


def read_until(pty: Pty, wanted: bytes) -> bytes:
    seen = bytearray()

    def is_there() -> bool:
        while data := pty.read():
            seen.extend(data)
        return wanted in seen

    wait_for(is_there)
    return bytes(seen)


def test_no_signal_is_ignored_or_blocked_whatever_the_server_inherited(opened: Opened) -> None:
    ignored = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE, signal.SIGHUP, signal.SIGUSR2)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGWINCH])
    try:
        pty = opened("/bin/cat", "/proc/self/status")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    status = dict(
        line.split(b":\t") for line in read_until(pty, b"SigCgt").replace(b"\r", b"").splitlines() if b":\t" in line
    )
    of_the_c_library = 1 << 31 | 1 << 32  # signals 32 and 33: posix_spawn ignores them, no program may set them
    assert (int(status[b"SigBlk"], 16), int(status[b"SigIgn"], 16) & ~of_the_c_library) == (0, 0)


def test_the_environment(opened: Opened) -> None:
    pty = opened()
    pty.write(b'echo "[$TERM $COLORTERM $LANG $OWN]"; locale charmap\r')
    seen = read_until(pty, b"UTF-8\r\n")
    assert b"[xterm-256color truecolor C.UTF-8 1]" in seen


def test_one_sigwinch_for_each_change_of_size(opened: Opened) -> None:
    script = "import signal, sys, time\nsignal.signal(signal.SIGWINCH, lambda *_: print('changed', flush=True))\n"
    pty = opened(sys.executable, "-c", script + "print('ready', flush=True)\nwhile True: time.sleep(9)")
    read_until(pty, b"ready")
    for size in ((30, 100), (30, 100), (24, 80), (24, 80)):
        pty.resize(*size)
        time.sleep(0.2)
    pty.write(b"end\r")
    assert read_until(pty, b"end").count(b"changed") == 2


def test_where_its_program_is_and_whether_one_runs(opened: Opened, tmp_path: Path) -> None:
    inside = tmp_path / "one" / "two"
    inside.mkdir(parents=True)
    pty = opened()
    read_until(pty, b"$ ")
    assert not pty.has_foreground_program()
    pty.write(b"cd one\r")
    wait_for(lambda: pty.folder() == str(tmp_path / "one"))
    pty.write(b"(cd two && sleep 60)\r")
    wait_for(lambda: pty.folder() == str(inside))
    assert pty.has_foreground_program()
    pty.interrupt()
    wait_for(lambda: not pty.has_foreground_program())


def test_what_cannot_be_started_is_said(opened: Opened) -> None:
    with pytest.raises(Unavailable, match="missing-program"):
        opened("/nowhere/missing-program")
