"""Other servers of terminals, each with the client that its own browser part would be, on this machine."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil
from support import binaries
from support.lab import TOKEN, Lab
from support.ports import free_port
from support.wire import TEXT, Wire

from .ours import PlainRunner, Relayed, Runner
from .peer import ENVIRONMENT, PROMPT, OneProcess, Peer, shell, tcp, wait_until

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


class Terminado(OneProcess):
    def __init__(self, folder: Path) -> None:
        self.name = f"terminado {version('terminado')}"
        self._port = free_port()
        arguments = [sys.executable, "-c", _TERMINADO, str(self._port), shell(folder)]
        self._process = subprocess.Popen(arguments, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
        wait_until(lambda: tcp(self._port).close())

    def open(self) -> TerminadoTerminal:
        host = f"127.0.0.1:{self._port}"
        headers = {"Host": host, "Origin": f"http://{host}"}
        return TerminadoTerminal(Wire(tcp(self._port), "/terminal", headers=headers))


class JupyterTerminals:
    def __init__(self, folder: Path) -> None:
        self.name = f"jupyter_server_terminals {version('jupyter_server_terminals')}"
        self._lab = Lab(folder / "terminals", PS1=PROMPT.decode(), SHELL=shell(folder)).start()
        self.pids = [self._lab.pid]

    def open(self) -> TerminadoTerminal:
        name = json.loads(self._call("POST", ""))["name"]
        path = f"/terminals/websocket/{name}"
        wire = Wire(tcp(self._lab.port), path, headers={"Authorization": f"token {TOKEN}"})
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


class Ttyd(OneProcess):
    """Raises FileNotFoundError where ttyd is neither on PATH nor in `REPL_TEST_BINARIES`."""

    def __init__(self, folder: Path) -> None:
        program = _program("ttyd")
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20).stdout
        self.name = "ttyd " + said.split()[-1].split("-")[0]
        self._port = free_port()
        arguments = [program, "-W", "-i", "127.0.0.1", "-p", str(self._port), shell(folder)]
        self._process = subprocess.Popen(
            arguments, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(lambda: tcp(self._port).close())

    def open(self) -> TtydTerminal:
        return TtydTerminal(Wire(tcp(self._port), "/ws", "tty"))


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


class Socat(OneProcess):
    """The limit: a loop in C that copies bytes between a socket and a PTY. Raises FileNotFoundError."""

    def __init__(self, folder: Path) -> None:
        program = _program("socat")
        said = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=20).stdout
        self.name = "socat " + said.split("socat version ")[1].split()[0]
        self._port = free_port()
        listen = f"TCP-LISTEN:{self._port},bind=127.0.0.1,fork,nodelay,reuseaddr"
        run = f"EXEC:{shell(folder)},pty,setsid,ctty,stderr"
        self._process = subprocess.Popen([program, "-b65536", listen, run], env=ENVIRONMENT)
        wait_until(lambda: tcp(self._port).close())

    @property
    def pids(self) -> list[int]:
        """It forks for each connection."""
        found = list(super().pids)
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # a connection has just ended
                if child.name() == "socat":
                    found.append(child.pid)
        return found

    def open(self) -> PlainTerminal:
        return PlainTerminal(tcp(self._port))


ALL: tuple[Callable[[Path], Peer], ...] = (Runner, PlainRunner, Relayed, Terminado, JupyterTerminals, Ttyd, Socat)


def _program(name: str) -> Path:
    """Raises FileNotFoundError where it is neither on PATH nor in `REPL_TEST_BINARIES`."""
    program = binaries.find(name)
    if program is None:
        raise FileNotFoundError(name)
    return program
