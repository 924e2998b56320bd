"""Projects in the store: created, finished when half-made, listed, renamed, deleted. Knows nothing of runners.

A project is its record, `meta/{replId}.json`, and its files under `code/{replId}/`. The record is written first, only
where there is none, so a name can never be taken twice; its state is "creating" until the files are there. See
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
from .records import Project, ProjectRecord, Records, Unreadable, taken
from .workers import Stop, Workers, nothing

LIST_SECONDS = 0.5
"""For which a list waits for what others are doing with a project."""
DELETE_ATTEMPTS = 5
MAX_TITLE = 200
PATIENCE_SECONDS = 2.0
"""For which a store is waited for where an older answer will do."""

log = logging.getLogger(__name__)


_UNKNOWN = ProjectRecord(language="", title="", created="1970-01-01T00:00:00+00:00", state="ready")


class Projects:
    """All verbs are safe between any number of servers on one store."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._records = Records(store)
        self._workers = Workers(store, self._records)
        self._finishing: dict[ProjectRef, asyncio.Task[Project]] = {}
        self._unfinished: dict[ProjectRef, ProjectRecord] = {}
        """Tasks that read a project for a list, and the records of those that others are making or deleting."""
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
        )
        return Project(ref, await self._workers.create(ref, record, folder))

    async def check_free(self, ref: ProjectRef) -> None:
        """Raises FileExists if the name is taken; another may take it yet, which only `create` finds out."""
        with suppress(FileNotFound):
            await self.get(ref)
            raise taken(ref)

    async def get(self, ref: ProjectRef) -> Project:
        """Finishes a half-made or half-deleted project first. Raises FileNotFound.

        While the store is away a project that was seen before is as it was then: its REPL can still be stopped.
        """
        return await self._get(ref, "")

    async def is_deleted(self, ref: ProjectRef) -> bool:
        """Whether it is gone, or is about to be for good; not where the store does not say so in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await self._records.read(ref))[0].state == "deleting"
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
        except (NoPermissions, *REFUSED) as error:
            return Project(ref, _UNKNOWN, error)
        except ReplError as error:
            if (unfinished := self._unfinished.get(ref)) is None:
                raise
            return Project(ref, unfinished, error)  # it can't be finished now, as on a full disk

    def _looked(self, ref: ProjectRef, task: "asyncio.Task[Project]") -> None:
        del self._finishing[ref]
        if not task.cancelled():
            task.exception()  # it is for the lists that wait, and there may be none any more

    async def close(self) -> None:
        """Cancel what goes on in the background; the next server that comes to it finishes it."""
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
        """Delete record and files; the caller has stopped its runner. Idempotent, raises FileNotFound. Returns at once
        where somebody else is deleting it already.

        `stop` is called once the record says that the project is being deleted, and ends what another server has
        started before it could know.
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
        raise Unavailable(f"{ref.repl_id} is changed all the time.", hint="Try again in a moment.")

    async def _get(self, ref: ProjectRef, tag: str) -> Project:
        """See `get`. `tag`: the one that the store's listing has for the record now, if that is known."""
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
