"""A folder that is opened once, and the strict walk beneath it, which never follows a link.

A program that may rename the folder can replace it by another folder, a link or a pipe. So its name is used once, and
from then on only the descriptor. The walk opens each component beneath the descriptor of the previous one: a folder
that becomes a link in the meantime is an error, and the walk does not follow it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""Error numbers which mean that there is no such file or folder. Any other error leaves open what is there."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""O_PATH, since a folder on the way need not be readable."""
_FILE = (
    os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)  # O_NONBLOCK: opening a pipe without a writer must not hang


class Root:
    """The folder at `path`, which must exist and be no link. Raises OSError. All calls block.

    The descriptor is closed when nothing refers to the object any more: a thread may use it longer than its owner.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1
        self.descriptor = os.open(path, FOLDER)
        self.identity = _identity(os.fstat(self.descriptor))
        """`device:inode`, which no other folder of the machine has."""

    def __del__(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)

    @classmethod
    def made(cls, path: Path, mode: int = 0o755) -> "Root":
        """Returns the folder at `path`, created if it is missing. Folders above it may be links."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode)
        return cls(path)

    @classmethod
    def known(cls, path: Path, identity: object) -> "Root | None":
        """Returns the folder at `path` if it has this `identity`, else None. Raises OSError if that can't be
        determined."""
        try:
            root = cls(path)
        except OSError as error:
            if error.errno not in ABSENT:
                raise
            return None
        return root if root.identity == identity else None

    @property
    def is_in_place(self) -> bool:
        """True if the path still leads to this folder."""
        try:
            return _identity(os.stat(self.path, follow_symlinks=False)) == self.identity
        except OSError:
            return False

    def lstat(self, path: str) -> os.stat_result:
        """Returns the status of what is at `path`, without following a link. Raises OSError."""
        with self.parent(path) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)

    def open(self, path: str) -> int:
        """Returns a descriptor for reading the regular file at `path`. Raises OSError, also if it is not a regular
        file."""
        with self.parent(path) as (folder, name):
            return open_regular(name, dir_fd=folder)

    @contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """Yield a descriptor of the folder `path` that listdir accepts; an empty path is the root. Raises OSError."""
        with self.parent(path or ".") as (folder, name):
            # The root is opened again, too: two threads that list one descriptor share its position and miss entries.
            descriptor = os.open(name, FOLDER, dir_fd=folder)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Yield `(folder descriptor, name)` of `path`, whose last component need not exist. Raises OSError."""
        *folders, name = path.split("/")
        if ".." in (*folders, name):
            raise FileNotFoundError(errno.ENOENT, "no path beneath a folder", path)
        with Walk(self.descriptor) as walk:
            for each in folders:
                walk.enter(each)
            yield walk.descriptor, name


class Walk:
    """The current folder of a walk: the names on the way from `root`, and a single open descriptor at any depth. A
    context manager."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._held = ExitStack()
        self.descriptor = root
        self.names: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def enter(self, name: str) -> None:
        """Go into a folder of the current one. Never follows a link. Raises OSError."""
        inner = os.open(name, _STEP, dir_fd=self.descriptor)
        self._held.close()
        self._held.callback(os.close, inner)
        self.descriptor = inner
        self.names.append(name)

    def leave(self) -> None:
        """Go to the parent folder, by a new walk from the root: if the current folder was moved out of the root, `..`
        would lead outside. Raises OSError."""
        names = self.names[:-1]
        self.go_back()
        for name in names:
            self.enter(name)

    def go_back(self) -> None:
        """Go to the root."""
        self._held.close()
        self.descriptor = self._root
        self.names.clear()


def open_regular(name: str | Path, **dir_fd: Any) -> int:
    """Returns a descriptor for reading a regular file; never blocks. Raises OSError for a link, a pipe or a device."""
    descriptor = os.open(name, _FILE, **dir_fd)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(str(name))
    return descriptor


def _identity(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}"
