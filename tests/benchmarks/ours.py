"""Our own terminals, with and without Jupyter's server before them."""

import json
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from support.lab import TOKEN, Lab
from support.processes import pids
from support.wire import BINARY, TEXT, Wire

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.frames import ACK, HEADER, INPUT, INTERRUPT, OUTPUT
from jupyter_repl_runner.contract.local import RECORD_FILE, SOCKET_FILE
from jupyter_repl_runner.contract.messages import AUTH_HEADER, SUBPROTOCOL
from jupyter_repl_runner.contract.refs import ProjectRef

from .peer import ENVIRONMENT, PROMPT, OneProcess, shell, tcp, wait_until

ACK_BYTES, ACK_SECONDS = 32 << 10, 0.02
"""As in labextension/src/model/terminal.ts."""


class ReplTerminal:
    """A client of the channel with one terminal."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.socket = wire.socket
        self._typed = 0
        self._acknowledged_at = 0.0
        reply = self._ask("requestTerminal", rows=24, cols=80)
        self._number, self._next = reply["terminal"], reply["offset"]
        self._acknowledged = self._next

    @property
    def received(self) -> int:
        return self._wire.received

    def type(self, data: bytes) -> None:
        self._wire.send(HEADER.pack(INPUT, self._number, self._typed) + data)
        self._typed += len(data)

    def interrupt(self) -> None:
        self._wire.send(HEADER.pack(INTERRUPT, self._number, self._typed))

    def read(self) -> bytes:
        while True:
            kind, data = self._wire.receive()
            if kind == BINARY and data[0] == OUTPUT:
                _, _, offset = HEADER.unpack_from(data)
                payload = data[HEADER.size :]
                if offset != self._next:
                    raise ValueError(f"output at {offset}, expected {self._next}")
                self._next += len(payload)
                return payload

    def acknowledge(self) -> None:
        """As the browser's part does it: for every so many bytes, or after a moment."""
        now = time.monotonic()
        if self._next - self._acknowledged >= ACK_BYTES or now - self._acknowledged_at >= ACK_SECONDS:
            self._acknowledged, self._acknowledged_at = self._next, now
            self._wire.send(HEADER.pack(ACK, self._number, self._next))

    def close(self) -> None:
        self._ask("closeTerminal", terminal=self._number)
        self._wire.close()

    def _ask(self, event: str, **data: int) -> dict[str, int]:
        """The reply. A connection that is closed before it came may take the request with it."""
        self._wire.send(json.dumps({"event": event, "data": data, "id": 1}).encode(), TEXT)
        while True:
            kind, payload = self._wire.receive()
            if kind == TEXT and (message := json.loads(payload)).get("id") == 1:
                return dict(message["data"])


class Runner(OneProcess):
    """`jupyter-repl-runner serve`, without the extension before it; as `pip install jupyter-repl-ext[fast]` has it."""

    loop = "uvloop"

    def __init__(self, folder: Path) -> None:
        self.name = f"Jupyter REPL, directly to the runner, {self.loop}"
        self._folder = folder / f"runner-{self.loop}"
        self._token = secrets.token_hex(16)
        for name in ("", "work", "trash"):
            (self._folder / name).mkdir()
        record = {
            "token": self._token,
            "workdir": str(self._folder / "work"),
            "trash": str(self._folder / "trash"),
            "assignment": Assignment(ProjectRef("", "bench")).to_json(),
        }
        (self._folder / RECORD_FILE).write_text(json.dumps(record))
        arguments = [sys.executable, "-m", "jupyter_repl_runner", "serve", "--directory", str(self._folder)]
        self._process = subprocess.Popen(
            arguments, env={**ENVIRONMENT, "SHELL": shell(folder), "JUPYTER_REPL_LOOP": self.loop}
        )
        wait_until(lambda: self._connect().close())

    def open(self) -> ReplTerminal:
        return ReplTerminal(Wire(self._connect(), "/channel", SUBPROTOCOL, {AUTH_HEADER: self._token}))

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        try:
            connection.connect(str(self._folder / SOCKET_FILE))
        except OSError:
            connection.close()
            raise
        return connection


class PlainRunner(Runner):
    """As `pip install` without extras has it."""

    loop = "asyncio"


class Relayed:
    """The same through Jupyter's server, as a browser has it."""

    def __init__(self, folder: Path) -> None:
        self.name = "Jupyter REPL, through the extension"
        self._lab = Lab(folder / "relayed", PS1=PROMPT.decode(), SHELL=shell(folder)).start()
        self._lab.make("bench")
        self.pids = [self._lab.pid, *pids("serve", self._lab, "bench")]

    def open(self) -> ReplTerminal:
        path = "/repl/project/bench/channel"
        return ReplTerminal(Wire(tcp(self._lab.port), path, SUBPROTOCOL, {"Authorization": f"token {TOKEN}"}))

    def stop(self) -> None:
        self._lab.stop()
