"""Deletes the objects of files that are gone from the volume, each after a copy in the trash and a last check."""

from contextlib import suppress

from jupyter_repl_runner.contract.errors import Conflict, FileNotFound, InvalidRequest, NoPermissions, ReplError
from jupyter_repl_runner.store.checkout import is_away
from jupyter_repl_runner.store.each import each
from jupyter_repl_runner.store.port import Head
from jupyter_repl_runner.store.s3_errors import REFUSED
from jupyter_repl_runner.store.trash import Item, StoreTrash

from .found import Row
from .sides import AT_ONCE, Sides
from .upload import Uploader

DELETIONS = 200
"""After so many the generation is checked again."""


class Deletions:
    def __init__(self, sides: Sides, uploader: Uploader) -> None:
        self._ref, self._store, self._status, self._fence = sides.ref, sides.store, sides.status, sides.fence
        self._volume = sides.volume
        self._uploader = uploader
        self._trash = StoreTrash(sides.store, sides.ref)
        self.refused: set[str] = set()
        """Paths whose deletion S3 has refused: tried again by the next meeting and at the end, and not all the time."""

    async def forget_old(self) -> None:
        """Delete what has been in the trash for long."""
        await self._fence.check()
        await self._trash.forget_old()

    async def carry_out(
        self,
        paths: list[str],
        again: set[str],
        links: dict[str, str] | None = None,
        folders: dict[str, int] | None = None,
    ) -> None:
        paths = [path for path in paths if path not in self.refused]
        if not paths and not links and not folders:
            return
        place = await self._trash.begin(Item(paths, links or {}, folders or {}))

        async def save(path: str) -> None:
            try:
                await self._store.copy(self._ref.code(path), place + path)
            except FileNotFound:
                return
            except InvalidRequest as error:  # the key is too long: of the copy alone, if there is an object
                if await self._head(path) is not None:
                    self._refuse(path, error)
            except (NoPermissions, *REFUSED) as error:  # what can't be copied is not deleted
                self._refuse(path, error)

        for start in range(0, len(paths), DELETIONS):
            some = paths[start : start + DELETIONS]
            await each(some, save, AT_ONCE)
            if not await self._volume.is_whole():
                return
            await self._fence.check()
            copied = [path for path in some if path not in self.refused]
            await each(copied, lambda path: self._delete_one(path, again), AT_ONCE)

    def _refuse(self, path: str, error: ReplError) -> None:
        self.refused.add(path)
        self._status.report(path, f"It was deleted here, and stays in S3. {error.message}")

    async def _delete_one(self, path: str, again: set[str]) -> None:
        """Delete one object, unless the file is here again. A version that we did not know of is restored instead."""
        if await self._is_here(path):
            again.add(path)
            return
        try:
            await self._delete_known(path, again)
        except ReplError as error:
            if is_away(error):
                raise
            self._refuse(path, error)

    async def _delete_known(self, path: str, again: set[str]) -> None:
        row = await self._volume.row(path)
        there = await self._head(path)
        if there is not None and not await self._is_known(there, row):
            await self._uploader.keep_other(path)
            await self._volume.change((), [path])
            return
        if there is not None:
            try:
                await self._store.delete(self._ref.code(path))
            except Conflict:
                again.add(path)
                return
        await self._volume.change((), [path])

    async def _head(self, path: str) -> Head | None:
        """Returns None also for a path that is too long for a key of S3: no object can have it."""
        with suppress(InvalidRequest):
            return await self._store.head(self._ref.code(path))
        return None

    async def _is_known(self, there: Head, row: Row | None) -> bool:
        """Whether the store's version is one that we have seen or sent."""
        path = there.entry.key.removeprefix(self._ref.code())
        if row is not None and row.tag == there.entry.tag:
            return True
        return there.digest in await self._volume.attempts(path)

    async def is_orphan(self, path: str) -> bool:
        """Whether the object is what we sent, without an answer."""
        there = await self._store.head(self._ref.code(path))
        return there is not None and await self._is_known(there, None)

    async def _is_here(self, path: str) -> bool:
        scan = await self._volume.look_at(path)
        return path in scan.unseen or (path in scan.found and scan.found[path].kind == "file")
