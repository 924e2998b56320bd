"""`runner sync --pod`: a native sidecar that waits for its one assignment, and then works as ever.

Whatever runs in the pod reaches this port too, so every order is signed, and an assignment is for good: it lies in a
volume in memory that only we mount, and a sync that was killed goes on with it. A program may hold the port by then:
saving needs none, and the port is asked for again and again.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.errors import Conflict, InvalidRequest, ReplError, Unavailable
from jupyter_repl_runner.contract.local import FENCED_CODE, RECORD_FILE
from jupyter_repl_runner.contract.marks import MARKS_FILE, Marks
from jupyter_repl_runner.guard.init import unblock_end
from jupyter_repl_runner.store.s3_client import warm_up

from .engine import FLUSH_SECONDS
from .http import make_application
from .orders import Orders
from .status import MARKS_BYTES, Status
from .volume import Gone, Place
from .work import Work

RUNNER_SECONDS = 12.0
"""Seconds of the pod's grace period for the end of the runner, and as a reserve."""
LOOK_SECONDS = 0.05
"""Between two reports of a restore."""
MAX_BODY = 1 << 16
PLACE = Place(Path(pod.PROJECT), Path(pod.TRASH), Path(pod.INDEX), Path(pod.PRIVATE))
GONE_SECONDS, PORT_SECONDS = 1.0, 1.0
"""Between two checks whether a project that was moved away is back, and whether our port is free."""

log = logging.getLogger(__name__)


def sync_pod(listener: socket.socket | None, listen: Callable[[], socket.socket]) -> int:
    """Run until the pod ends; 0 if all was saved. `listen` opens the port where `listener` is None; raises OSError."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        return asyncio.run(Sidecar().run(listener, listen))
    except Exception:
        log.exception("Sync has failed")
        return 1


class Sidecar:
    """The state of the pod's sync. It takes one assignment."""

    def __init__(self) -> None:
        self.orders = Orders(os.environ[pod.KEY_VARIABLE], os.environ[pod.UID_VARIABLE])
        self.order: pod.Order | None = None
        self.status = Status(Path(pod.MARKS, MARKS_FILE))
        self._opened = asyncio.Event()
        self._begun = asyncio.Event()
        """Set once the assignment is worked on, or the project is known to be gone."""
        self._work: Work | None = None
        self._assigned = asyncio.Event()
        self._ending = asyncio.Event()

    async def run(self, listener: socket.socket | None, listen: Callable[[], socket.socket]) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        unblock_end()
        server = HTTPServer(make_application(self), max_body_size=MAX_BODY)
        listening = tasks.spawn(_listen(server, listener, listen), "sync's port")
        try:
            return await self._run()
        finally:
            await tasks.stop(listening)
            server.stop()

    async def _run(self) -> int:
        self._resume()
        await asyncio.to_thread(warm_up)
        waiting = [tasks.awaited(each.wait(), "assignment") for each in (self._assigned, self._ending)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await tasks.stop(*waiting)
        if self.order is None:
            return 0
        code = await self._carry(self.order)
        await self._ending.wait()  # one that was fenced or refused says so until the pod goes
        return 0 if code in (0, FENCED_CODE) else code

    @property
    def secret(self) -> str:
        """The key of the proofs of our answers; empty before the assignment."""
        return self.order.secret if self.order else ""

    @property
    def expires(self) -> float:
        """When the credentials expire, in seconds since the epoch; 0: never."""
        credentials = self.order.grant.credentials if self.order else None
        return credentials.expires if credentials else 0.0

    @property
    def is_open(self) -> bool:
        """Whether the runner may serve."""
        return self._opened.is_set()

    def take(self, order: pod.Order) -> None:
        """Take the assignment. Raises Conflict if the pod has another one; the same one again is no error."""
        if self.order is not None:
            if self.order.grant.generation != order.grant.generation or self.order.assignment != order.assignment:
                raise Conflict("This pod has its assignment.", hint="Take another one.")
            return
        if self._ending.is_set():
            raise Unavailable("This pod is about to end.", hint="Take another one.")
        self._keep(order)
        self._assigned.set()

    def renew(self, renewal: pod.Renewal) -> None:
        """Credentials of this generation that last longer than those in use; others are left alone. Raises Conflict,
        and InvalidRequest if they are not for us."""
        if self.order is None or self.order.grant.generation != renewal.generation or self._work is None:
            raise Conflict("This pod has no such assignment.")
        try:
            credentials = self.orders.unseal(renewal, self.secret)
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("These credentials are not for this pod.") from error
        if self.expires and credentials.expires > self.expires:
            self._work.use(credentials)
            grant = replace(self.order.grant, credentials=credentials)
            self._keep(replace(self.order, grant=grant))

    async def flush(self) -> bool:
        if self.order is None:
            raise Conflict("This pod has no assignment.")
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):  # a sync that has just been started again is asked, too
                await self._begun.wait()
        if self._work is None or self.status.marks.state == "fenced":  # which saves nothing more
            return False
        return await self._work.flush()

    async def words(self) -> AsyncIterator[dict[str, Any]]:
        """The marks as they change, until the project is open or can't be."""
        sent: Marks | None = None
        while True:
            marks = self.status.marks
            is_settled = self._opened.is_set() or marks.state in ("failed", "fenced")
            if marks != sent or is_settled:
                sent = marks
                said = asdict(marks.shortened(MARKS_BYTES))
                yield {"open": self._opened.is_set(), "progress": marks.progress, "marks": said}
            if is_settled:
                return
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._opened.wait()
            except TimeoutError:
                continue

    def _resume(self) -> None:
        """The assignment of a sync before us in this pod."""
        try:
            order = pod.Order.from_json(Path(pod.PRIVATE, pod.ASSIGNED_FILE).read_text())
        except FileNotFoundError:
            return
        self.order = order
        self._assigned.set()

    def _keep(self, order: pod.Order) -> None:
        _write_private(Path(pod.PRIVATE, pod.ASSIGNED_FILE), order.to_json())
        self.order = order

    async def _carry(self, order: pod.Order) -> int:
        self.status.write()
        while self._work is None:
            try:
                self._work = await asyncio.to_thread(_open_work, order, self.status)
            except ReplError as error:
                self.status.tell("gone" if isinstance(error, Gone) else "away", error.message, error.hint)
                self._begun.set()
                if await self._ends_within(GONE_SECONDS):
                    return 1
        self._begun.set()
        if self._ending.is_set():
            self._work.end()
        folder = self._work.folder
        return await self._work.run(lambda: self._open(order, folder))

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        return self._ending.is_set()

    def _open(self, order: pod.Order, folder: str) -> None:
        """The main file is there: the runner may serve."""
        if not self._opened.is_set():
            record = {
                "token": order.token,
                "workdir": pod.PROJECT,
                "folder": folder,
                "trash": pod.TRASH,
                "assignment": order.assignment.to_json(),
            }
            _write_private(Path(pod.MARKS, RECORD_FILE), json.dumps(record))
            self._opened.set()

    def _end(self) -> None:
        self._ending.set()
        if self._work is not None:
            self._work.end()


async def _listen(server: HTTPServer, listener: socket.socket | None, listen: Callable[[], socket.socket]) -> None:
    """Serve on the port, as soon as nobody else does."""
    while listener is None:
        await asyncio.sleep(PORT_SECONDS)
        with suppress(OSError):
            listener = listen()
    server.add_socket(listener)


def _open_work(order: pod.Order, status: Status) -> Work:
    return Work(order.assignment, order.grant, PLACE, status, pod.GRACE_SECONDS - RUNNER_SECONDS)


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.replace(temporary, path)
