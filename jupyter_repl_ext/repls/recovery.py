"""Lists what was deleted from a project and can still be restored, and restores it unless something else has its
path."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotADirectory, FileNotFound, NoPermissions
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import Trash
from jupyter_repl_runner.store.checkout import edit_manifest
from jupyter_repl_runner.store.each import each
from jupyter_repl_runner.store.manifest import Manifest
from jupyter_repl_runner.store.port import Store
from jupyter_repl_runner.store.trash import Item, StoreTrash
from jupyter_repl_spawner.port import Spawner

from .lifecycle import Lifecycle

MAX_NAMES = 5
AT_ONCE = 8


@dataclass(frozen=True)
class Deleted:
    """One deletion. `when` in seconds since the epoch; `paths`: at most MAX_NAMES of its `count` paths."""

    item: str
    when: float
    count: int
    paths: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"item": self.item, "when": self.when, "count": self.count, "paths": list(self.paths)}


class Recovery:
    def __init__(self, store: Store, lifecycle: Lifecycle, spawner: Spawner, client: RunnerClient) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._spawner = spawner
        self._client = client

    async def deleted(self, ref: ProjectRef) -> list[Deleted]:
        """Returns the deletions that can be restored, newest first."""
        trash = self._local(ref)
        if trash is not None:
            return [Deleted(item, when, 1, (path,)) for item, when, path in await asyncio.to_thread(trash[0].list)]
        found = await StoreTrash(self._store, ref).list()
        return [
            Deleted(name, when, len(names), tuple(names[:MAX_NAMES]))
            for name, when, item in found
            for names in [[*item.paths, *item.links]]
        ]

    async def restore(self, ref: ProjectRef, item: str) -> dict[str, list[str]]:
        """Restore a deletion. Returns `{restored, kept}`: the restored paths, and those that something else has now.
        Raises FileNotFound."""
        trash = self._local(ref)
        if trash is not None:
            return {"restored": [await asyncio.to_thread(trash[0].restore, trash[1], item)], "kept": []}
        known = await StoreTrash(self._store, ref).get(item)
        restored: list[str] = []
        kept: list[str] = []
        async with self._lifecycle.without_runner(ref) as stopped:
            put_back = self._copy_back if stopped else self._bring_back
            done: set[str] = set()

            async def restore(path: str) -> None:
                if await put_back(ref, item, path):
                    done.add(path)

            await each(known.paths, restore, AT_ONCE)
            restored += [path for path in known.paths if path in done]
            kept += [path for path in known.paths if path not in done]
            if stopped:
                restored += await self._tell_rest(ref, known)
            else:
                for path, target in known.links.items():
                    is_made = await self._call(ref, "makeLink", path=path, target=target)
                    (restored if is_made else kept).append(path)
                for path in sorted(known.folders, reverse=True):  # inner ones first: an outer's mode may deny access
                    await self._call(ref, "create", path=path, type="dir")
                    await self._call(ref, "setMode", path=path, mode=known.folders[path])
        return {"restored": restored, "kept": kept}

    def _local(self, ref: ProjectRef) -> tuple[Trash, Beneath] | None:
        """Returns the project's trash and folder if projects are folders on this machine: then the trash that runners
        use is the only one. Returns None for other stores."""
        trash, code = self._store.local_path(ref.trash), self._store.local_path(ref.code())
        return (Trash(trash), Beneath(Path(code))) if trash is not None and code is not None else None

    async def _copy_back(self, ref: ProjectRef, item: str, path: str) -> bool:
        try:
            async with await self._store.get(StoreTrash(self._store, ref).key(item, path)) as blob:
                entry = blob.head.entry
                await self._store.put(
                    ref.code(path), blob.chunks(), if_none_match=True, mode=entry.mode, mtime=entry.mtime
                )
        except (FileExists, FileNotFound):
            return False
        return True

    async def _bring_back(self, ref: ProjectRef, item: str, path: str) -> bool:
        """Restore a file through the runner, which has the files now. Returns False if that is not possible."""
        address = await self._spawner.address(ref)
        try:
            async with await self._store.get(StoreTrash(self._store, ref).key(item, path)) as blob:
                await self._client.put_file(address, path, blob.chunks(), {"If-None-Match": "*"})
                mode = blob.head.entry.mode
        except (FileExists, FileNotFound, Conflict):
            return False
        await self._call(ref, "setMode", path=path, mode=mode)
        return True

    async def _call(self, ref: ProjectRef, event: str, **data: object) -> bool:
        """Send an event to the runner. Returns False if it fails because something else is at the path by now."""
        try:
            await self._client.call(await self._spawner.address(ref), event, data)
        except (FileExists, FileNotFound, FileNotADirectory, NoPermissions):
            return False
        return True

    async def _tell_rest(self, ref: ProjectRef, item: Item) -> list[str]:
        """Restore links and folders, which only the manifest holds; returns the links. If a file has one of their
        paths, the file wins anyway."""

        def change(old: Manifest) -> Manifest:
            return Manifest({**item.links, **old.links}, {**item.folders, **old.folders}, old.left_out)

        await edit_manifest(self._store, ref, change)
        return list(item.links)
