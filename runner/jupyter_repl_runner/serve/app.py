"""`runner serve`: wires the parts, listens, and drains on a signal, a request, or the guard's end."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.local import RECORD_FILE, SOCKET_FILE
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.files.watch import Changes, Watcher
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.terminal.manager import Terminals

from .http_archive import ArchiveHandler
from .http_call import CallHandler
from .http_file import FileHandler
from .http_status import DrainHandler, StatusHandler
from .hub import Hub
from .marks import MarksReader
from .websocket import ChannelHandler

DRAIN_SECONDS = 5.0
SWITCH_SECONDS = 0.0005
"""For which a thread that works (searching processes, reading folders) may keep the loop from a key's echo."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """`directory` holds the record and will hold the socket; `ready` is a descriptor to say "ready" on, or -1;
    `guarded`: standard input is the guard's pipe, whose end means that the guard is gone."""

    directory: Path
    ready: int = -1
    guarded: bool = False


def serve(options: ServeOptions) -> int:
    """Run until drained; 0 unless it could not start."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        record = json.loads((options.directory / RECORD_FILE).read_text())
        with asyncio.Runner(loop_factory=_fastest_loop()) as loop:
            loop.run(Runner(options, record).run())
    except Exception:
        log.exception("The runner could not serve")
        return 1
    return 0


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed (`pip install jupyter-repl-ext[fast]`) and not refused."""
    if os.environ.get("JUPYTER_REPL_LOOP") == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class Runner:
    """`record` is what LocalSpawner wrote: the token, the working directory, the trash and the assignment."""

    def __init__(self, options: ServeOptions, record: dict[str, str]) -> None:
        self._options = options
        self._token = record["token"]
        self._folder = Path(record["workdir"])
        self._trash = Path(record["trash"])
        self._assignment = Assignment.from_json(record["assignment"])
        self._drained = asyncio.Event()

    async def run(self) -> None:
        """Serve until `drain`; returns when every program has ended."""
        os.chdir(self._folder)
        beneath = Beneath(self._folder)
        terminals = Terminals(self._folder, dict(os.environ), self._assignment.ring_bytes)
        hub = Hub(self._assignment, beneath, Trash(self._trash), terminals)
        loop = asyncio.get_running_loop()

        def tell(changes: Changes) -> None:
            if changes.everything or changes.folders or changes.files:
                loop.call_soon_threadsafe(hub.broadcast, "changed", changes.to_json(beneath))

        watcher = Watcher(beneath, tell)
        server = HTTPServer(self._application(hub))
        server.add_socket(self._listen())
        self._watch_for_the_end(loop)
        watcher.start()
        marks = asyncio.create_task(MarksReader(self._options.directory, hub.tell_synced).run(), name="marks of sync")
        self._say_ready()
        await self._drained.wait()
        marks.cancel()
        hub.draining = True
        server.stop()
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await hub.program.close()
                await terminals.close_all()
                await server.close_all_connections()
        finally:
            await asyncio.to_thread(watcher.stop)

    def drain(self) -> None:
        self._drained.set()

    def _application(self, hub: Hub) -> Application:
        shared = {"token": self._token, "hub": hub}
        store = DirectoryStore(self._folder, private=self._options.directory / "uploads")
        return Application(
            [
                (r"/channel", ChannelHandler, shared),
                (r"/file/(.+)", FileHandler, {**shared, "store": store}),
                (r"/archive", ArchiveHandler, shared),
                (r"/call", CallHandler, shared),
                (r"/status", StatusHandler, shared),
                (r"/drain", DrainHandler, {**shared, "drain": self.drain}),
            ],
            log_function=lambda handler: None,
        )

    def _listen(self) -> socket.socket:
        # mode=0o600 is applied after bind; the directory's 700 keeps others out in between.
        return bind_unix_socket(str(self._options.directory / SOCKET_FILE), mode=0o600)

    def _watch_for_the_end(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.drain)
        if self._options.guarded:

            def read() -> None:
                if not os.read(0, 64):
                    loop.remove_reader(0)
                    self.drain()

            loop.add_reader(0, read)

    def _say_ready(self) -> None:
        if self._options.ready >= 0:
            os.write(self._options.ready, b"ready\n")
            os.close(self._options.ready)
