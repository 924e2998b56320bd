"""Servers of terminals, each with the client that its own browser part would be, on this machine.

Every one of them starts the same shell; what differs is what lies between it and the client.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psutil
from support import binaries
from support.lab import TOKEN, Lab, free_port
from support.processes import pids
from support.wire import BINARY, TEXT, Wire

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.frames import ACK, HEADER, INPUT, INTERRUPT, OUTPUT
from jupyter_repl_runner.contract.local import RECORD_FILE, SOCKET_FILE
from jupyter_repl_runner.contract.messages import AUTH_HEADER, SUBPROTOCOL
from jupyter_repl_runner.contract.refs import ProjectRef

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


# -- ours


class ReplTerminal:
    """A client of the channel with one terminal."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.socket = wire.socket
        self._typed = 0
        reply = self._ask("requestTerminal", rows=24, cols=80)
        self._number, self._next = reply["terminal"], reply["offset"]

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


class Runner:
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
            arguments, env={**ENVIRONMENT, "SHELL": _shell(folder), "JUPYTER_REPL_LOOP": self.loop}
        )
        self.pids = [self._process.pid]
        _until(lambda: self._connect().close())

    def open(self) -> ReplTerminal:
        return ReplTerminal(Wire(self._connect(), "/channel", SUBPROTOCOL, {AUTH_HEADER: self._token}))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

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
        self._lab = Lab(folder / "relayed", PS1=PROMPT.decode(), SHELL=_shell(folder)).start()
        self._lab.make("bench")
        self.pids = [self._lab.pid, *pids("serve", self._lab, "bench")]

    def open(self) -> ReplTerminal:
        path = "/repl/project/bench/channel"
        return ReplTerminal(Wire(_tcp(self._lab.port), path, SUBPROTOCOL, {"Authorization": f"token {TOKEN}"}))

    def stop(self) -> None:
        self._lab.stop()


# -- terminado, alone and in Jupyter's server


class TerminadoTerminal:
    """terminado's client: JSON, without any flow control."""

    def __init__(self, wire: Wire, end: Callable[[], object] = lambda: None) -> None:
        self._wire = wire
        self._end = end
        self.socket = wire.socket
        wire.send(b'["set_size", 24, 80, 1, 1]', TEXT)

    @property
    def received(self) -> int:
        return self._wire.received

    def type(self, data: bytes) -> None:
        self._wire.send(json.dumps(["stdin", data.decode()]).encode(), TEXT)

    def interrupt(self) -> None:
        self.type(b"\x03")

    def read(self) -> bytes:
        while True:
            kind, *rest = json.loads(self._wire.receive()[1])
            if kind == "stdout":
                return str(rest[0]).encode()

    def acknowledge(self) -> None:
        pass

    def close(self) -> None:
        self._end()
        self._wire.close()


_TERMINADO = """
import sys, tornado.ioloop, tornado.web, terminado
terminals = terminado.UniqueTermManager(shell_command=[sys.argv[2]], max_terminals=100)
application = tornado.web.Application([(r"/terminal", terminado.TermSocket, {"term_manager": terminals})])
application.listen(int(sys.argv[1]), "127.0.0.1")
tornado.ioloop.IOLoop.current().start()
"""


