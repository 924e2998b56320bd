"""Writes a file whole or not at all."""

import os
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path

from jupyter_repl_runner.contract.errors import NoPermissions
from jupyter_repl_runner.contract.paths import parent

from .containment import Beneath, check_regular, map_os_errors
from .content import MISSING, TEMPORARY_PREFIX, Stat, check_etag, stat_of


class Writer:
    """Replaces one file: bytes go to a temporary file beside it, and `commit` puts that in place.

    The old file does not change before `commit`, so a full disk or a broken upload loses nothing. Mode, owner and
    attributes are preserved. A link inside the project stays, and the file it leads to is replaced. A file that can't
    be replaced this way (it has other hard links, or its folder is not writable) is written in place, if `beneath` has
    a journal. Use as a context manager, or call `open` and `close`; `close` is allowed also if `open` failed or was not
    called. All calls block. `durable` False: for one of many files, after which the caller calls `flush_disk`.
    """

    def __init__(
        self,
        beneath: Beneath,
        path: str,
        *,
        make: bool = True,
        mode: int | None = None,
        mtime: float | None = None,
        durable: bool = True,
    ) -> None:
        self.path = path
        self.mode = mode
        self.mtime = mtime
        self._durable = durable
        self._beneath = beneath
        self._make = make
        self._temporary = TEMPORARY_PREFIX + secrets.token_hex(8)
        self._stack = ExitStack()
        self._descriptor = -1
        self._staged: Path | None = None
        """The journal's entry, if the file will be written in place."""

    def __enter__(self) -> "Writer":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        entry = self._beneath.entry(self.path, make=self._make)
        self._folder, self._name = self._stack.enter_context(entry)
        self._stack.callback(self._close)
        try:
            with map_os_errors(self.path):
                self._create()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._stack.close()

    def write(self, data: bytes | memoryview) -> None:
        with map_os_errors(self.path):
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def commit(self, if_match: str | None = None) -> Stat:
        """Put the new content in place and return its Stat. Raises Conflict if the old etag is not `if_match`, and
        FileExists if `if_match` is MISSING and the file exists."""
        self.place(if_match)
        return stat_of(self._descriptor)

    def place(self, if_match: str | None = None) -> os.stat_result:
        """Like `commit`, but does not compute the etag: for callers that know it."""
        with map_os_errors(self.path):
            if self._staged is not None:
                self._write_in_place(self._staged, if_match)
            if self.mtime is not None:
                os.utime(self._descriptor, (self.mtime, self.mtime))
            if self._staged is not None:
                return os.fstat(self._descriptor)
            if self._durable:
                os.fsync(self._descriptor)
            if if_match == MISSING:  # os.link fails if the file exists
                os.link(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                os.unlink(self._temporary, dir_fd=self._folder)
            else:
                check_etag(self._beneath, self.path, if_match)
                os.replace(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            return os.fstat(self._descriptor)

    # -- parts

    def _create(self) -> None:
        """Open the file for the new content: beside the old file, or in the journal."""
        try:
            old = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            old = None
        if old is not None:
            check_regular(old, self.path)
            if not os.access(self._name, os.W_OK, dir_fd=self._folder):
                raise NoPermissions(f"{self.path} is read-only.", hint=f"Allow writing: chmod u+w {self.path}")
        if old is not None and self._beneath.journal is not None and not self._replaces(old):
            self._descriptor, self._staged = self._beneath.journal.stage()
            return
        if self._descriptor < 0:
            try:
                self._create_beside(old)
            except PermissionError as error:
                folder = parent(self.path) or "."
                raise NoPermissions(
                    f"The folder of {self.path} may not be written.", hint=f"Allow it: chmod u+w {folder}"
                ) from error

    def _replaces(self, old: os.stat_result) -> bool:
        """Create the new file; returns True if replacing the old one by it changes nothing but the content."""
        if old.st_nlink > 1:
            return False
        try:
            self._create_beside(old)
        except PermissionError:  # the folder is not writable
            self._close()
            return False
        if self._take_over(old):
            return True
        self._close()
        return False

    def _create_beside(self, old: os.stat_result | None) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(self._temporary, flags, 0o666, dir_fd=self._folder)
        mode = self.mode if self.mode is not None else old.st_mode & 0o7777 if old else None
        if old is not None:
            with suppress(OSError):
                os.fchown(self._descriptor, old.st_uid, old.st_gid)
        if mode is not None:  # after fchown, which clears bits of the mode
            os.fchmod(self._descriptor, mode)

    def _take_over(self, old: os.stat_result) -> bool:
        """Copy the attributes; returns True if the new file has owner, group and attributes of the old one."""
        new = os.fstat(self._descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            return False
        try:
            reading = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._folder)
        except OSError:  # not readable: then its attributes can't be read either
            return True
        try:
            return _copy_attributes(reading, self._descriptor)
        finally:
            os.close(reading)

    def _write_in_place(self, staged: Path, if_match: str | None) -> None:
        beneath, path = self._beneath, self.path
        assert beneath.journal is not None
        os.fsync(self._descriptor)
        target = beneath.journal.replace(beneath, path, staged, lambda: check_etag(beneath, path, if_match))
        os.close(self._descriptor)
        self._descriptor = target
        if self.mode is not None:
            os.fchmod(target, self.mode)

    def _close(self) -> None:
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        if self._staged is not None and self._beneath.journal is not None:
            self._beneath.journal.forget(self._staged)
            return
        with suppress(OSError):
            os.unlink(self._temporary, dir_fd=self._folder)


def _copy_attributes(source: int, target: int) -> bool:
    """Copy what a person can set (user attributes, access lists); the system sets all others. Returns False if that
    fails."""
    if not hasattr(os, "listxattr"):  # macOS
        return True
    try:
        names = os.listxattr(source)
    except OSError:  # a disk without attributes
        return True
    try:
        for name in names:
            if name.startswith(("user.", "system.posix_acl_")):
                os.setxattr(target, name, os.getxattr(source, name))
    except OSError:
        return False
    return True


def flush_disk(folder: int) -> None:
    """Flush the whole file system of an open folder, which takes less time than a few hundred calls of fsync. Raises
    OSError."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):  # macOS
        os.sync()
    elif library.syncfs(folder):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write(beneath: Beneath, path: str, data: bytes, *, if_match: str | None = None, mode: int | None = None) -> Stat:
    """Write `data` whole, creating missing folders; conditions and errors as in `Writer.commit`."""
    check_etag(beneath, path, if_match)  # before any folder is made for a write that will be refused
    with Writer(beneath, path, mode=mode) as writer:
        writer.write(data)
        return writer.commit(if_match)
