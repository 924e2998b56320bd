"""Writing of a file that happens whole or not at all."""

import os
import secrets
from contextlib import ExitStack, suppress
from pathlib import Path

from jupyter_repl_runner.contract.errors import NoPermissions
from jupyter_repl_runner.contract.paths import parent

from .containment import Beneath, check_regular, map_os_errors
from .content import MISSING, TEMPORARY_PREFIX, Stat, check_etag, stat_of


class Writer:
    """Replaces one file: bytes go to a temporary file beside it, `commit` puts it in place.

    Nothing of the old file changes before `commit`, so a full disk or a broken upload loses nothing. Mode, owner and
    attributes survive, and through a link inside the project the link itself. What can't be kept so (other names of the
    file; a folder that may not be written) is written in its place, where `beneath` has a journal. Use as a context
    manager; all calls block. `durable` False: one of many files, after which the caller calls `flush_disk`. Without a
    context manager: `open` and `close`, which may follow an `open` that failed or was never called.
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
        """The journal's entry, if the file is to be written in its place."""

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
        """Put the file in place; raises Conflict or FileExists if its etag is not `if_match` (MISSING: none yet)."""
        self.place(if_match)
        return stat_of(self._descriptor)

    def place(self, if_match: str | None = None) -> os.stat_result:
        """`commit` for callers that know the etag."""
        with map_os_errors(self.path):
            if self._staged is not None:
                self._write_in_place(self._staged, if_match)
            if self.mtime is not None:
                os.utime(self._descriptor, (self.mtime, self.mtime))
            if self._staged is not None:
                return os.fstat(self._descriptor)
            if self._durable:
                os.fsync(self._descriptor)
            if if_match == MISSING:  # which the link itself finds out
                os.link(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                os.unlink(self._temporary, dir_fd=self._folder)
            else:
                check_etag(self._beneath, self.path, if_match)
                os.replace(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            return os.fstat(self._descriptor)

    # -- parts

    def _create(self) -> None:
        """A place for the new content."""
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
        """Whether a new file in its place changes nothing but its content; then that is made."""
        if old.st_nlink > 1:
            return False
        try:
            self._create_beside(old)
        except PermissionError:  # the folder may not be written
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
        if mode is not None:  # after the owner: a change of that takes bits away
            os.fchmod(self._descriptor, mode)

    def _take_over(self, old: os.stat_result) -> bool:
        """Whether the new file has owner, group and attributes of the old one."""
        new = os.fstat(self._descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            return False
        try:
            reading = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._folder)
        except OSError:  # not to be read: then its attributes are not either
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
    """Whether all that a person can give a file (attributes, access lists) is there; the rest is the system's."""
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
    """Let all that was written to the disk of an open folder be on it, in one go: a few hundred fsyncs take longer."""
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