class Terminado:
    def __init__(self, folder: Path) -> None:
        self.name = f"terminado {version('terminado')}"
        self._port = free_port()
        arguments = [sys.executable, "-c", _TERMINADO, str(self._port), _shell(folder)]
        self._process = subprocess.Popen(arguments, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        self.pids = [self._process.pid]
        _until(lambda: _tcp(self._port).close())

    def open(self) -> TerminadoTerminal:
        return TerminadoTerminal(Wire(_tcp(self._port), "/terminal", headers=_origin(self._port)))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


class JupyterTerminals:
    def __init__(self, folder: Path) -> None:
        self.name = f"jupyter_server_terminals {version('jupyter_server_terminals')}"
        self._lab = Lab(folder / "terminals", PS1=PROMPT.decode(), SHELL=_shell(folder)).start()
        self.pids = [self._lab.pid]

    def open(self) -> TerminadoTerminal:
        name = json.loads(self._call("POST", ""))["name"]
        path = f"/terminals/websocket/{name}"
        wire = Wire(_tcp(self._lab.port), path, headers={"Authorization": f"token {TOKEN}"})
        return TerminadoTerminal(wire, lambda: self._call("DELETE", name))

    def _call(self, method: str, name: str) -> bytes:
        request = urllib.request.Request(f"{self._lab.url}/api/terminals/{name}".rstrip("/"), method=method)
        request.add_header("Authorization", f"token {TOKEN}")
        with urllib.request.urlopen(request, timeout=20) as response:
            return bytes(response.read())

    def stop(self) -> None:
        self._lab.stop()


# -- ttyd


class TtydTerminal:
    """ttyd's client: it asks for a pause when its screen is behind, which a client that reads at once never is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.socket = wire.socket
        wire.send(b'{"AuthToken":"","columns":80,"rows":24}')

    @property
    def received(self) -> int:
        return self._wire.received

    def type(self, data: bytes) -> None:
        self._wire.send(b"0" + data)

    def interrupt(self) -> None:
        self.type(b"\x03")

    def read(self) -> bytes:
        while True:
            _, data = self._wire.receive()
            if data[:1] == b"0":
                return data[1:]

    def acknowledge(self) -> None:
        pass

    def close(self) -> None:
        self._wire.close()


class Ttyd:
    """Raises FileNotFoundError where ttyd is neither on PATH nor in `REPL_TEST_BINARIES`."""

    def __init__(self, folder: Path) -> None:
        program = binaries.find("ttyd")
        if program is None:
            raise FileNotFoundError("ttyd")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20).stdout
        self.name = "ttyd " + said.split()[-1].split("-")[0]
        self._port = free_port()
        arguments = [program, "-W", "-i", "127.0.0.1", "-p", str(self._port), _shell(folder)]
        self._process = subprocess.Popen(
            arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.pids = [self._process.pid]
        _until(lambda: _tcp(self._port).close())

    def open(self) -> TtydTerminal:
        return TtydTerminal(Wire(_tcp(self._port), "/ws", "tty"))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


# -- socat


class PlainTerminal:
    """Bytes on a socket, nothing around them."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.received = 0

    def type(self, data: bytes) -> None:
        self.socket.sendall(data)

    def interrupt(self) -> None:
        self.type(b"\x03")

    def read(self) -> bytes:
        data = self.socket.recv(1 << 17)
        if not data:
            raise ConnectionError("socat has gone")
        self.received += len(data)
        return data

    def acknowledge(self) -> None:
        pass

    def close(self) -> None:
        self.socket.close()


class Socat:
    """The limit: a loop in C that copies bytes between a socket and a PTY. Raises FileNotFoundError."""

    def __init__(self, folder: Path) -> None:
        program = binaries.find("socat")
        if program is None:
            raise FileNotFoundError("socat")
        said = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=20).stdout
        self.name = "socat " + said.split("socat version ")[1].split()[0]
        self._port = free_port()
        listen = f"TCP-LISTEN:{self._port},bind=127.0.0.1,fork,nodelay,reuseaddr"
        run = f"EXEC:{_shell(folder)},pty,setsid,ctty,stderr"
        self._process = subprocess.Popen([program, "-b65536", listen, run], env=ENVIRONMENT)
        _until(lambda: _tcp(self._port).close())

    @property
    def pids(self) -> list[int]:
        """It forks for each connection."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [self._process.pid, *(child.pid for child in children if child.name() == "socat")]

    def open(self) -> PlainTerminal:
        return PlainTerminal(_tcp(self._port))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


ALL: tuple[Callable[[Path], Peer], ...] = (Runner, PlainRunner, Relayed, Terminado, JupyterTerminals, Ttyd, Socat)


def _shell(folder: Path) -> str:
    """A program without arguments, since not every server takes any."""
    script = folder / "shell"
    if not script.exists():
        # Without bracketed paste, whose marks come around every prompt.
        (folder / "inputrc").write_text("set enable-bracketed-paste off\n")
        exports = f"export PS1='{PROMPT.decode()}' INPUTRC={folder}/inputrc"
        script.write_text(f"#!/bin/sh\n{exports}\nexec {' '.join(SHELL)}\n")
        script.chmod(0o755)
    return str(script)


def _tcp(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _origin(port: int) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}


def _until(connect: Callable[[], None]) -> None:
    """Wait until a server listens."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
