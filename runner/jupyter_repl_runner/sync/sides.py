"""The two sides of a project that are to be alike, and what everything that works on them needs."""

from dataclasses import dataclass

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.port import Entry, Store

from .async_volume import AsyncVolume
from .fence import Fence
from .status import Status

AT_ONCE = 8
"""Files that are sent, fetched or deleted at once."""


@dataclass(frozen=True)
class Sides:
    """`fence`: whether we may still write to the store; `status`: where we report our work."""

    ref: ProjectRef
    store: Store
    volume: AsyncVolume
    fence: Fence
    status: Status

    async def listed(self) -> dict[str, Entry]:
        """The store's files by their paths."""
        prefix = self.ref.code()
        return {entry.key[len(prefix) :]: entry async for entry in self.store.list(prefix)}
