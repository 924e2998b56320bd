"""Carries changes of the volume into the store, in an order in which no crash loses anything.

New objects come first, then the manifest; deletions are last, each after a copy in the trash. One exception: where a
folder takes the name of a file, or the other way round, the old object is deleted first.
"""

import asyncio
import time

from jupyter_repl_runner.contract.errors import Conflict, FileExists
from jupyter_repl_runner.contract.paths import parent
from jupyter_repl_runner.store.checkout import read_manifest
from jupyter_repl_runner.store.each import each, together
from jupyter_repl_runner.store.manifest import Manifest

from .deletions import Deletions
from .found import Found, Row
from .plan import Plan, build_manifest, first_of, plan_push
from .queue import Batch
from .rules import Rules
from .scan import Scan
from .sides import AT_ONCE, Sides
from .status import UNREADABLE
from .upload import Uploader

GRACE_SECONDS, LONGEST_GRACE_SECONDS = 1.0, 3.0
"""For which a file must be missing: editors and git delete and make anew. The second while others follow it."""


class Push:
    def __init__(self, sides: Sides, uploader: Uploader) -> None:
        self._ref, self._store, self._status, self._fence = sides.ref, sides.store, sides.status, sides.fence
        self._volume = sides.volume
        self._uploader = uploader
        self.deletions = Deletions(sides, uploader)
        self.turn = asyncio.Lock()
        """Held while files are written to the store: two tasks that find another version would both keep it."""
        self.is_met = False
        """Whether the whole project was restored, so that what is absent was deleted."""
        self.has_written = False
        """Whether anything of the project has changed since we began."""
        self.look_seconds = 0.0
        """Of CPU, that the last full scan took."""
        self._missing_since: dict[str, float] = {}
        self._manifest: tuple[Manifest, str] | None = None
        """The store's, with its etag, once it is known."""
        self.unmade: set[str] = set()
        """What the manifest has, and could not be made here: it stays in the manifest."""
        self._left_out: tuple[str, ...] = ()
        """As the manifest has it."""

    async def push(self, batch: Batch, *, is_last: bool = False) -> set[str]:
        """Bring the store to what the batch's paths are now; those that must be scanned again.

        `is_last`: deletions have no grace. Raises Fenced, Gone and what the store raises; what was done until then is
        done.
        """
        if is_last:
            self.deletions.refused.clear()
        _, (plan, scan) = await together(self._fence.check(), asyncio.to_thread(self._look_for_changes, batch))
        for path in scan.unseen:
            self._status.report(path, UNREADABLE)
        self._settle(batch, plan, scan)
        again = self._put_off(plan, is_last)
        before = set() if batch.everything else set(self._status.marks.left_out)
        self._status.tell(left_out=tuple(sorted(scan.left_out | before)))
        await self.carry_out(plan, scan.found, again)
        return again

    async def carry_out(self, plan: Plan, found: dict[str, Found], again: set[str]) -> None:
        """Adds to `again` what must be scanned again."""
        async with self.turn:
            await self._carry_out(plan, found, again)

    async def _carry_out(self, plan: Plan, found: dict[str, Found], again: set[str]) -> None:
        self.has_written |= bool(plan.uploads or plan.trash or plan.agreed or plan.forgotten)
        is_reported = self._left_out == self._status.marks.left_out
        index = self._volume.blocking.index
        has_new = any(index.get(path) is None for path in plan.uploads)
        blockers = first_of(plan.trash, plan.uploads)
        if blockers:
            await self.deletions.carry_out(blockers, again)
        sizes = {path: found[path].size for path in plan.uploads}
        if sizes:
            marks = self._status.marks
            self._status.waiting(list(sizes), "saving" if marks.state == "saved" else marks.state)

        async def upload(path: str) -> None:
            if not await self._uploader.upload(path):
                again.add(path)

        await each(sorted(plan.uploads, key=lambda path: sizes[path]), upload, AT_ONCE)
        later = [path for path in plan.trash if path not in blockers]
        gone = [row.found for path in plan.forgotten if (row := index.get(path))]
        links = {found.path: found.target for found in gone if found.kind == "link"}
        folders = {found.path: found.mode for found in gone if found.kind == "folder"}
        agreed = [Row(found[path]) for path in plan.agreed if path not in later]
        replacing = [Row(found[path]) for path in plan.agreed if path in later]
        await self._volume.change(agreed, plan.forgotten)
        if has_new or plan.agreed or plan.forgotten or plan.trash or not is_reported:
            await self._write_manifest(set(plan.trash), replacing)
        if later:
            await self.deletions.carry_out(later, again, links, folders)
            await self._volume.change(replacing)

    def _settle(self, batch: Batch, plan: Plan, scan: Scan) -> None:
        """Remove reports of paths that are gone, or that can be read again and are saved."""

        self.deletions.refused -= scan.found.keys()

        def is_settled(path: str, reason: str) -> bool:
            if path in scan.unseen or path in self.deletions.refused:
                return False
            if path in scan.found:
                return reason == UNREADABLE and path not in plan.uploads
            return batch.everything or path in batch.paths

        self._status.settle(path for path, reason in self._status.unsaved.items() if is_settled(path, reason))

    def _look_for_changes(self, batch: Batch) -> tuple[Plan, Scan]:
        volume = self._volume.blocking
        volume.check()
        rules = volume.rules()
        scan, base = self._look(batch, rules)
        plan = plan_push(scan.found, base)
        plan.trash += self._orphans(plan, rules)
        return plan, scan

    def _look(self, batch: Batch, rules: Rules) -> tuple[Scan, dict[str, Row]]:
        """A scan of the batch's paths, and their rows."""
        volume = self._volume.blocking
        index, tree = volume.index, volume.tree
        if batch.everything:
            begun = time.thread_time()
            scan, base = volume.look_at_all(rules), index.all()
            self.look_seconds = time.thread_time() - begun
        else:
            scan, base = Scan(), {}
            paths, reported = {*batch.paths, *batch.folders} - {""}, self._status.unsaved
            for folder in batch.folders:
                tree.look(folder, rules, scan, deep=False)
                paths |= index.children(folder)
            for path in {*paths, *scan.found}:
                if path not in scan.found:
                    tree.look_at(path, rules, scan)
                found, row = scan.found.get(path), index.get(path)
                is_known = found is not None and row is not None and found.kind == row.found.kind == "folder"
                if row is not None and is_known and path not in reported:
                    base[path] = row  # what happens in a folder that is known has events of its own
                    continue
                base |= index.at(path)
                if found is not None and found.kind == "folder":
                    tree.look(path, rules, scan, deep=True)
        return scan, {
            path: row for path, row in base.items() if not rules.is_below_ignored(path) and not scan.hides(path)
        }

    def _orphans(self, plan: Plan, rules: Rules) -> list[str]:
        """Files that were sent, perhaps without success, and were deleted since: they have no row."""
        volume, scan = self._volume.blocking, Scan()
        index = volume.index
        attempted = [path for path in index.attempted() if not rules.is_below_ignored(path)]
        paths = [path for path in attempted if index.get(path) is None and path not in plan.trash]
        for path in paths:
            volume.tree.look_at(path, rules, scan)
        return [path for path in sorted(paths) if path not in scan.found and path not in scan.unseen]

    def _put_off(self, plan: Plan, is_last: bool) -> set[str]:
        """Take young deletions out of the plan, and all of them if the volume is not whole."""
        now = time.monotonic()
        gone = {*plan.trash, *plan.forgotten} - set(plan.agreed)
        self._missing_since = {path: since for path, since in self._missing_since.items() if path in gone}
        if not self._volume.blocking.is_whole:
            plan.trash = [path for path in plan.trash if path not in gone]
            plan.forgotten = []
            return set()
        if is_last:
            return set()
        waiting = gone - set(first_of(gone, plan.uploads))  # what else is in its place waits for nothing
        ages = {path: now - self._missing_since.setdefault(path, now) for path in waiting}
        young = {path for path, age in ages.items() if age < GRACE_SECONDS}
        if young and max(ages.values()) < LONGEST_GRACE_SECONDS:  # one `rm -r` is one deletion
            young = waiting
        plan.trash = [path for path in plan.trash if path not in young]
        plan.forgotten = [path for path in plan.forgotten if path not in young]
        return young

    async def _write_manifest(self, gone: set[str], replacing: list[Row]) -> None:
        """Write what objects can't hold, if that has changed. `gone`: files that are about to be deleted; `replacing`:
        what is in the place of some of them."""
        rows, counts = await self._volume.structure()
        self._left_out = self._status.marks.left_out
        left = [*(row for row in rows if row.found.path not in gone), *replacing]
        counts.subtract(parent(path) for path in gone)
        counts.update(parent(row.found.path) for row in replacing)
        new = build_manifest(left, {folder for folder, count in counts.items() if count > 0}, self._left_out)
        if self._manifest is None:
            self._manifest = await read_manifest(self._store, self._ref)
        old, etag = self._manifest
        if not self.is_met:
            new = Manifest({**old.links, **new.links}, {**old.folders, **new.folders}, old.left_out)
        elif self.unmade:
            links = {path: target for path, target in old.links.items() if path in self.unmade}
            folders = {path: mode for path, mode in old.folders.items() if path in self.unmade}
            new = Manifest({**new.links, **links}, {**new.folders, **folders}, new.left_out)
        if new == old:
            return
        self._manifest = None
        try:
            head = await self._store.put(
                self._ref.manifest, new.to_bytes(), if_match=etag or None, if_none_match=not etag
            )
        except (Conflict, FileExists):  # an earlier runner's last word: ours is newer
            head = await self._store.put(self._ref.manifest, new.to_bytes())
        self._manifest = new, head.etag
