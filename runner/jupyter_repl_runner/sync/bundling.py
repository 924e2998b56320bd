"""Renews the bundle of small files when nothing happens, and at the end."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.store.bundle import (
    MAX_HEAD,
    MEMBER_BYTES,
    MEMBER_HEAD,
    MOST_BYTES,
    Bundle,
    Member,
    dump,
    read_bundle,
    read_members,
)
from jupyter_repl_runner.store.port import Entry

from .found import Row
from .sides import Sides
from .snapshot import TooLarge, take

END_SECONDS = 5.0
"""The most that the last bundle takes."""
WORTH_BYTES = 256_000
"""Bytes of a bundle that take as long to send as one request for a file."""


class Bundler:
    """`main`: the file that comes first."""

    def __init__(self, sides: Sides, main: str) -> None:
        self._ref, self._store, self._fence, self._listed = sides.ref, sides.store, sides.fence, sides.listed
        self._volume = sides.volume.blocking
        self._main = main
        self._known: dict[str, str] | None = None
        """Tags by paths of what the bundle in the store holds; None: it was not read yet."""

    async def read(self) -> Bundle | None:
        bundle = await read_bundle(self._store, self._ref)
        self._know(bundle.members if bundle else ())
        return bundle

    def _know(self, members: Iterable[Member]) -> None:
        self._known = {member.path: member.tag for member in members}

    async def renew(self, *, is_last: bool = False) -> None:
        """Write a new one if that is worth its bytes; `is_last`: also where it holds what was deleted. Raises Fenced
        and what the store raises."""
        if self._known is None:
            self._know(await read_members(self._store, self._ref))
        rows = await asyncio.to_thread(self._rows)
        if not self._is_worth_it(rows, is_last):
            return
        pairs = await asyncio.to_thread(self._collect, rows, await self._listed())
        raw = await asyncio.to_thread(dump, pairs)
        await self._fence.check()
        await self._store.put(self._ref.bundle, raw)
        self._know(member for member, _ in pairs)

    async def renew_at_the_end(self) -> None:
        """All is saved already: nobody waits long for it."""
        with suppress(ReplError, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self.renew(is_last=True)

    def _rows(self) -> list[Row]:
        """Those of small files, the main one first and then the smallest, as many as a bundle holds."""
        index = self._volume.index
        main = index.get(self._main)
        first = [main] if main is not None and main.tag and main.found.size <= MEMBER_BYTES else []
        others = (row for row in index.small_files(MEMBER_BYTES) if row.found.path != self._main)
        return list(within_limits(chain(first, others)))

    def _is_worth_it(self, rows: list[Row], is_last: bool) -> bool:
        known = self._known or {}
        stale = sum(known.get(row.found.path) != row.tag for row in rows)
        has_deleted = bool(set(known) - {row.found.path for row in rows})
        size = sum(row.found.size for row in rows)
        return stale * WORTH_BYTES > size or (is_last and has_deleted)

    def _collect(self, rows: list[Row], listed: dict[str, Entry]) -> list[tuple[Member, bytes]]:
        """The files that are equal in volume and store."""
        pairs = []
        for row in rows:
            found, entry = row.found, listed.get(row.found.path)
            if entry is None or (entry.tag, entry.size) != (row.tag, found.size):
                continue
            try:
                snapshot = take(self._volume.root, found.path, MEMBER_BYTES)
            except (OSError, TooLarge):
                continue
            with snapshot:
                if snapshot.is_torn or snapshot.hash != row.hash:
                    continue
                mtime = found.mtime_ns / 1e9
                member = Member(found.path, found.size, found.mode, mtime, row.hash, row.tag, entry.mtime)
                pairs.append((member, snapshot.body.read()))
        return pairs


def within_limits(rows: Iterable[Row]) -> Iterable[Row]:
    """As many as a reader of the bundle accepts."""
    left, left_of_head = MOST_BYTES, MAX_HEAD
    for row in rows:
        left -= row.found.size
        left_of_head -= len(json.dumps(row.found.path)) + len(row.tag) + MEMBER_HEAD
        if left < 0 or left_of_head < 0:
            return
        yield row
