"""Projects in the store: created, finished when half-made, listed, renamed, deleted. Knows nothing of runners.

A project is its record, `meta/{replId}.json`, and its files under `code/{replId}/`. The record is written first, only
where there is none, so a name can never be taken twice; its state is "creating" until the files are there. Whoever
works on a record beats: changes it once a second. One that has not changed for STALE_SECONDS was left by somebody who
died, and the next caller takes it over by compare-and-swap. No clocks of different machines are compared.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import (
    Conflict,
    FileExists,
    FileIsADirectory,
    FileNotFound,
    FileTooLarge,
    InvalidRequest,
    NoPermissions,
    ReplError,
    Unavailable,
)
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.refs import ProjectRef, meta_prefix, template_prefix
from jupyter_repl_runner.contract.settings import TEMPLATE_FILE
from jupyter_repl_runner.store.port import Store, read_all
from jupyter_repl_runner.store.s3_errors import Denied

from .catalog import Catalog

BEAT_SECONDS = 1.0
STALE_SECONDS = 3.0
LIST_SECONDS = 0.5
"""For which a list waits for what others are doing with a project."""
LOOK_SECONDS = 0.1
MAX_WAIT_SECONDS = 60.0
DELETE_ATTEMPTS = 5
MAX_TITLE = 200
PATIENCE_SECONDS = 2.0
"""For which a store is waited for where an older answer will do."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProjectRecord:
    """What `meta/{replId}.json` holds. `source`: "template", or "archive", which only its worker has, so that nobody
    can finish for it. `worker` names who creates or deletes, `beat` counts that it lives."""

    language: str
    title: str
    created: str
    state: str
    run: str = ""
    main: str = ""
    source: str = "template"
    worker: str = ""
    beat: int = 0

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "ProjectRecord":
        """Fields of a later version are left out. Raises ValueError or TypeError for what is no record."""
        fields = parse_json(raw)
        record = cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name in fields})
        for name, value in asdict(record).items():
            if type(value) is not (int if name == "beat" else str):
                raise TypeError(f"{name} is of another type")
        datetime.fromisoformat(record.created)
        return record


@dataclass(frozen=True)
class Project:
    """`refusal`: why its record can't be read, where the store has one; `record` says nothing then."""

    ref: ProjectRef
    record: ProjectRecord
    refusal: ReplError | None = None

    def to_json(self) -> dict[str, Any]:
        record = self.record
        return {
            "replId": self.ref.repl_id,
            "language": record.language,
            "title": record.title or self.ref.repl_id,
            "created": record.created,
        }


_UNKNOWN = ProjectRecord(language="", title="", created="1970-01-01T00:00:00+00:00", state="ready")


class Unreadable(Unavailable):
    """A record that is none: it was damaged, or written by something else."""


async def _nothing() -> None:
    return


