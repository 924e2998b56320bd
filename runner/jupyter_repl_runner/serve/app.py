"""`runner serve`: wires the parts, listens, and drains on a signal, a request, or the guard's end."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.local import RECORD_FILE, SOCKET_FILE
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.inplace import JOURNAL, Journal
from jupyter_repl_runner.files.root import Root
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.files.watch import Changes, Watcher
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.terminal.manager import Terminals
from jupyter_repl_runner.usage.disk import Disk
from jupyter_repl_runner.usage.memory import MemoryGuard, find_cgroup

from .http_archive import ArchiveHandler
from .http_call import CallHandler
from .http_file import FileHandler
from .http_status import DrainHandler, StatusHandler
from .marks import MarksReader
from .room import Room
from .websocket import ChannelHandler

DRAIN_SECONDS = 5.0
MAX_BODY = 1 << 20
"""The largest body that is read as a whole. It is read before the token is checked. Files are streamed instead."""
SWITCH_SECONDS = 0.0005
"""How long a busy thread (searching processes, reading folders) may delay the loop, and so the echo of a key."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """`directory` holds the record and will hold the socket; `ready` is a descriptor to write "ready" to, or -1;
    `guarded`: standard input is the guard's pipe, whose end means that the guard is gone."""

    directory: Path
    ready: int = -1
    guarded: bool = False


def serve(options: ServeOptions) -> int:
    """Run until drained. Returns 0, or 1 after an exception."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        record = parse_json((options.directory / RECORD_FILE).read_text())
        with asyncio.Runner(loop_factory=fastest_loop()) as loop:
            loop.run(_serve(options, record))
    except Exception:
        log.exception("The runner could not serve")
        return 1
    return 0


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns uvloop's factory; None if it is not installed (`pip install jupyter-repl-ext[fast]`) or refused."""
    if os.environ.get("JUPYTER_REPL_LOOP") == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class Runner:
    """A runner without the part that listens. `record` holds the token, the working directory, the trash and the
    assignment. The marks of sync lie in `directory`; `uploads` is for unfinished uploads. If the record has an identity
    as `folder`, the project's folder is opened once and must have that identity: sync works on that folder, and would
    save nothing of another. Without an identity, the folder is opened by its path for each call. Raises OSError."""

    def __init__(self, directory: Path, uploads: Path, record: Mapping[str, str]) -> None:
        self._directory = directory
        self._uploads = uploads
        self._token = record["token"]
        self._folder = Path(record["workdir"])
        self._trash = Path(record["trash"])
        journal = Journal(self._trash.parent / JOURNAL)
        self._beneath = Beneath(_root(self._folder, record["folder"]) if "folder" in record else self._folder, journal)
        journal.recover(self._beneath)  # left by an earlier runner that was killed
        self._assignment = Assignment.from_json(record["assignment"])
        self._store = DirectoryStore(self._folder, private=self._uploads, beneath=self._beneath)
        self._drained = asyncio.Event()

    def open(self, environment: Mapping[str, str]) -> Application:
        """Start. Returns the application that answers the requests. Needs a running loop."""
        beneath = self._beneath
        with beneath.folder("") as descriptor:
            os.fchdir(descriptor)
        self._terminals = Terminals(self._folder, dict(environment), self._assignment.ring_bytes)
        room = self._room = Room(self._assignment, beneath, Trash(self._trash), self._terminals)
        loop = asyncio.get_running_loop()

        def tell(changes: Changes) -> None:
            if changes.everything or changes.folders or changes.files:
                loop.call_soon_threadsafe(room.broadcast, "changed", changes.to_json(beneath))

        self._watcher = Watcher(beneath, tell)
        self._watcher.start()
        self._marks = tasks.spawn(MarksReader(self._directory, room.tell_synced).run(), "marks of sync")
        return self._application(room)

    async def watch_disk(self, folder: Path, limit: int) -> None:
        """Report how full the disk is, and refuse our own writes before it reaches `limit`. Runs until cancelled."""
        room = self._room
        room.disk = Disk(folder, limit, lambda said: room.broadcast("disk", said))
        await room.disk.run()

    async def guard_memory(self) -> None:
        """End programs that would use up the container's memory. Runs until cancelled; returns at once if there is no
        limit."""
        cgroup = find_cgroup()
        if cgroup is not None:
            await MemoryGuard(cgroup, lambda: self._terminals.sessions).run()

    def drain(self) -> None:
        self._drained.set()

    async def drained(self) -> None:
        """Wait for `drain`, then end every program. Raises Unavailable if they do not end in time."""
        await self._drained.wait()
        self._room.draining = True
        await self.end_programs()

    async def end_programs(self) -> None:
        """End every program. May be called again, since a REPL whose stop is refused goes on. Raises Unavailable if
        they do not end in time."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._room.program.close()
                await self._terminals.close_all()
        except TimeoutError:
            raise Unavailable("The programs take long to end.", hint="Try again in a moment.") from None

    async def close(self) -> None:
        await tasks.stop(self._marks)
        await asyncio.to_thread(self._watcher.stop)

    def _application(self, room: Room) -> Application:
        shared = {"token": self._token, "room": room}
        return Application(
            [
                (r"/channel", ChannelHandler, shared),
                (r"/file/(.+)", FileHandler, {**shared, "store": self._store}),
                (r"/archive", ArchiveHandler, shared),
                (r"/call", CallHandler, shared),
                (r"/status", StatusHandler, shared),
                (r"/drain", DrainHandler, {**shared, "drain": self.drain, "end": self.end_programs}),
            ],
            log_function=lambda handler: None,
        )


def _root(folder: Path, identity: str) -> Root:
    root = Root.known(folder, identity)
    if root is None:
        raise FileNotFoundError(f"{folder} is not the folder that sync works on")
    return root


async def _serve(options: ServeOptions, record: Mapping[str, str]) -> None:
    """Serve on the private directory's socket until drained."""
    runner = Runner(options.directory, options.directory / "uploads", record)
    server = HTTPServer(runner.open(os.environ), max_body_size=MAX_BODY)
    try:
        # mode=0o600 is applied after bind; the directory's 700 keeps others out in between.
        server.add_socket(bind_unix_socket(str(options.directory / SOCKET_FILE), mode=0o600))
        _watch_for_the_end(runner.drain, options.guarded)
        if options.ready >= 0:
            os.write(options.ready, b"ready\n")
            os.close(options.ready)
        await runner.drained()
        server.stop()
        async with asyncio.timeout(DRAIN_SECONDS):
            await server.close_all_connections()
    finally:
        await runner.close()


def _watch_for_the_end(drain: Callable[[], None], guarded: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, drain)
    if guarded:

        def read() -> None:
            if not os.read(0, 64):
                loop.remove_reader(0)
                drain()

        loop.add_reader(0, read)
