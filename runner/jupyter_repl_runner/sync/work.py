"""All parts of sync, wired for one project: it restores the project, then carries every change into the store.

One loop makes all writes to the store; a restore runs beside it. Writes that fail because the store is away are kept
and retried. A later start of the project ends this sync for good.
"""

import asyncio
import logging
from collections.abc import Callable

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.grant import Grant
from jupyter_repl_runner.contract.local import FENCED_CODE
from jupyter_repl_runner.files.watch import Changes, Watcher
from jupyter_repl_runner.store.generation import Generation
from jupyter_repl_runner.store.port import Honoured
from jupyter_repl_runner.store.s3 import S3Store

from .async_volume import AsyncVolume
from .bundling import Bundler
from .download import Downloader
from .engine import FLUSH_SECONDS, Engine
from .fence import Fence
from .meeting import Meeting
from .push import Push
from .sides import Sides
from .status import Status
from .upload import Uploader
from .volume import Place, Volume

log = logging.getLogger(__name__)


class Work:
    """Needs a running loop. The constructor blocks for a moment and raises Gone."""

    def __init__(
        self,
        assignment: Assignment,
        grant: Grant,
        place: Place,
        status: Status,
        end_seconds: float = FLUSH_SECONDS,
    ) -> None:
        about = {"ref": str(assignment.ref), "project": grant.project, "store": _name(grant)}
        self._volume = Volume(place, about)
        self._ref = assignment.ref
        self._status = status
        self._store = S3Store(grant.store, grant.credentials, Honoured(*grant.conditions))
        self.use = self._store.use
        """Replaces the credentials."""
        self._fence = Fence(self._store, assignment.ref, Generation(grant.generation, grant.holder))
        sides = Sides(assignment.ref, self._store, AsyncVolume(self._volume), self._fence, status)
        uploader = Uploader(sides, grant.max_file_bytes)
        push, bundler = Push(sides, uploader), Bundler(sides, assignment.main)
        meeting = Meeting(sides, uploader, push, Downloader(sides, assignment.main), bundler)
        self._engine = Engine(sides, meeting, push, bundler, lambda: self._store.heard, end_seconds)
        self.end, self.flush = self._engine.end, self._engine.flush

    @property
    def folder(self) -> str:
        """The identity of the project's folder."""
        return self._volume.root.identity

    async def run(self, opened: Callable[[], None]) -> int:
        """Until `end`; 0 if all was saved, FENCED_CODE if another start has ended it. `opened` is called when the
        main file is there."""
        loop = asyncio.get_running_loop()
        unwatched = await asyncio.to_thread(lambda: self._volume.rules().unwatched)
        watcher = Watcher(self._volume.beneath, lambda changes: _call(loop, self._engine.note, changes), unwatched)
        watcher.start()
        try:
            is_saved = await self._engine.run(opened)
            return FENCED_CODE if self._fence.is_down else 0 if is_saved else 1
        except ReplError as error:
            self._status.tell("failed", error.message, error.hint)
            log.error("%s: %s %s", self._ref, error.message, error.hint)
            return 1
        finally:
            await asyncio.to_thread(watcher.stop)
            self._volume.close()
            self._store.close()


def _name(grant: Grant) -> str:
    return f"{grant.store.endpoint} {grant.store.bucket} {grant.store.prefix}"


def _call(loop: asyncio.AbstractEventLoop, call: Callable[[Changes], None], changes: Changes) -> None:
    """From the watcher's thread, which may outlive the loop by a moment."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, changes)
