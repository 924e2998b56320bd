"""Files of a store on a disk: one (`fetch`), or all of a project in an empty folder (`checkout`)."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Conflict, DiskFull, FileExists, FileNotFound, ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files import writing
from jupyter_repl_runner.files.containment import Beneath

from .each import each
from .manifest import MAX_MANIFEST, Manifest
from .port import Head, Store, read_all
from .s3_errors import REFUSED

AT_ONCE = 12
ATTEMPTS = 5


class Damaged(Unavailable):
    """What came is not what its etag says."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is damaged in the store.", hint="An earlier version may be in its trash.")


async def fetch(
    store: Store,
    key: str,
    beneath: Beneath,
    path: str,
    *,
    if_match: str | None = None,
    durable: bool = True,
    check: Callable[[], None] = lambda: None,
) -> tuple[Head, os.stat_result]:
    """Write the object to `path` with its mode and time, whole or not at all. Raises Damaged if what came is not
    what its etag says, and what `writing.Writer` raises. `if_match`, `durable`: see there.
    `check` is called just before it is put in place, and may raise. The object's head, and what the file is then."""
    async with await store.get(key) as blob:
        entry, digest = blob.head.entry, hashlib.sha256()
        writer = writing.Writer(beneath, path, mode=entry.mode, mtime=entry.mtime, durable=durable)
        try:
            await tasks.in_thread(writer.open)
            async for chunk in blob.chunks():
                digest.update(chunk)
                await tasks.in_thread(writer.write, chunk)
            if blob.head.digest not in ("", digest.hexdigest()):
                raise Damaged(path)
            status = await tasks.in_thread(_place, writer, if_match, check)
        finally:
            await tasks.in_thread(writer.close)
        return blob.head, status


def _place(writer: writing.Writer, if_match: str | None, check: Callable[[], None]) -> os.stat_result:
    check()
    return writer.place(if_match)


async def read_manifest(store: Store, ref: ProjectRef) -> tuple[Manifest, str]:
    """The manifest and its etag; an empty one and "" where there is none yet."""
    try:
        raw, etag = await read_all(store, ref.manifest, MAX_MANIFEST)
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


async def checkout(store: Store, ref: ProjectRef, folder: Path) -> dict[str, str]:
    """Put all of a project into `folder`, which is empty and nobody else's; why not, by path, for what can't be had.
    Raises what the store raises where it is away."""
    beneath, prefix = Beneath(folder), ref.code()
    manifest, _ = await read_manifest(store, ref)
    paths = [entry.key[len(prefix) :] async for entry in store.list(prefix)]
    missing: dict[str, str] = {}

    async def get(path: str) -> None:
        try:
            await fetch(store, prefix + path, beneath, path)
        except ReplError as error:
            if is_away(error):
                raise
            missing[path] = error.message

    await each(paths, get, AT_ONCE)
    await tasks.in_thread(_finish, beneath, manifest)
    return missing


def is_away(error: ReplError) -> bool:
    """Whether it says something of the store, and not of one object."""
    return isinstance(error, Unavailable) and not isinstance(error, (*REFUSED, Damaged, DiskFull))


def _finish(beneath: Beneath, manifest: Manifest) -> None:
    """Links and folders, and the modes of these. What is in the way of a file is left out."""
    for path, target in manifest.links.items():
        with suppress(OSError, ReplError), beneath.entry(path, follow=False, make=True) as (folder, name):
            os.symlink(target, name, dir_fd=folder)
    for path in sorted(manifest.folders):
        with suppress(OSError, ReplError), beneath.entry(path, follow=False, make=True) as (folder, name):
            os.mkdir(name, dir_fd=folder)
    for path in sorted(manifest.folders, reverse=True):  # the inner ones first: an outer one may forbid the way
        with suppress(OSError, ReplError), beneath.folder(path) as descriptor:
            os.fchmod(descriptor, manifest.folders[path])
