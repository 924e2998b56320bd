"""`runner serve --pod`: waits until sync has written the project's record, then serves the project on a port.

Requests before that get 503. The record is read when a request comes, so a waiting pod does nothing at all.
A runner that is started again after a kill finds the record at once: the volume and sync have outlived the kill.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.web import Application, RequestHandler

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.local import RECORD_FILE
from jupyter_repl_runner.contract.pod import DISK_VARIABLE, HOME, MARKS, WORK

from .app import MAX_BODY, SWITCH_SECONDS, Runner, fastest_loop

MAX_HEADERS = 1 << 16

log = logging.getLogger(__name__)


def serve_pod(listener: socket.socket) -> int:
    """Run until the pod ends. Returns 0, or 1 if the runner could not serve."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as loop:
            loop.run(_Pod().run(listener))
    except Exception:
        log.exception("The runner could not serve")
        return 1
    return 0


class _Pod(HTTPServerConnectionDelegate):
    """Answers on the port: with 503 at first, then with the runner."""

    def __init__(self) -> None:
        self._waiting = _refusing("The files are not there yet.", "Try again in a moment.")
        self._broken = _refusing(
            "The project's folder, or what lies beside it, was moved away or replaced.",
            "Stop the REPL and start it again: it begins with what was saved.",
        )
        self._application: Application | None = None
        self._runner: Runner | None = None
        self._ended = asyncio.Event()

    def start_request(self, server_conn: object, request_conn: object) -> HTTPMessageDelegate:
        try:
            application = self._assigned() or self._waiting
        except (OSError, ReplError):  # an earlier runner was killed, and programs have changed the folders
            log.exception("The project can't be served")
            application = self._broken
        return application.start_request(server_conn, request_conn)  # type: ignore[arg-type]

    async def run(self, listener: socket.socket) -> None:
        """Serve until the pod ends. A drained runner stays until then, and its status says that it is drained."""
        server = HTTPServer(self, max_header_size=MAX_HEADERS, max_body_size=MAX_BODY)
        server.add_socket(listener)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        await self._ended.wait()
        server.stop()
        if self._runner is not None:
            self._runner.drain()
            await tasks.stop(*self._watching)
            await self._draining
            await self._runner.close()

    def _assigned(self) -> Application | None:
        """Returns the runner's application, or None until sync has opened the project."""
        record = Path(MARKS, RECORD_FILE)
        if self._application is None and record.exists():
            runner = Runner(Path(MARKS), Path(WORK, "uploads"), parse_json(record.read_text()))
            self._application, self._runner = runner.open(_environment()), runner
            self._watching = [tasks.spawn(self._runner.guard_memory(), "memory")]
            if limit := int(os.environ.get(DISK_VARIABLE, 0)):
                self._watching.append(tasks.spawn(self._runner.watch_disk(Path(WORK), limit), "disk", lasting=True))
            self._draining = tasks.awaited(self._runner.drained(), "drain")
        return self._application


class _RefusingHandler(RequestHandler):
    def initialize(self, message: str, hint: str) -> None:
        self._error = Unavailable(message, hint)

    def prepare(self) -> None:
        self.set_status(self._error.status)
        self.set_header("Retry-After", "1")
        self.finish(self._error.to_json())


def _refusing(message: str, hint: str) -> Application:
    """Returns an application that answers every request with this error."""
    arguments = {"message": message, "hint": hint}
    return Application([(r".*", _RefusingHandler, arguments)], log_function=lambda handler: None)


def _environment() -> dict[str, str]:
    """Returns the variables for programs: those of the image, without those of the cluster."""
    with suppress(OSError):  # a program has put something else there: programs will get the error themselves
        Path(HOME).mkdir(mode=0o755, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KUBERNETES_")}
    return {**kept, "HOME": HOME, "USER": "repl", "LOGNAME": "repl"}