class Projects:
    """All verbs are safe between any number of servers on one store."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._server = secrets.token_hex(4)
        self._working: set[str] = set()
        self._finishing: dict[ProjectRef, asyncio.Task[Project]] = {}
        self._unfinished: dict[ProjectRef, ProjectRecord] = {}
        """Those that a list looks at, and the records of those that others are making or deleting."""
        self._known: dict[ProjectRef, tuple[ProjectRecord, str]] = {}
        """Records as they were last seen, each with the tag that it had in a listing just before, or none: what still
        has it need not be read again, and all of them do for a while where the store is away."""

    async def create(self, ref: ProjectRef, language: str, folder: Path | None = None) -> Project:
        """Raises FileExists if the name is taken (nothing of it is touched), FileNotFound for the language.

        `folder`: its files, in a `scratch` of the store, in place of the template's.
        """
        template = await self._catalog.get(language)
        record = ProjectRecord(
            language=language,
            title=ref.repl_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            state="creating",
            run=template.run,
            main=template.main,
            source="template" if folder is None else "archive",
            worker=self._new_worker(),
        )
        self._working.add(record.worker)
        try:
            try:
                etag = (await self._store.put(ref.meta, record.to_bytes(), if_none_match=True)).etag
            except FileExists:
                etag = await self._claim_left(ref, record)
            return Project(ref, await self._fill(ref, record, etag, folder))
        finally:
            self._working.discard(record.worker)

    async def check_free(self, ref: ProjectRef) -> None:
        """Raises FileExists if the name is taken; another may take it yet, which only `create` finds out."""
        with suppress(FileNotFound):
            await self.get(ref)
            raise _taken(ref)

    async def get(self, ref: ProjectRef) -> Project:
        """Finishes a half-made or half-deleted project first. Raises FileNotFound.

        While the store is away a project that was seen before is as it was then: its REPL can still be stopped.
        """
        return await self._get(ref, "")

    async def is_deleted(self, ref: ProjectRef) -> bool:
        """Whether it is gone, or is about to be for good; not where the store does not say so in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await self._read(ref))[0].state == "deleting"
        except FileNotFound:
            return True
        except (ReplError, TimeoutError):
            return False

    async def list(self, owner: str) -> list[Project]:
        """Newest first; half-made ones are finished in the background. Only what has changed since the last list is
        read. What is no project of ours is left out; one whose record the store does not give has a `refusal`. Raises
        what the store raises where it is away."""
        prefix = meta_prefix(owner)
        tags: dict[ProjectRef, str] = {}
        async for entry in self._store.list(prefix, deep=False):
            if entry.key.endswith(".json"):
                try:
                    tags[ProjectRef(owner, entry.key.removeprefix(prefix).removesuffix(".json"))] = entry.tag
                except InvalidRequest:
                    log.warning("%s is no record of a project", entry.key)
        found = await asyncio.gather(*(self._listed(ref, tag) for ref, tag in tags.items()))
        projects = [project for project in found if project is not None]
        return sorted(projects, key=lambda project: (project.record.created, project.ref), reverse=True)

    async def _listed(self, ref: ProjectRef, tag: str) -> Project | None:
        """None if it is being deleted, or can't be read by anybody. What others are still doing with it is not waited
        for, and is finished in the background if they have died."""
        known, known_tag = self._known.get(ref, (None, ""))
        if known is not None and tag and tag == known_tag:
            return Project(ref, known)
        if ref not in self._finishing:
            self._finishing[ref] = tasks.awaited(self._get(ref, tag), f"look at {ref}")
            self._finishing[ref].add_done_callback(lambda task: self._looked(ref, task))
        looking = self._finishing[ref]
        await asyncio.wait({looking}, timeout=LIST_SECONDS)
        if not looking.done() and (unfinished := self._unfinished.get(ref)) is not None:
            return Project(ref, unfinished) if unfinished.state == "creating" else None
        try:
            return await asyncio.shield(looking)
        except (FileNotFound, FileExists, Conflict):
            return None
        except Unreadable as error:
            log.warning("%s %s", error.message, error.hint)
            return None
        except (NoPermissions, Denied) as error:
            return Project(ref, _UNKNOWN, error)

    def _looked(self, ref: ProjectRef, task: "asyncio.Task[Project]") -> None:
        del self._finishing[ref]
        if not task.cancelled():
            task.exception()  # it is for the lists that wait, and there may be none any more

    async def close(self) -> None:
        """End what goes on in the background; whoever comes next finishes it."""
        await tasks.stop(*self._finishing.values())

    async def rename(self, ref: ProjectRef, title: object) -> Project:
        """Give it another title; its id stays. Raises FileNotFound, InvalidRequest, Conflict."""
        if not isinstance(title, str) or not 0 < len(title.strip()) <= MAX_TITLE:
            raise InvalidRequest("The title is empty or too long.", hint=f"Use 1 to {MAX_TITLE} characters.")
        project = await self.get(ref)
        record, etag = await self._read(ref)
        record = replace(record, title=title.strip())
        await self._store.put(ref.meta, record.to_bytes(), if_match=etag)
        return replace(project, record=record)

    async def delete(self, ref: ProjectRef, stop: Callable[[], Coroutine[Any, Any, None]] = _nothing) -> None:
        """Delete record and files; the caller has stopped its runner. Idempotent, raises FileNotFound. Returns at once
        where somebody else is deleting it already.

        `stop` is called once the record says that the project is being deleted, and ends what another server has
        started before it could know.
        """
        for _ in range(DELETE_ATTEMPTS):
            record, etag = await self._read(ref)
            try:
                if record.state == "deleting":
                    await self._finish(ref, record, etag)
                else:
                    await self._delete(ref, record, etag, stop)
                    return
            except FileNotFound:
                return
            except Conflict:  # it was renamed meanwhile, or somebody else has begun to delete it
                continue
        raise Unavailable(f"{ref.repl_id} is changed all the time.", hint="Try again in a moment.")

    # -- half-made

    async def _claim_left(self, ref: ProjectRef, ours: ProjectRecord) -> str:
        """Take over a record that its worker left, for a creation of ours; its etag. Raises FileExists."""
        taken = _taken(ref)
        try:
            record, etag = await self._read(ref)
            if record.worker == ours.worker:  # it was written, and the answer was lost on its way
                return etag
            if record.state == "ready" or record.worker in self._working:
                raise taken
            record, etag = await self._wait_left(ref, record, etag)
            if record.state == "ready":
                raise taken
            claimed = replace(ours, state=record.state)
            etag = (await self._store.put(ref.meta, claimed.to_bytes(), if_match=etag)).etag
            is_same = (record.source, record.language) == ("template", ours.language) and ours.source == "template"
            if record.state == "deleting" or not is_same:
                await self._delete_files(ref)  # never used by anybody, or deleted: nothing of it may show up
            return (await self._store.put(ref.meta, ours.to_bytes(), if_match=etag)).etag
        except (Conflict, FileNotFound):  # somebody else took it, or has just deleted it
            raise taken from None

    async def _finish(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> ProjectRecord:
        """Bring to its end what another worker began; raises FileNotFound if that was a deletion, at once if that is
        under way."""
        if record.state == "deleting" and record.worker in self._working:
            raise _missing(ref)
        record, etag = await self._wait_left(ref, record, etag)
        if record.state == "ready":
            return record
        mine = replace(record, worker=self._new_worker())
        self._working.add(mine.worker)
        try:
            if record.state == "deleting" or record.source == "archive":
                with suppress(Conflict):  # somebody else ends it
                    await self._delete(ref, record, etag)
                raise _missing(ref)
            try:
                etag = (await self._store.put(ref.meta, mine.to_bytes(), if_match=etag)).etag
                return await self._fill(ref, mine, etag)
            except Conflict:
                return (await self.get(ref)).record
        finally:
            self._working.discard(mine.worker)

    async def _wait_left(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> tuple[ProjectRecord, str]:
        """Return the record once it is ready, or once nobody works on it any more. Raises FileNotFound once it is
        deleted, or is seen to be."""
        loop = asyncio.get_running_loop()
        limit, since = loop.time() + MAX_WAIT_SECONDS, loop.time()
        while record.state != "ready":
            died_here = record.worker.startswith(self._server) and record.worker not in self._working
            if died_here or loop.time() - since > STALE_SECONDS:
                break
            if loop.time() > limit:
                raise Unavailable(f"{ref.repl_id} is still being made.", hint="Try again in a moment.")
            await asyncio.sleep(LOOK_SECONDS)
            found = await self._read(ref)
            if found[1] != etag:
                since = loop.time()
                if found[0].state == "deleting":
                    raise _missing(ref)
            record, etag = found
        return record, etag

    async def _fill(
        self, ref: ProjectRef, record: ProjectRecord, etag: str, folder: Path | None = None
    ) -> ProjectRecord:
        """Put the files there, the template's or a folder's, beating meanwhile, and declare the project ready."""
        if folder is not None:
            putting = self._store.put_folder(folder, ref.code(), ref.manifest)
        else:
            template, leave_out = template_prefix(record.language), frozenset({TEMPLATE_FILE})
            putting = self._store.copy_prefix(template, ref.code(), leave_out=leave_out)
        record, etag = await self._beat(putting, ref, record, etag)
        record = replace(record, state="ready", worker="", beat=0)
        try:
            await self._store.put(ref.meta, record.to_bytes(), if_match=etag)
        except Conflict:
            raise _taken(ref) from None
        return record

    async def _delete(
        self,
        ref: ProjectRef,
        record: ProjectRecord,
        etag: str,
        stop: Callable[[], Coroutine[Any, Any, None]] = _nothing,
    ) -> None:
        """Raises Conflict if somebody else has changed the record, or taken this over."""
        record = replace(record, state="deleting", worker=self._new_worker())
        self._working.add(record.worker)
        try:
            etag = (await self._store.put(ref.meta, record.to_bytes(), if_match=etag)).etag
            record, etag = await self._beat(stop(), ref, record, etag)
            record, etag = await self._beat(self._delete_files(ref), ref, record, etag)
            await self._store.delete(ref.meta, if_match=etag)
        finally:
            self._working.discard(record.worker)

    async def _delete_files(self, ref: ProjectRef) -> None:
        await self._store.delete(ref.code())
        await self._store.delete(ref.meta_folder)
        await self._store.delete(ref.generation)

    async def _beat(
        self, work: Coroutine[Any, Any, Any], ref: ProjectRef, record: ProjectRecord, etag: str
    ) -> tuple[ProjectRecord, str]:
        """Do the work, beating meanwhile; the record as it is then. Raises Conflict if another has taken it over."""
        task = tasks.awaited(work, f"{record.state} {ref}")
        try:
            while not (await asyncio.wait({task}, timeout=BEAT_SECONDS))[0]:
                record = replace(record, beat=record.beat + 1)
                etag = (await self._store.put(ref.meta, record.to_bytes(), if_match=etag)).etag
            await task
        finally:
            await tasks.stop(task)
        return record, etag

    async def _get(self, ref: ProjectRef, tag: str) -> Project:
        """See `get`. `tag`: the one that the store's listing has for the record now, if that is known."""
        known, _ = self._known.get(ref, (None, ""))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if known else None):
                record, etag = await self._read(ref)
        except (Unavailable, TimeoutError):
            if known is None:
                raise
            return Project(ref, known)
        except FileNotFound:
            self._known.pop(ref, None)
            raise
        if record.state != "ready":
            self._unfinished[ref] = record
            try:
                record = await self._finish(ref, record, etag)
            finally:
                self._unfinished.pop(ref, None)
        self._known[ref] = record, tag
        return Project(ref, record)

    async def _read(self, ref: ProjectRef) -> tuple[ProjectRecord, str]:
        try:
            raw, etag = await read_all(self._store, ref.meta)
            return ProjectRecord.from_bytes(raw), etag
        except FileNotFound:
            raise _missing(ref) from None
        except (FileIsADirectory, FileTooLarge, ValueError, TypeError) as error:
            raise Unreadable(f"The record of {ref.repl_id} can't be read.", hint=f"Look at {ref.meta}.") from error

    def _new_worker(self) -> str:
        return f"{self._server}-{secrets.token_hex(8)}"


def _missing(ref: ProjectRef) -> FileNotFound:
    return FileNotFound(f"There is no project {ref.repl_id}.", hint="It may have been deleted.")


def _taken(ref: ProjectRef) -> FileExists:
    return FileExists(f"The name {ref.repl_id} is taken.", hint="Choose another, or open it.")
