"""What every server of terminals that is measured has, and what each of them is started with."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

PROMPT = b"$ "
SHELL = ["/bin/bash", "--noprofile", "--norc"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PS1": PROMPT.decode(), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
START_SECONDS = 20.0


class Terminal(Protocol):
    """One open terminal. Blocking."""

    socket: socket.socket

    @property
    def received(self) -> int:
        """Bytes on the wire so far."""

    def type(self, data: bytes) -> None: ...
    def interrupt(self) -> None: ...
    def read(self) -> bytes:
        """Some bytes of output."""

    def acknowledge(self) -> None:
        """What was read is on the screen, for a server that wants to know: a browser says so after it has drawn it."""

    def close(self) -> None:
        """End its shell too."""


class Peer(Protocol):
    """A server of terminals. `name` with its version."""

    name: str

    @property
    def pids(self) -> list[int]:
        """All that lies between client and PTY."""

    def open(self) -> Terminal:
        """A new terminal, whatever its shell has printed so far."""

    def stop(self) -> None: ...


class OneProcess:
    """A peer that is one process of its own."""

    _process: "subprocess.Popen[bytes]"

    @property
    def pids(self) -> list[int]:
        return [self._process.pid]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


def shell(folder: Path) -> str:
    """A program without arguments, since not every server takes any."""
    script = folder / "shell"
    if not script.exists():
        # Without bracketed paste, whose marks come around every prompt.
        (folder / "inputrc").write_text("set enable-bracketed-paste off\n")
        exports = f"export PS1='{PROMPT.decode()}' INPUTRC={folder}/inputrc"
        script.write_text(f"#!/bin/sh\n{exports}\nexec {' '.join(SHELL)}\n")
        script.chmod(0o755)
    return str(script)


def tcp(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def wait_until(connect: Callable[[], None]) -> None:
    """Wait until a server listens."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
