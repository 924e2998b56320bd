"""The volume for the event loop: each call waits for a thread that does it."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from .found import Found, Row
from .rules import Rules
from .scan import Scan
from .snapshot import Snapshot, take
from .volume import Volume


class AsyncVolume:
    """Raises what `blocking` raises, which is for those who work in a thread of their own."""

    def __init__(self, volume: Volume) -> None:
        self.blocking = volume
        self.beneath = volume.beneath

    # -- the project's folder

    async def check(self) -> None:
        """Raises Gone unless the project is in its place."""
        await asyncio.to_thread(self.blocking.check)

    async def is_whole(self) -> bool:
        return await asyncio.to_thread(lambda: self.blocking.is_whole)

    async def declare_whole(self) -> None:
        await asyncio.to_thread(self.blocking.declare_whole)

    async def rules(self) -> Rules:
        return await asyncio.to_thread(self.blocking.rules)

    async def look_at(self, path: str) -> Scan:
        """What lies at `path` alone."""
        scan = Scan()
        await asyncio.to_thread(self.blocking.tree.look_at, path, Rules(), scan)
        return scan

    async def look_at_all(self, rules: Rules) -> Scan:
        return await asyncio.to_thread(self.blocking.look_at_all, rules)

    async def found(self, path: str) -> Found | None:
        """What lies at `path`; None if that can't be said, too."""
        return (await self.look_at(path)).found.get(path)

    async def is_here(self, path: str) -> bool:
        return await asyncio.to_thread(self.blocking.is_here, path)

    async def snapshot(self, path: str, limit: int) -> Snapshot:
        """Raises OSError and TooLarge."""
        return await asyncio.to_thread(take, self.blocking.root, path, limit)

    # -- the index

    async def row(self, path: str) -> Row | None:
        return await asyncio.to_thread(self.blocking.index.get, path)

    async def rows(self) -> dict[str, Row]:
        return await asyncio.to_thread(self.blocking.index.all)

    async def structure(self) -> tuple[list[Row], Counter[str]]:
        return await asyncio.to_thread(self.blocking.index.structure)

    async def twin(self, found: Found, digest: str) -> Row | None:
        return await asyncio.to_thread(self.blocking.index.twin, digest, found.mode, found.mtime_ns)

    async def change(self, rows: Iterable[Row] = (), gone: Iterable[str] = ()) -> None:
        await asyncio.to_thread(self.blocking.index.change, rows, gone)

    async def attempt(self, path: str, digest: str) -> None:
        await asyncio.to_thread(self.blocking.index.attempt, path, digest)

    async def attempts(self, path: str) -> set[str]:
        return await asyncio.to_thread(self.blocking.index.attempts, path)

    async def attempted(self) -> set[str]:
        return await asyncio.to_thread(self.blocking.index.attempted)
