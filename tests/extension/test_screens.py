"""Programs that draw the whole screen look as they do in a terminal of their own, after each key."""

import errno
import fcntl
import os
import pty
import select
import shutil
import struct
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from support.channel import Client
from support.lab import Lab
from support.screen import COLUMNS, ROWS, Screen

STEADY = 0.3
"""Seconds without a change, after which a screen is done."""


class Terminal(Protocol):
    def type(self, data: bytes) -> None: ...
    def read(self, seconds: float) -> bytes: ...


class Own:
    """A PTY of this process's."""

    def __init__(self, folder: Path) -> None:
        pid, self._fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            environment = {"PATH": os.environ["PATH"], "PS1": "$ ", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
            os.execve("/bin/bash", ["bash", "--noprofile", "--norc"], {**environment, "HOME": str(folder)})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def type(self, data: bytes) -> None:
        os.write(self._fd, data)

    def read(self, seconds: float) -> bytes:
        if not select.select([self._fd], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._fd, 1 << 16)
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise

    def close(self) -> None:
        os.close(self._fd)


class Ours:
    """A terminal of the channel."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._number = client.terminal(rows=ROWS, cols=COLUMNS)
        self._seen = 0

    def type(self, data: bytes) -> None:
        self._client.type(self._number, data)

    def read(self, seconds: float) -> bytes:
        self._client.pump(seconds)
        output = self._client.output[self._number]
        fresh, self._seen = bytes(output[self._seen :]), len(output)
        return fresh


@dataclass(frozen=True)
class Program:
    """`steps`: what is typed, and what must be on the screen then. `common`: the rows that can be compared."""

    command: str
    steps: tuple[tuple[bytes, str], ...]
    common: Callable[[Screen], object] = lambda screen: screen.looks


PROGRAMS = {
    "vim": Program(
        "vim -u NONE -i NONE -n -c 'syntax on' code.py",
        (
            (b"", "def hello"),
            (b"Gonumber = 40 + 2\x1b", "number = 40 + 2"),
            (b":split\r", "[+]"),
            (b"/hello\r", "hello"),
            (b":set mouse=a ttymouse=sgr\r", "hello"),
            (b"\x1b[<0;7;3M\x1b[<0;7;3m", "hello"),  # a click: the cursor goes there
            (b":qa!\r", "$"),
        ),
    ),
    "seq": Program(  # every colour, and text in all of its styles
        "for i in $(seq 0 255); do printf '\\033[48;5;%dm%d ' $i $i; done; printf '\\033[0;1;3;4;7mstyled\\033[0m\\n'",
        ((b"", "styled"),),
    ),
    "less": Program("less -S lines.txt", ((b"", "line 0001"), (b" ", "line 0030"), (b"/0777\r", "0777"), (b"q", "$"))),
    "tmux": Program(
        "tmux -L {socket} -f /dev/null start ';' set -g default-command \"PS1='$ ' sh\" ';' new",
        (
            (b"", "[0]"),
            (b"\x02%", "│"),
            (b"echo $((6*7))-in-the-pane\r", "42-in-the-pane"),
            (b"\x02&", "kill-window"),
            (b"y", "[exited]"),
        ),
        lambda screen: screen.lines[: ROWS - 1],
    ),
    "htop": Program("htop", ((b"", "PID"), (b"q", "$")), lambda screen: "PID" in "".join(screen.lines)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_looks_as_in_a_terminal_of_its_own(repl: Lab, client: Client, name: str, tmp_path: Path) -> None:
    if shutil.which(name) is None:
        message = f"{name} IS NOT DRIVEN: it is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    program = PROGRAMS[name]
    for folder in (tmp_path, repl.project("abc")):
        (folder / "code.py").write_text('import os\n\n\ndef hello() -> None:\n    print("hello", 42)  # ü€😀\n')
        (folder / "lines.txt").write_text("".join(f"line {number:04}\n" for number in range(1, 2000)))
    own = Own(tmp_path)
    try:
        seen = [play(own, program, f"own-{os.getpid()}"), play(Ours(client), program, f"ours-{os.getpid()}")]
    finally:
        own.close()
    for step, pair in enumerate(zip(*seen, strict=True)):
        assert pair[0] == pair[1], f"after step {step}"


def play(terminal: Terminal, program: Program, socket: str) -> list[object]:
    """What can be compared of the screen, after each step."""
    screen = Screen()
    wait(terminal, screen, "$")
    terminal.type(f"PS1='$ '; clear; {program.command.format(socket=socket)}\r".encode())
    found = []
    for keys, wanted in program.steps:
        terminal.type(keys)
        wait(terminal, screen, wanted)
        found.append(program.common(screen))
    return found


def wait(terminal: Terminal, screen: Screen, wanted: str) -> None:
    """Until the screen holds `wanted` and does not change any more."""
    until, steady = time.monotonic() + 10, time.monotonic() + STEADY
    while time.monotonic() < steady or not any(wanted in line for line in screen.lines):
        assert time.monotonic() < until, "\n".join(screen.lines)
        data = terminal.read(0.05)
        if data:
            screen.feed(data)
            steady = time.monotonic() + STEADY
