"""Downloads from a store to disk: one file (`fetch`), or a whole project into an empty folder (`checkout`)."""

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
    """The downloaded content does not have the sha256 that the object carries."""

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
    """Download the object to `path` with its mode and time, whole or not at all. Returns the object's head and the
    status of the new file. Raises Damaged if the content does not have the object's sha256, and what `writing.Writer`
    raises. `if_match`, `durable`: as for the Writer. `check` is called just before the file is put in place, and may
    raise."""
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
    """Returns the manifest and its etag; an empty manifest and "" if there is none yet."""
    try:
        raw, etag = await read_all(store, ref.manifest, MAX_MANIFEST)
    except FileNotFound:
        return Manifest(), ""
    return Manifest.from_bytes(raw), etag


async def edit_manifest(store: Store, ref: ProjectRef, change: Callable[[Manifest], Manifest]) -> None:
    """Replace the manifest by `change(manifest)`, by compare-and-swap. Tries again if another writer was faster; raises
    Conflict or FileExists after ATTEMPTS attempts."""
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
    """Download all of a project into `folder`, which is empty and used by nobody else. Returns the paths that could not
    be downloaded, with the reasons. Raises what the store raises if the store itself is not available."""
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
    """Returns True if the error concerns the store as a whole, not a single object."""
    return isinstance(error, Unavailable) and not isinstance(error, (*REFUSED, Damaged, DiskFull))


def _finish(beneath: Beneath, manifest: Manifest) -> None:
    """Create the links and folders of the manifest, and set the modes of the folders. Skips entries that a file
    blocks."""
    for path, target in manifest.links.items():
        with suppress(OSError, ReplError), beneath.entry(path, follow=False, make=True) as (folder, name):
            os.symlink(target, name, dir_fd=folder)
    for path in sorted(manifest.folders):
        with suppress(OSError, ReplError), beneath.entry(path, follow=False, make=True) as (folder, name):
            os.mkdir(name, dir_fd=folder)
    for path in sorted(manifest.folders, reverse=True):  # inner first: the mode of an outer one may forbid access
        with suppress(OSError, ReplError), beneath.folder(path) as descriptor:
            os.fchmod(descriptor, manifest.folders[path])
