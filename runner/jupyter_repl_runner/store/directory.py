"""The store on a local directory: a key is a path beneath its root, and a prefix is a folder.

A write goes to a temporary file, which then replaces the target. A lock file makes conditions hold between processes.
It is held only while an etag is compared and the file is put in place, never during a transfer.
"""

import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotADirectory, FileNotFound, Unavailable
from jupyter_repl_runner.files import content, operations, writing
from jupyter_repl_runner.files.containment import Beneath, map_os_errors
from jupyter_repl_runner.files.inplace import JOURNAL, Journal
from jupyter_repl_runner.files.removal import remove_tree
from jupyter_repl_runner.files.root import ABSENT

from .folder import walk
from .port import Blob, Entry, Head, Store

LOCK_SECONDS = 10.0
SCRATCH_SECONDS = 24 * 3600.0
PAGE = 1000

_IN_PROJECT = re.compile(r"(?P<folder>(owners/[^/]+/)?code/[^/]+)/(?P<path>.+)", re.DOTALL)

Result = TypeVar("Result")


class DirectoryStore(Store):
    """Creates `root` with mode 700 if it is missing; raises ReplError if that fails.

    `private`: a folder on the same disk, for the lock and for files that are being copied or deleted. `beneath`: opens
    single files; None: they are opened by the root's name.
    """

    def __init__(self, root: Path, private: Path | None = None, beneath: Beneath | None = None) -> None:
        self.root = root
        self._private = private or root / ".private"
        with map_os_errors(str(root)):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._private.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._beneath = beneath or Beneath(root)

    def local_path(self, prefix: str) -> Path | None:
        return self.root / prefix

    async def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        walk = self._walk(prefix, deep)
        while page := await self._call(prefix, lambda: list(islice(walk, PAGE))):
            for entry in page:
                yield entry

    def _walk(self, prefix: str, deep: bool = True) -> Iterator[Entry]:
        """Raises OSError if the content can't be determined. Skips folders below `prefix` that are not readable."""
        top = str(self.root / prefix)

        def failed(error: OSError) -> None:
            is_left_out = isinstance(error, PermissionError) and error.filename != top
            if error.errno not in ABSENT and not is_left_out:
                raise error

        for folder, folders, names in walk(top, failed):
            folders[:] = sorted(folders) if deep else []
            here = os.path.relpath(folder, self.root)
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.startswith(content.TEMPORARY_PREFIX):
                    continue
                try:
                    status = os.stat(path)
                except OSError as error:  # deleted meanwhile, or a broken link
                    if error.errno not in ABSENT and not isinstance(error, PermissionError):
                        raise
                    continue
                if stat.S_ISREG(status.st_mode):
                    key = name if here == "." else f"{here}/{name}"
                    mode = stat.S_IMODE(status.st_mode)
                    yield Entry(key, status.st_size, status.st_mtime, mode, content.tag_of(status))

    async def children(self, prefix: str) -> Sequence[str]:
        def names() -> list[str]:
            try:
                with os.scandir(self.root / prefix) as entries:
                    return sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
            except FileNotFoundError:
                return []

        return await self._call(prefix, names)

    async def head(self, key: str) -> Head | None:
        try:
            return _head(key, await self._call(key, lambda: content.stat(self._beneath, key)))
        except (FileNotFound, FileNotADirectory):
            return None

    async def get(self, key: str) -> Blob:
        opened: list[int] = []

        def open_it() -> Blob:
            opened.append(self._beneath.open(key))
            return _FileBlob(key, opened[0])

        try:
            return await self._call(key, open_it)
        except BaseException:  # cancelled: no caller gets the blob to close it
            for descriptor in opened:
                os.close(descriptor)
            raise

    async def put(
        self,
        key: str,
        data: bytes | AsyncIterator[bytes],
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        if_tag: str | None = None,
        mode: int | None = None,
        mtime: float | None = None,
    ) -> Head:
        condition = content.MISSING if if_none_match else if_match
        beneath, path = self._project_of(key)
        writer = writing.Writer(beneath, path, mode=mode, mtime=mtime)
        try:
            await self._call(key, writer.open)
            if isinstance(data, bytes):
                await self._call(key, lambda: writer.write(data))
            else:
                async for chunk in data:
                    await self._call(key, lambda chunk=chunk: writer.write(chunk))  # type: ignore[misc]
            return _head(key, await self._call(key, lambda: self._commit(key, writer, condition, if_tag)))
        finally:
            await self._call(key, writer.close)

    def _project_of(self, key: str) -> tuple[Beneath, str]:
        """Where a file is written, and its path there. A file of a project is written like the runner writes it, with
        the project's journal: the next runner finishes a write in place that was cut short."""
        found = _IN_PROJECT.fullmatch(key)
        if found is None or not (folder := self.root / found["folder"]).is_dir():
            return self._beneath, key
        return Beneath(folder, Journal(folder.parents[1] / "meta" / folder.name / JOURNAL)), found["path"]

    def _commit(self, key: str, writer: writing.Writer, condition: str | None, if_tag: str | None) -> content.Stat:
        if condition is None and if_tag is None:
            return writer.commit()
        with self._lock():
            if if_tag is not None:
                self._check_tag(key, if_tag)
            return writer.commit(condition)

    def _check_tag(self, key: str, tag: str) -> None:
        try:
            current = content.tag_of(os.stat(self.root / key))
        except FileNotFoundError:
            current = ""
        if current != tag:
            raise Conflict(f"{key} was changed meanwhile.", hint="Reload it, then try again.")

    async def copy(self, source: str, target: str) -> None:
        async with await self.get(source) as blob:
            entry = blob.head.entry
            await self.put(target, blob.chunks(), mode=entry.mode, mtime=entry.mtime)

    async def copy_prefix(self, source: str, target: str, *, leave_out: frozenset[str] = frozenset()) -> int:
        """Atomic: copies into a scratch folder and renames that into place, so that nobody ever sees half a project."""

        def copy() -> int:
            final = self.root / target
            if not final.is_dir():
                with self.scratch() as staged:
                    _copy_into(self.root / source, staged, leave_out)
                    with suppress(FileExists):  # another process was faster, with the same files
                        _put_in_place(staged, final)
            return sum(1 for _ in self._walk(target))

        return await self._call(source, copy)

    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        def put() -> int:
            _put_in_place(folder, self.root / target)
            return sum(1 for _ in self._walk(target))

        return await self._call(target, put)

    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        def delete() -> None:
            with self.scratch() as staged:  # unlinks the files only after the lock is released
                with self._lock():
                    content.check_etag(self._beneath, key.rstrip("/"), if_match)
                    if os.path.lexists(self.root / key.rstrip("/")):
                        # one rename: a project is there or gone, never half
                        os.rename(self.root / key.rstrip("/"), staged / "deleted")

        await self._call(key, delete)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a folder on the store's own disk, so that a rename puts it in place. Folders of dead processes are
        deleted after a day."""
        self._forget_old()
        staged = self._private / secrets.token_hex(8)
        staged.mkdir(parents=True)
        try:
            yield staged
        finally:
            remove_tree(staged)

    def _forget_old(self) -> None:
        for left in self._private.glob("?" * 16):
            with suppress(OSError):
                if left.lstat().st_mtime < time.time() - SCRATCH_SECONDS:
                    remove_tree(left)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """The mutex for all conditions on this store, across threads and processes."""
        descriptor = os.open(self._private / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Unavailable("The store is busy.", hint="Try again in a moment.") from None
                    time.sleep(0.002)
            yield
        finally:
            os.close(descriptor)

    @staticmethod
    async def _call(key: str, function: Callable[[], Result]) -> Result:
        def mapped() -> Result:
            with map_os_errors(key):
                return function()

        return await tasks.in_thread(mapped)


class _FileBlob(Blob):
    def __init__(self, key: str, descriptor: int) -> None:
        self._descriptor = descriptor
        self.head = _head(key, content.stat_of(descriptor))

    async def chunks(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        parts = content.read_chunks(self._descriptor, start, end)
        while chunk := await tasks.in_thread(next, parts, b""):
            yield chunk

    async def __aexit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _head(key: str, status: content.Stat) -> Head:
    return Head(Entry(key, status.size, status.mtime, status.mode, status.tag), status.etag)


def _put_in_place(folder: Path, final: Path) -> None:
    """Move `folder` to `final` by one rename. Raises FileExists if anything but an empty folder is there."""
    final.parent.mkdir(parents=True, exist_ok=True)
    with map_os_errors(final.name):  # ENOTEMPTY is FileExists
        os.rename(folder, final)


def _copy_into(source: Path, target: Path, leave_out: frozenset[str]) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    outer, inner = os.open(source, flags), os.open(target, flags)
    try:
        for name in sorted(set(os.listdir(outer)) - leave_out):
            operations.copy_entry(outer, name, inner, name)
    finally:
        os.close(outer)
        os.close(inner)
