"""Volume and store compared as a whole: the restore at a start, and later looks for what an earlier runner still wrote.

Files come to the volume in the background, several at a time, the main one first; whatever happens to the volume
meanwhile is saved as ever. A file that was not brought yet has no row, so its absence is never taken for a deletion.
"""

import asyncio
import os
from collections.abc import Callable
from logging import getLogger

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files import content
from jupyter_repl_runner.store.checkout import fetch, read_manifest
from jupyter_repl_runner.store.each import each
from jupyter_repl_runner.store.manifest import USUAL_MODE, Manifest
from jupyter_repl_runner.store.port import Head, Store

from .fence import Fence
from .index import Found, Row
from .plan import Plan, Remote, plan_meeting
from .push import AT_ONCE, Push, is_at_or_below
from .rules import DEPENDENCIES, Rules
from .scan import Sight
from .status import Status
from .upload import Uploader
from .volume import Volume

ROUNDS = 5
"""Looks at both sides, until nothing has changed between a look and what followed from it."""

log = getLogger(__name__)


class Meeting:
    """`main`: the file that a person sees first."""

    def __init__(
        self,
        store: Store,
        ref: ProjectRef,
        volume: Volume,
        fence: Fence,
        status: Status,
        uploader: Uploader,
        push: Push,
        main: str,
    ) -> None:
        self._store = store
        self._ref = ref
        self._volume = volume
        self._fence = fence
        self._status = status
        self._uploader = uploader
        self._push = push
        self._main = main

    async def meet(self, opened: Callable[[], None]) -> set[str]:
        """Make both sides one; the paths that must be looked at again. Calls `opened` when the main file is there.

        Raises Fenced and what the store raises: it may be done again from the start, and goes on where it was.
        """
        for _ in range(ROUNDS):
            manifest, _ = await read_manifest(self._store, self._ref)
            remote = await self._list()
            rules = await asyncio.to_thread(self._volume.rules)
            sight = await asyncio.to_thread(self._volume.look_at_all, rules)
            base = await asyncio.to_thread(self._known, rules, sight)
            wanted = {path: there for path, there in remote.items() if not rules.is_below_ignored(path)}
            plan = plan_meeting(sight.found, base, wanted, manifest, is_ours=self._push.is_met)
            await self._sort_out_orphans(plan, sight)
            self._tell_missing(manifest)
            again = await self._bring(plan, sight, remote, manifest, opened)
            if not again:
                return await self._agree(plan, sight, opened)
        raise Unavailable("The files change faster than they can be restored.", hint="Stop what writes them.")

    async def _sort_out_orphans(self, plan: Plan, sight: Sight) -> None:
        """What we sent before we were killed, and somebody has deleted since, is not to come back."""
        if self._volume.is_whole:
            attempted = await asyncio.to_thread(self._volume.index.attempted)
            for path in [path for path in plan.downloads if path in attempted and path not in sight.found]:
                if await self._push.is_orphan(path):
                    plan.downloads.remove(path)
                    plan.trash.append(path)

    async def _agree(self, plan: Plan, sight: Sight, opened: Callable[[], None]) -> set[str]:
        """All that the store has is here: now the other direction."""
        await self._fence.check()
        if not self._volume.is_whole:
            await asyncio.to_thread(self._volume.declare_whole)
        self._push.is_met = True
        again = {path for path in plan.conflicts if not await self._settle(path)}
        await self._push.carry_out(_only_pushes(plan), sight.found, again)
        opened()
        return again

    async def _list(self) -> dict[str, Remote]:
        prefix = self._ref.code()
        return {entry.key[len(prefix) :]: Remote(entry.tag, entry.size) async for entry in self._store.list(prefix)}

    def _known(self, rules: Rules, sight: Sight) -> dict[str, Row]:
        """The rows, but for what is ignored or can't be seen. Of a volume that is not whole all rows of absent files
        are forgotten: they are to come, not to go."""
        rows = self._volume.index.all()
        if not self._volume.is_whole:
            absent = [path for path in rows if path not in sight.found]
            self._volume.index.change((), absent)
            rows = {path: row for path, row in rows.items() if path in sight.found}
        return {
            path: row
            for path, row in rows.items()
            if not rules.is_below_ignored(path) and not any(is_at_or_below(path, each) for each in sight.unseen)
        }

    async def _bring(
        self, plan: Plan, sight: Sight, remote: dict[str, Remote], manifest: Manifest, opened: Callable[[], None]
    ) -> set[str]:
        """Downloads and removals; what could not be done as planned."""
        again: set[str] = set()
        files = [path for path in plan.downloads if path in remote]
        files.sort(key=lambda path: (path != self._main, path != ".repl.toml", remote[path].size))
        done = size = 0
        total = sum(remote[path].size for path in files)
        self._status.tell(total_files=len(files), total_bytes=total)
        if self._main not in files and (self._main in sight.found or not files):
            opened()

        async def bring(path: str) -> None:
            nonlocal done, size
            await self._download(path, sight.found.get(path), again)
            done, size = done + 1, size + remote[path].size
            self._status.tell(files=done, bytes=size)
            if path == self._main:
                opened()

        await each(files, bring, AT_ONCE)
        await asyncio.to_thread(self._make_rest, plan, files, manifest)
        for path in plan.removals:
            await asyncio.to_thread(self._remove, path, sight.found[path], again)
        return again

    async def _download(self, path: str, found: Found | None, again: set[str]) -> None:
        """In place of `found`, unless that has changed since it was looked at: then it is a conflict, the next time."""
        try:
            condition = await asyncio.to_thread(self._condition, path, found)
            head = await fetch(self._store, self._ref.code(path), self._volume.beneath, path, if_match=condition)
        except (Conflict, FileExists, FileNotFound):  # changed on one side since both were looked at
            again.add(path)
        except ReplError as error:
            if error.status == 503:
                raise
            self._status.report(path, error.message)
        else:
            await asyncio.to_thread(self._note, path, head)

    def _condition(self, path: str, found: Found | None) -> str | None:
        row = self._volume.index.get(path)
        if found is None or found.kind != "file" or row is None:
            return content.MISSING
        return row.hash if found.size <= content.HASHED_BYTES else None

    def _note(self, path: str, head: Head) -> None:
        sight = Sight()
        self._volume.tree.look_at(path, Rules(), sight)
        if path in sight.found:
            self._volume.index.change([Row(sight.found[path], head.entry.tag, head.digest)])

    def _make_rest(self, plan: Plan, files: list[str], manifest: Manifest) -> None:
        """Links, folders and their modes, the inner ones first: an outer one may forbid the way."""
        wanted = [path for path in plan.downloads if path not in files]
        for path in sorted(wanted):
            try:
                with self._volume.beneath.entry(path, follow=False, make=True) as (folder, name):
                    if path in manifest.links:
                        os.symlink(manifest.links[path], name, dir_fd=folder)
                    else:
                        os.mkdir(name, dir_fd=folder)
            except (OSError, ReplError):  # there already, which is how it should be, or in the way of a file
                continue
        above = {path[:end] for path in files for end, letter in enumerate(path) if letter == "/"}
        modes = {**dict.fromkeys(above, USUAL_MODE), **manifest.folders}
        for path in sorted({*above, *wanted} & set(modes), reverse=True):
            self._set_mode(path, modes[path])
        sight = Sight()
        for path in {*above, *wanted}:
            self._volume.tree.look_at(path, Rules(), sight)
        self._volume.index.change([Row(found) for found in sight.found.values() if found.kind != "file"])

    def _set_mode(self, path: str, mode: int) -> None:
        try:
            with self._volume.beneath.folder(path) as descriptor:
                os.fchmod(descriptor, mode)
        except (OSError, ReplError):
            log.warning("%s: the mode of a folder could not be set", self._ref)

    def _remove(self, path: str, found: Found, again: set[str]) -> None:
        """The store has it no more, and it has not changed here: to the volume's own trash, and empty folders with
        it."""
        sight = Sight()
        self._volume.tree.look_at(path, Rules(), sight)
        if sight.found.get(path) != found:
            again.add(path)
            return
        self._volume.trash.delete(self._volume.beneath, path)
        self._volume.index.change((), [path])
        while path := path.rpartition("/")[0]:
            try:
                with self._volume.beneath.entry(path, follow=False) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except (OSError, ReplError):
                return
            self._volume.index.change((), [path])

    async def _settle(self, path: str) -> bool:
        """Both sides have changed it; whether that is done with."""
        sight = Sight()
        await asyncio.to_thread(self._volume.tree.look_at, path, Rules(), sight)
        found = sight.found.get(path)
        if found is not None and found.kind == "file":
            return await self._uploader.upload(path, anew=True)
        if found is not None:
            await self._uploader.keep_other(path)
        return True

    def _tell_missing(self, manifest: Manifest) -> None:
        """Dependencies that are not saved and are not here: what brings them back."""
        missing = []
        for path in manifest.left_out:
            command = DEPENDENCIES.get(path.rpartition("/")[2])
            if command and not os.path.lexists(self._volume.tree.root / path):
                missing.append((path, command))
        self._status.tell(missing=tuple(missing))


def _only_pushes(plan: Plan) -> Plan:
    return Plan(uploads=plan.uploads, trash=plan.trash, agreed=plan.agreed, forgotten=plan.forgotten)
