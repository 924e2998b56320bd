"""Creates and deletes the files of projects, and finishes the work of dead workers.

A worker is one creation or deletion under way. It changes the record of its project once a second: that is its
heartbeat. A record that has not changed for STALE_SECONDS belongs to a dead worker, and the next caller takes it over
by compare-and-swap. No clocks of different machines are compared.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef, template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE
from jupyter_repl_runner.store.port import Store

from .records import ProjectRecord, Records, missing, taken

BEAT_SECONDS = 1.0
STALE_SECONDS = 3.0
LOOK_SECONDS = 0.1
MAX_WAIT_SECONDS = 60.0
DELETION_SECONDS = 3.0
"""How long a creation waits for the deletion of a project with the same name."""

Stop = Callable[[], Coroutine[Any, Any, None]]


async def nothing() -> None:
    """The `stop` of a project without a runner."""


class Workers:
    """The workers of this server, for all projects of the store."""

    def __init__(self, store: Store, records: Records) -> None:
        self._store = store
        self._records = records
        self._server = secrets.token_hex(4)
        self._working: set[str] = set()

    async def create(self, ref: ProjectRef, record: ProjectRecord, folder: Path | None) -> ProjectRecord:
        """Create a project with a template's files, or with those of `folder`; returns its record. Raises FileExists if
        the name is taken."""
        record = replace(record, worker=self._new_worker())
        self._working.add(record.worker)
        try:
            return await self._fill(ref, record, await self._claim(ref, record), folder)
        finally:
            self._working.discard(record.worker)

    async def _claim(self, ref: ProjectRef, record: ProjectRecord) -> str:
        """Write the record of a new project; returns its etag. Waits up to DELETION_SECONDS while a project of that
        name is being deleted. Raises FileExists."""
        loop = asyncio.get_running_loop()
        until = loop.time() + DELETION_SECONDS
        while loop.time() < until:
            with suppress(FileExists):
                return await self._records.create(ref, record)
            with suppress(FileNotFound):  # it is being deleted, or is gone by now
                return await self._claim_left(ref, record)
            await asyncio.sleep(LOOK_SECONDS)
        raise taken(ref)

    async def _claim_left(self, ref: ProjectRef, ours: ProjectRecord) -> str:
        """Take over the record of a dead worker for our new project; returns its etag. Raises FileExists if the name is
        taken, and FileNotFound if that project is gone, or a live worker is deleting it."""
        try:
            record, etag = await self._records.read(ref)
            if record.worker == ours.worker:  # our record was written, but the answer was lost
                return etag
            if record.worker in self._working and record.state == "deleting":
                raise missing(ref)
            if record.state == "ready" or record.worker in self._working:
                raise taken(ref)
            record, etag = await self._wait_left(ref, record, etag)
            if record.state == "ready":
                raise taken(ref)
            claimed = replace(ours, state=record.state)
            etag = await self._records.replace(ref, claimed, etag)
            is_same = (record.source, record.language) == ("template", ours.language) and ours.source == "template"
            if record.state == "deleting" or not is_same:
                # The old project was never finished, or was being deleted: none of its files may appear in the new one.
                _, etag = await self._beat(self._delete_files(ref), ref, claimed, etag)
            return await self._records.replace(ref, ours, etag)
        except Conflict:  # somebody else took it
            raise taken(ref) from None

    async def finish(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> ProjectRecord:
        """Finish what another worker began; returns the record. Raises Conflict if a third worker has taken it over.

        Raises FileNotFound after a deletion, at once if that is under way in this server. An unfinished project from an
        archive is deleted, too.
        """
        if record.state == "deleting" and record.worker in self._working:
            raise missing(ref)
        record, etag = await self._wait_left(ref, record, etag)
        if record.state == "ready":
            return record
        mine = replace(record, worker=self._new_worker())
        self._working.add(mine.worker)
        try:
            if record.state == "deleting" or record.source == "archive":
                with suppress(Conflict):  # another worker deletes it
                    await self.delete(ref, record, etag)
                raise missing(ref)
            etag = await self._records.replace(ref, mine, etag)
            return await self._fill(ref, mine, etag)
        finally:
            self._working.discard(mine.worker)

    async def _wait_left(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> tuple[ProjectRecord, str]:
        """Return the record and its etag once the project is ready or its worker is dead. Raises FileNotFound once the
        project is deleted, or a live worker is seen to delete it; raises Unavailable after MAX_WAIT_SECONDS."""
        loop = asyncio.get_running_loop()
        limit, since = loop.time() + MAX_WAIT_SECONDS, loop.time()
        while record.state != "ready":
            died_here = record.worker.startswith(self._server) and record.worker not in self._working
            if died_here or loop.time() - since > STALE_SECONDS:
                break
            if loop.time() > limit:
                raise Unavailable(f"{ref.repl_id} is still being created.", hint="Try again in a moment.")
            await asyncio.sleep(LOOK_SECONDS)
            found = await self._records.read(ref)
            if found[1] != etag:
                since = loop.time()
                if found[0].state == "deleting":
                    raise missing(ref)
            record, etag = found
        return record, etag

    async def _fill(
        self, ref: ProjectRef, record: ProjectRecord, etag: str, folder: Path | None = None
    ) -> ProjectRecord:
        """Store the files of the template or of `folder`, with heartbeats meanwhile, then set the state to ready."""
        if folder is not None:
            putting = self._store.put_folder(folder, ref.code(), ref.manifest)
        else:
            template, leave_out = template_prefix(record.language), frozenset({TEMPLATE_FILE})
            putting = self._store.copy_prefix(template, ref.code(), leave_out=leave_out)
        record, etag = await self._beat(putting, ref, record, etag)
        record = replace(record, state="ready", worker="", beat=0)
        try:
            await self._records.replace(ref, record, etag)
        except Conflict:
            raise taken(ref) from None
        return record

    async def delete(self, ref: ProjectRef, record: ProjectRecord, etag: str, stop: Stop = nothing) -> None:
        """Delete the project. Calls `stop` once the record says that the project is being deleted. Raises Conflict if
        another worker has changed the record or taken over the deletion."""
        record = replace(record, state="deleting", worker=self._new_worker())
        self._working.add(record.worker)
        try:
            etag = await self._records.replace(ref, record, etag)
            record, etag = await self._beat(stop(), ref, record, etag)
            record, etag = await self._beat(self._delete_files(ref), ref, record, etag)
            await self._records.delete(ref, etag)
        finally:
            self._working.discard(record.worker)

    async def _delete_files(self, ref: ProjectRef) -> None:
        await self._store.delete(ref.code())
        await self._store.delete(ref.meta_folder)
        await self._store.delete(ref.generation)

    async def _beat(
        self, work: Coroutine[Any, Any, Any], ref: ProjectRef, record: ProjectRecord, etag: str
    ) -> tuple[ProjectRecord, str]:
        """Do the work, with heartbeats meanwhile; returns the record and its etag afterwards. Raises Conflict if
        another worker has taken the record over."""
        task = tasks.awaited(work, f"{record.state} {ref}")
        try:
            while not (await asyncio.wait({task}, timeout=BEAT_SECONDS))[0]:
                record = replace(record, beat=record.beat + 1)
                etag = await self._records.replace(ref, record, etag)
            await task
        finally:
            await tasks.stop(task)
        return record, etag

    def _new_worker(self) -> str:
        return f"{self._server}-{secrets.token_hex(8)}"
