"""Files of a store on a disk: one (`fetch`), or all of a project in an empty folder (`checkout`)."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files import content
from jupyter_repl_runner.files.containment import Beneath

from .each import each
from .manifest import Manifest
from .port import Head, Store, read_all

AT_ONCE = 12
ATTEMPTS = 5


async def fetch(
    store: Store, key: str, beneath: Beneath, path: str, *, if_match: str | None = None, durable: bool = True
) -> Head:
    """Write the object to `path` with its mode and time, whole or not at all. Raises Unavailable if what came is not
    what its etag says, and what `content.Writer` raises. `if_match`, `durable`: see there."""
    async with await store.get(key) as blob:
        entry, digest = blob.head.entry, hashlib.sha256()
        writer = content.Writer(beneath, path, mode=entry.mode, mtime=entry.mtime, durable=durable)
        await asyncio.to_thread(writer.__enter__)
        try:
            async for chunk in blob.chunks():
                digest.update(chunk)
                await asyncio.to_thread(writer.write, chunk)
            if blob.head.digest not in ("", digest.hexdigest()):
                raise Unavailable(f"{path} is damaged in the store.", hint="An earlier version may be in its trash.")
            await asyncio.to_thread(writer.commit, if_match)
        finally:
            await asyncio.to_thread(writer.__exit__, None, None, None)
        return blob.head


async def read_manifest(store: Store, ref: ProjectRef) -> tuple[Manifest, str]:
    """The manifest and its etag; an empty one and "" where there is none yet."""
    try:
        raw, etag = await read_all(store, ref.manifest)
    except FileNotFound:
        return Manifest(), ""
    return Manifest.from_bytes(raw), etag


async def edit_manifest(store: Store, ref: ProjectRef, change: Callable[[Manifest], Manifest]) -> None:
    """Replace the manifest by what `change` makes of it; done again if somebody else was faster. Raises Conflict."""
    for attempt in range(ATTEMPTS):
        old, etag = await read_manifest(store, ref)
        new = change(old)
        if new == old:
            return
        try:
            await store.put(ref.manifest, new.to_bytes(), if_match=etag or None, if_none_match=not etag)
        except (Conflict, FileExists):
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return


async def checkout(store: Store, ref: ProjectRef, folder: Path) -> None:
    """Put all of a project into `folder`, which is empty and nobody else's."""
    beneath, prefix = Beneath(folder), ref.code()
    manifest, _ = await read_manifest(store, ref)
    paths = [entry.key[len(prefix) :] async for entry in store.list(prefix)]
    await each(paths, lambda path: fetch(store, prefix + path, beneath, path), AT_ONCE)
    await asyncio.to_thread(_finish, folder, manifest)


def _finish(folder: Path, manifest: Manifest) -> None:
    for path, target in manifest.links.items():
        if not os.path.lexists(folder / path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(target, folder / path)
    for path in sorted(manifest.folders):
        if not os.path.lexists(folder / path):
            (folder / path).mkdir(parents=True)
    for path in sorted(manifest.folders, reverse=True):  # the inner ones first: an outer one may forbid the way
        if (folder / path).is_dir() and not (folder / path).is_symlink():
            os.chmod(folder / path, manifest.folders[path])
