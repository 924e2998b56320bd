"""Saves one file of the volume. If the store has a version that we did not know of, both are kept."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from typing import IO

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
from jupyter_repl_runner.files.root import ABSENT
from jupyter_repl_runner.store.checkout import fetch, is_away
from jupyter_repl_runner.store.port import Head
from jupyter_repl_runner.store.s3_errors import REFUSED, Unreachable
from jupyter_repl_runner.store.trash import StoreTrash

from .found import Row
from .plan import conflict_name
from .scan import USED_UP
from .sides import Sides
from .snapshot import IN_MEMORY, Snapshot, TooLarge
from .status import UNREADABLE

COPY_BYTES = 1 << 20
"""For files of this size a HEAD and a copy cost less than sending them."""
TORN_SECONDS = 5.0
"""A file that is written all the time is saved after so long, as it is then."""
_CHUNK = 1 << 18


class Uploader:
    """`limit`: bytes of the largest file that is saved; a larger one is reported."""

    def __init__(self, sides: Sides, limit: int) -> None:
        self._ref, self._store, self._status = sides.ref, sides.store, sides.status
        self._volume = sides.volume
        self._limit = limit
        self._trash = StoreTrash(sides.store, sides.ref)
        self._torn: dict[str, float] = {}
        """Files that were being written when they were read, and since when that is so."""

    async def upload(self, path: str, *, anew: bool = False) -> bool:
        """Whether it is done with, for now; False: scan it again. Raises what the store raises.

        `anew`: whatever both sides have agreed on, since that holds no more.
        """
        row = None if anew else await self._volume.row(path)
        snapshot = await self._take(path)
        if snapshot is None:
            return True
        with snapshot:
            if snapshot.is_torn and not self._has_waited(path):
                return False
            is_torn = snapshot.is_torn
            if not is_torn:
                self._torn.pop(path, None)
            elif path in self._torn:
                self._torn[path] = time.monotonic()
            try:
                await self._bring(path, snapshot, row)
            except ReplError as error:  # of this file: it is tried again with the next full scan
                if is_away(error):
                    raise
                if isinstance(error, REFUSED):
                    await self._trash.touch()  # raises where nothing at all is taken
                elif isinstance(error, NoPermissions | InvalidRequest) and row is None:
                    await self._volume.change((), [path])  # no request was made: the store can't have it
                self._status.report(path, error.message)
                return True
            return not is_torn

    async def _take(self, path: str) -> Snapshot | None:
        """None if there is nothing that can be saved, which is reported unless it is gone. Raises Unavailable."""
        try:
            return await self._volume.snapshot(path, self._limit)
        except TooLarge:
            self._status.report(path, f"It is larger than {self._limit >> 20} MB.")
        except OSError as error:
            if error.errno in USED_UP:
                raise Unavailable(f"{path} can't be read now: {error.strerror}.", hint="It is tried again.") from error
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self._status.report(path, "There is no room for a copy of it in the temporary folder.")
                return None
            # What is gone, or no file any more, is an event of its own.
            if error.errno not in ABSENT and not isinstance(error, FileNotFoundError):
                self._status.report(path, UNREADABLE)
        return None

    def _has_waited(self, path: str) -> bool:
        return time.monotonic() - self._torn.setdefault(path, time.monotonic()) > TORN_SECONDS

    async def _bring(self, path: str, snapshot: Snapshot, row: Row | None) -> None:
        known = row.found if row else None
        now = snapshot.found
        is_same = row is not None and row.tag and row.hash == snapshot.hash
        if known and is_same and (known.kind, known.mode, known.mtime_ns) == (now.kind, now.mode, now.mtime_ns):
            await self._agree(snapshot, row.tag if row else "")
            return
        try:
            copied = await self._copy(path, snapshot) if row is None and now.size >= COPY_BYTES else None
            head = copied or await self._put(path, snapshot, row.tag if row else "")
        except (Conflict, FileExists):
            head = await self._settle(path, snapshot)
        await self._agree(snapshot, head.entry.tag)
        self._status.uploaded(path, head.etag)

    async def _copy(self, path: str, snapshot: Snapshot) -> Head | None:
        """A copy that the store has made of a file that it has, so that a renamed folder is not sent again; else
        None."""
        store, ref, now = self._store, self._ref, snapshot.found
        twin = await self._volume.twin(now, snapshot.hash)
        if twin is None or await store.head(ref.code(path)) is not None:
            return None
        await self._volume.attempt(path, snapshot.hash)
        try:
            await store.copy(ref.code(twin.found.path), ref.code(path))
        except (FileNotFound, NoPermissions, *REFUSED, Unreachable):  # gone, refused, or slower than sending it
            return None
        head = await store.head(ref.code(path))
        return head if head and (head.digest, head.entry.mode) == (snapshot.hash, now.mode) else None

    async def _put(self, path: str, snapshot: Snapshot, tag: str) -> Head:
        now = snapshot.found
        await self._volume.attempt(path, snapshot.hash)
        snapshot.body.seek(0)
        data = snapshot.body.read() if now.size <= IN_MEMORY else _chunks(snapshot.body)
        self._status.sending += now.size
        try:
            return await self._store.put(
                self._ref.code(path),
                data,
                if_tag=tag or None,
                if_none_match=not tag,
                mode=now.mode,
                mtime=now.mtime_ns / 1e9,
            )
        finally:
            self._status.sending -= now.size

    async def _settle(self, path: str, snapshot: Snapshot) -> Head:
        """Another writer has changed the object: keep that version beside ours, then save ours."""
        there = await self._store.head(self._ref.code(path))
        if there is None:
            return await self._put(path, snapshot, "")
        if there.digest == snapshot.hash and there.entry.mode == snapshot.found.mode:
            return there
        ours = {snapshot.hash, *await self._volume.attempts(path)}
        if there.digest not in ours:
            await self.keep_other(path)
        return await self._put(path, snapshot, there.entry.tag)

    async def keep_other(self, path: str) -> None:
        """Put the store's version into the volume, beside ours; from there it is saved like any other file."""
        folder = os.path.dirname(path)

        def names() -> set[str]:
            try:
                with self._volume.beneath.folder(folder) as descriptor:
                    return {os.path.join(folder, name) for name in os.listdir(descriptor)}
            except (OSError, ReplError):
                return set()

        other = conflict_name(path, await asyncio.to_thread(names))
        await fetch(self._store, self._ref.code(path), self._volume.beneath, other)

    async def _agree(self, snapshot: Snapshot, tag: str) -> None:
        await self._volume.change([Row(snapshot.found, tag, snapshot.hash)])
        self._status.settle([snapshot.found.path])


async def _chunks(body: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await tasks.in_thread(body.read, _CHUNK):
        yield chunk
