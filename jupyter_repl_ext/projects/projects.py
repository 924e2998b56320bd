"""Creates, lists, renames and deletes projects in the store, and finishes unfinished ones. Knows nothing of runners.

A project is its record, `meta/{replId}.json`, and its files under `code/{replId}/`. The record is written first, and
only if there is none, so a name can never be taken twice. Its state is "creating" until the files are there. See
`workers`.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import (
    Conflict,
    FileExists,
    FileNotFound,
    InvalidRequest,
    NoPermissions,
    ReplError,
    Unavailable,
)
from jupyter_repl_runner.contract.refs import ProjectRef, meta_prefix
from jupyter_repl_runner.store.port import Store
from jupyter_repl_runner.store.s3_errors import REFUSED

from .catalog import Catalog
from .owners import Owners
from .records import Project, ProjectRecord, Records, Unreadable, taken
from .workers import Stop, Workers, nothing

LIST_SECONDS = 0.5
"""How long a list waits for others that create or delete a project."""
DELETE_ATTEMPTS = 5
MAX_TITLE = 200
PATIENCE_SECONDS = 2.0
"""How long to wait for the store if there is an answer without it."""

log = logging.getLogger(__name__)


_UNKNOWN = ProjectRecord(language="", title="", created="1970-01-01T00:00:00+00:00", state="ready")


class Projects:
    """All methods are safe while any number of servers use the store."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self.owners = Owners(store)
        self._store = store
        self._catalog = catalog
        self._records = Records(store)
        self._workers = Workers(store, self._records)
        self._finishing: dict[ProjectRef, asyncio.Task[Project]] = {}
        self._unfinished: dict[ProjectRef, ProjectRecord] = {}
        """The tasks that read a project for lists; the records of projects that others create or delete."""
        self._known: dict[ProjectRef, tuple[ProjectRecord, str]] = {}
        """The records as last read, each with its tag in the listing just before, or "". A record with the same tag in
        a later listing is not read again. While the store is unavailable, `get` returns these records."""

    async def create(self, ref: ProjectRef, language: str, folder: Path | None = None) -> Project:
        """Create a project. Raises FileExists if the name is taken, without changing that project, and FileNotFound if
        there is no such template.

        `folder`: a folder in a `scratch` of the store, with files that replace the template's.
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
        )
        return Project(ref, await self._workers.create(ref, record, folder))

    async def adopt(self, ref: ProjectRef, record: ProjectRecord, folder: Path) -> Project:
        """Creates a project with the record of a project of another store, and the files of `folder`, which lies in a
        `scratch` of this store. Raises FileExists if the name is taken."""
        made = replace(record, state="creating", source="archive", worker="", beat=0)
        return Project(ref, await self._workers.create(ref, made, folder))

    async def check_free(self, ref: ProjectRef) -> None:
        """Raises FileExists if the name is taken. A free name may still be taken before `create`, which then raises
        FileExists."""
        with suppress(FileNotFound):
            await self.get(ref)
            raise taken(ref)

    async def get(self, ref: ProjectRef) -> Project:
        """Finishes an unfinished creation or deletion first. Raises FileNotFound.

        While the store is unavailable, returns a known project as it was last read, so that its REPL can be stopped.
        """
        return await self._get(ref, "")

    async def is_deleted(self, ref: ProjectRef) -> bool:
        """Returns True if the project is deleted, or its deletion has begun. Returns False if the store does not answer
        in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await self._records.read(ref))[0].state == "deleting"
        except FileNotFound:
            return True
        except (ReplError, TimeoutError):
            return False

    async def list(self, owner: str) -> list[Project]:
        """Returns the projects, newest first, and finishes unfinished ones in the background. Reads only records that
        have changed since the last list. Leaves out objects that are not records. A project whose record the store
        refuses to return has a `refusal`. Raises what the store raises if it is unavailable."""
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
        """Returns None if the project is being deleted, or if its record is not valid. Waits only LIST_SECONDS for
        others that create or delete it; if they are dead, a background task finishes their work."""
        known, known_tag = self._known.get(ref, (None, ""))
        if known is not None and tag and tag == known_tag:
            return Project(ref, known)
        if ref not in self._finishing:
            self._finishing[ref] = tasks.awaited(self._get(ref, tag), f"read {ref} for a list")
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
        except (NoPermissions, *REFUSED) as error:
            return Project(ref, _UNKNOWN, error)
        except ReplError as error:
            if (unfinished := self._unfinished.get(ref)) is None:
                raise
            return Project(ref, unfinished, error)  # it can't be finished now, as on a full disk

    def _looked(self, ref: ProjectRef, task: "asyncio.Task[Project]") -> None:
        del self._finishing[ref]
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it if no list waits any more

    async def close(self) -> None:
        """Cancel the background tasks; the next server that reads an unfinished project finishes it."""
        await tasks.stop(*self._finishing.values())

    async def rename(self, ref: ProjectRef, title: object) -> Project:
        """Give it another title; its id stays. Raises FileNotFound, InvalidRequest, Conflict."""
        if not isinstance(title, str) or not 0 < len(title.strip()) <= MAX_TITLE:
            raise InvalidRequest("The title is empty or too long.", hint=f"Use 1 to {MAX_TITLE} characters.")
        project = await self.get(ref)
        record, etag = await self._records.read(ref)
        record = replace(record, title=title.strip())
        await self._records.replace(ref, record, etag)
        return replace(project, record=record)

    async def delete(self, ref: ProjectRef, stop: Stop = nothing) -> None:
        """Delete the record and the files. The caller has stopped the runner. Idempotent. Raises FileNotFound if there
        is no such project. Returns at once if another worker is deleting it already.

        `stop` is called once the record says that the project is being deleted. It stops a REPL that another server
        started before that server could read this.
        """
        for _ in range(DELETE_ATTEMPTS):
            record, etag = await self._records.read(ref)
            try:
                if record.state == "deleting":
                    await self._workers.finish(ref, record, etag)
                else:
                    await self._workers.delete(ref, record, etag, stop)
                    return
            except FileNotFound:
                return
            except Conflict:  # it was renamed meanwhile, or somebody else has begun to delete it
                continue
        raise Unavailable(f"Other servers keep changing {ref.repl_id}.", hint="Try again in a moment.")

    async def _get(self, ref: ProjectRef, tag: str) -> Project:
        """Like `get`. `tag`: the record's tag in the listing just before, or "" if there was no listing."""
        known, _ = self._known.get(ref, (None, ""))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if known else None):
                record, etag = await self._records.read(ref)
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
                record = await self._workers.finish(ref, record, etag)
            except Conflict:  # somebody else was faster
                return await self._get(ref, tag)
            except FileNotFound:
                self._unfinished.pop(ref, None)
                raise
        self._unfinished.pop(ref, None)
        self._known[ref] = record, tag
        return Project(ref, record)
