"""Compares volume and store as a whole: the restore at a start, and later checks for writes of an earlier runner.

Files come to the volume in the background, several at a time, the main one first; whatever happens to the volume
meanwhile is saved as ever. A file that was not brought yet has no row, so its absence is never taken for a deletion. A
file that was saved or deleted since the store was asked is left alone: the listing is older than that, and a file that
was saved meanwhile appears to be one that the store has lost.
"""

import asyncio
from collections.abc import Callable

from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.store.bundle import Bundle
from jupyter_repl_runner.store.checkout import is_away, read_manifest
from jupyter_repl_runner.store.each import together
from jupyter_repl_runner.store.manifest import Manifest

from .bundling import Bundler
from .download import Downloader
from .found import Row
from .plan import Plan, plan_meeting
from .push import Push
from .rules import DEPENDENCIES, Rules
from .scan import Scan
from .sides import Sides
from .upload import Uploader

ROUNDS = 5
"""Scans of both sides, until nothing has changed between a scan and what followed from it."""


class Meeting:
    def __init__(self, sides: Sides, uploader: Uploader, push: Push, downloader: Downloader, bundler: Bundler) -> None:
        self._ref, self._store, self._status, self._fence = sides.ref, sides.store, sides.status, sides.fence
        self._volume, self._listed = sides.volume, sides.listed
        self._uploader = uploader
        self._push = push
        self._downloader = downloader
        self._bundler = bundler

    async def meet(self, opened: Callable[[], None]) -> set[str]:
        """Make both sides equal; the paths that must be scanned again. Calls `opened` when the main file is there.

        Raises Fenced, Gone and what the store raises: it may be done again from the start, and goes on where it was.
        """
        self._push.deletions.refused.clear()
        for _ in range(ROUNDS):
            await self._volume.check()
            before = await self._volume.rows()
            (manifest, _), listed, bundle = await together(
                read_manifest(self._store, self._ref), self._listed(), self._begin(opened)
            )
            rules = await self._volume.rules()
            scan = await self._volume.look_at_all(rules)
            base, newer = await asyncio.to_thread(self._known, rules, scan, before)
            tags = {
                path: entry.tag
                for path, entry in listed.items()
                if not rules.is_below_ignored(path) and not scan.hides(path)
            }
            seen = Manifest(
                {path: target for path, target in manifest.links.items() if not scan.hides(path)},
                {path: mode for path, mode in manifest.folders.items() if not scan.hides(path)},
            )
            plan = plan_meeting(scan.found, base, tags, seen, newer, is_ours=self._push.is_met)
            await self._sort_out_orphans(plan, scan)
            await self._tell_missing(manifest)
            again = await self._downloader.bring(plan, scan.found, listed, seen, bundle, opened)
            self._push.unmade = self._downloader.unmade
            if not again:
                return await self._agree(plan, scan, opened)
        raise Unavailable("The files change faster than they can be restored.", hint="Stop what writes them.")

    async def _sort_out_orphans(self, plan: Plan, scan: Scan) -> None:
        """A file that we sent before we were killed, and that was deleted here since, must not be restored."""
        if await self._volume.is_whole():
            attempted = await self._volume.attempted()
            for path in [path for path in plan.downloads if path in attempted and path not in scan.found]:
                if await self._push.deletions.is_orphan(path):
                    plan.downloads.remove(path)
                    plan.trash.append(path)

    async def _agree(self, plan: Plan, scan: Scan, opened: Callable[[], None]) -> set[str]:
        """All that the store has is here: now save what differs here."""
        await self._fence.check()
        if not await self._volume.is_whole():
            await self._volume.declare_whole()
        self._push.is_met = True
        async with self._push.turn:
            again = {path for path in plan.conflicts if not await self._settle(path)}
        await self._push.carry_out(_only_pushes(plan), scan.found, again)
        opened()
        return again

    async def _begin(self, opened: Callable[[], None]) -> Bundle | None:
        """Speeds up a restore into an empty volume: the bundle, and the first files."""
        if await self._volume.is_whole():
            return None
        bundle: Bundle | None
        bundle, _ = await together(self._bundler.read(), self._downloader.bring_first(opened))
        return bundle

    def _known(self, rules: Rules, scan: Scan, before: dict[str, Row]) -> tuple[dict[str, Row], set[str]]:
        """The rows, without what is ignored or could not be read; and the paths whose row differs from `before`.

        In a volume that is not whole, rows of absent files are deleted: these files are to be restored, not deleted.
        """
        volume = self._volume.blocking
        rows = volume.index.all()
        newer = {path for path in {*before, *rows} if before.get(path) != rows.get(path)}
        if not volume.is_whole:
            absent = {path for path in rows if path not in scan.found} - newer
            volume.index.change((), absent)
            rows = {path: row for path, row in rows.items() if path not in absent}
        return {
            path: row for path, row in rows.items() if not rules.is_below_ignored(path) and not scan.hides(path)
        }, newer

    async def _settle(self, path: str) -> bool:
        """Settle a conflict; whether it is done with."""
        found = await self._volume.found(path)
        if found is not None and found.kind == "file":
            return await self._uploader.upload(path, anew=True)
        if found is not None:
            try:
                await self._uploader.keep_other(path)
            except ReplError as error:
                if is_away(error):
                    raise
                self._status.report(path, error.message)
        return True

    async def _tell_missing(self, manifest: Manifest) -> None:
        """Report dependencies that are not saved and not here, with the commands that install them."""
        missing = []
        for path in manifest.left_out:
            command = DEPENDENCIES.get(path.rpartition("/")[2])
            if command and not await self._volume.is_here(path):
                missing.append((path, command))
        self._status.tell(missing=tuple(missing))


def _only_pushes(plan: Plan) -> Plan:
    return Plan(uploads=plan.uploads, trash=plan.trash, agreed=plan.agreed, forgotten=plan.forgotten)
