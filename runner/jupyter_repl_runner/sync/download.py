"""Restores files: small ones from the bundle where the listing confirms them, the others one by one.

The main file comes first. Until the volume is declared whole, no write waits for the disk: see `Volume`.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from logging import getLogger

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotADirectory, FileNotFound, ReplError
from jupyter_repl_runner.contract.settings import SETTINGS_FILE
from jupyter_repl_runner.files import content, writing
from jupyter_repl_runner.store.bundle import Bundle, Member
from jupyter_repl_runner.store.checkout import fetch, is_away
from jupyter_repl_runner.store.each import each
from jupyter_repl_runner.store.manifest import USUAL_MODE, Manifest
from jupyter_repl_runner.store.port import Entry

from .found import Found, Row
from .plan import Plan
from .rules import Rules
from .scan import USED_UP, Scan, describe
from .sides import AT_ONCE, Sides
from .status import Status

TRIES = 4
"""Attempts for a file that differs from its listing, or is gone; then it is reported."""
SLICE = 500
"""Files of a bundle that are written between two reports of progress."""
REPORT_SECONDS = 0.1

log = getLogger(__name__)


class Progress:
    """The progress of one restore, written to the marks a few times a second. `opened` is called once the main file is
    there."""

    def __init__(self, status: Status, sizes: Mapping[str, int], main: str, opened: Callable[[], None]) -> None:
        self._status = status
        self._sizes = sizes
        self._main = main
        self._opened = opened
        self._files = self._bytes = 0
        self._reported_at = 0.0
        self._status.tell(files=0, bytes=0, total_files=len(sizes), total_bytes=sum(sizes.values()))

    def done(self, path: str) -> None:
        self._files += 1
        self._bytes += self._sizes[path]
        if time.monotonic() > self._reported_at + REPORT_SECONDS or self._files == len(self._sizes):
            self._reported_at = time.monotonic()
            self._status.tell(files=self._files, bytes=self._bytes)
        if path == self._main:
            self._opened()


class Downloader:
    """`main`: the file that a person sees first."""

    def __init__(self, sides: Sides, main: str) -> None:
        self._ref, self._store, self._status = sides.ref, sides.store, sides.status
        self._volume = sides.volume
        self._main = main
        self._failures: Counter[str] = Counter()
        """How often each file could not be fetched."""
        self.unmade: set[str] = set()
        """Links and folders of the manifest that could not be made, or not with their mode."""

    async def bring(
        self,
        plan: Plan,
        found: Mapping[str, Found],
        listed: Mapping[str, Entry],
        manifest: Manifest,
        bundle: Bundle | None,
        opened: Callable[[], None],
    ) -> set[str]:
        """Carry out downloads and removals of the plan, which was made from `found` and `listed`; the paths that must
        be scanned again."""
        again: set[str] = set()
        files = [path for path in plan.downloads if path in listed]
        self._status.settle_unrestored(set(files))
        files.sort(key=lambda path: (path != self._main, path != SETTINGS_FILE, listed[path].size))
        if self._main not in files and (self._main in found or not files):
            opened()
        progress = Progress(self._status, {path: listed[path].size for path in files}, self._main, opened)
        left = files
        if bundle is not None:
            missing = {path: listed[path] for path in files if path not in found}
            brought = await self._unbundle(bundle, missing, progress)
            left = [path for path in files if path not in brought]

        async def download(path: str) -> None:
            await self._download(path, found.get(path), again)
            progress.done(path)

        await each(left, download, AT_ONCE)
        unmade = await asyncio.to_thread(self._make_rest, plan, files, manifest)
        self.unmade = set(unmade)
        for path, reason in unmade.items():
            self._status.report_unrestored(path, reason)
        for path in plan.removals:
            await asyncio.to_thread(self._remove, path, found[path], again)
        return again

    async def bring_first(self, opened: Callable[[], None]) -> None:
        """Restore the settings and the main file into an empty volume, before the listing is there."""
        for path in (SETTINGS_FILE, self._main):
            if path and not await self._volume.is_here(path):
                await self._download(path, None, set())
        if self._main and await self._volume.is_here(self._main):
            opened()

    async def _unbundle(self, bundle: Bundle, wanted: Mapping[str, Entry], progress: Progress) -> set[str]:
        """Restore what the bundle has of `wanted`, which are not in the volume; their paths."""
        brought: set[str] = set()
        members = bundle.confirmed(wanted)
        while rows := await asyncio.to_thread(self._write_some, members):
            for row in rows:
                brought.add(row.found.path)
                progress.done(row.found.path)
        return brought

    def _write_some(self, members: Iterator[tuple[Member, memoryview]]) -> list[Row]:
        """Write the next SLICE that can be written; empty at the end."""
        rows: list[Row] = []
        while not rows and (some := list(islice(members, SLICE))):
            for member, data in some:
                try:
                    rows.append(self._write(member, data))
                except (ReplError, OSError):  # as a file of its own it may come, or say why it can't
                    continue
        self._volume.blocking.index.change(rows)
        return rows

    def _write(self, member: Member, data: memoryview) -> Row:
        beneath = self._volume.beneath
        with writing.Writer(beneath, member.path, mode=member.mode, mtime=member.mtime, durable=False) as writer:
            writer.write(data)
            found = describe(writer.place(content.MISSING), member.path)
            assert found is not None
            return Row(found, member.tag, member.digest)

    async def _download(self, path: str, found: Found | None, again: set[str]) -> None:
        """Fetch one file in place of `found`. If that has changed since the scan, the next meeting finds a conflict."""
        volume = self._volume

        def check() -> None:
            """A large file has no hash to compare."""
            if found is not None and found.size > content.HASHED_BYTES:
                scan = Scan()
                volume.blocking.tree.look_at(path, Rules(), scan)
                if scan.found.get(path) != found:
                    raise Conflict(f"{path} was changed meanwhile.")

        try:
            condition = await self._condition(path, found)
            durable, key = volume.blocking.is_whole, self._ref.code(path)
            head, status = await fetch(
                self._store, key, volume.beneath, path, if_match=condition, durable=durable, check=check
            )
        except (Conflict, FileExists, FileNotFound) as error:  # changed on one side since both were scanned
            self._failures[path] += 1
            if self._failures[path] < TRIES:
                again.add(path)
            else:
                self._status.report_unrestored(path, error.message)
        except ReplError as error:
            if is_away(error):
                raise
            self._status.report_unrestored(path, error.message)
        else:
            self._failures.pop(path, None)
            placed = describe(status, path)
            assert placed is not None  # a regular file: what was written since then differs from it
            await volume.change([Row(placed, head.entry.tag, head.digest)])

    async def _condition(self, path: str, found: Found | None) -> str | None:
        row = await self._volume.row(path)
        if found is None or found.kind != "file" or row is None:
            return content.MISSING
        return row.hash if found.size <= content.HASHED_BYTES else None

    def _make_rest(self, plan: Plan, files: list[str], manifest: Manifest) -> dict[str, str]:
        """Links, folders and their modes, the inner ones first: an outer one may forbid the way. Why not, by path, for
        those that could not be made. Raises Unavailable where that says nothing of the path."""
        volume, unmade = self._volume.blocking, dict[str, str]()
        wanted = (set(plan.downloads) - set(files)) | (self.unmade & {*manifest.links, *manifest.folders})
        for path in sorted(wanted):
            with _noting(path, unmade), volume.beneath.entry(path, follow=False, make=True) as (folder, name):
                if path in manifest.links:
                    os.symlink(manifest.links[path], name, dir_fd=folder)
                else:
                    os.mkdir(name, dir_fd=folder)
        above = {path[:end] for path in files for end, letter in enumerate(path) if letter == "/"}
        modes = {**dict.fromkeys(above, USUAL_MODE), **manifest.folders}
        for path in sorted({*above, *wanted} & set(modes), reverse=True):
            with _noting(path, unmade), volume.beneath.folder(path) as descriptor:
                os.fchmod(descriptor, modes[path])
        scan = Scan()
        for path in {*above, *wanted} - set(unmade):
            volume.tree.look_at(path, Rules(), scan)
        volume.index.change([Row(found) for found in scan.found.values() if found.kind != "file"])
        return unmade

    def _remove(self, path: str, found: Found, again: set[str]) -> None:
        """The object was deleted, and the file has not changed here: move it to the volume's trash, and delete empty
        folders."""
        volume, scan = self._volume.blocking, Scan()
        volume.tree.look_at(path, Rules(), scan)
        if scan.found.get(path) != found:
            again.add(path)
            return
        try:
            volume.to_trash(path)
        except ReplError as error:
            self._status.report(path, f"It was deleted elsewhere, and stays here for now. {error.message}")
            return
        volume.index.change((), [path])
        while path := path.rpartition("/")[0]:
            try:
                with volume.beneath.entry(path, follow=False) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except (OSError, ReplError):
                return
            volume.index.change((), [path])


@contextmanager
def _noting(path: str, unmade: dict[str, str]) -> Iterator[None]:
    """Note why the block fails; it is no failure if something is there already, or is in the way of a file."""
    try:
        yield
    except (FileExists, FileNotADirectory):
        return
    except ReplError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in USED_UP:
            raise
        unmade[path] = error.message
