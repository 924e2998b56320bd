"""Create, rename, move and copy. All calls block; every name is resolved beneath the project. `trash` deletes."""

import os
import stat
from contextlib import closing, suppress

from jupyter_repl_runner.contract.errors import FileExists, InvalidRequest, NoPermissions
from jupyter_repl_runner.contract.paths import check_name, join, parent

from . import content, writing
from .containment import Beneath, map_os_errors
from .removal import remove_tree
from .root import FOLDER

_CHUNK = 1 << 20
_KEPT_OPEN = 32
"""The most descriptors of folders that are open at once."""


def create(beneath: Beneath, path: str, kind: str) -> None:
    """Make an empty file or a folder (`kind` "file" or "dir"); raises FileExists."""
    if kind == "file":
        writing.write(beneath, path, b"", if_match=content.MISSING)
    elif kind == "dir":
        with beneath.entry(path, follow=False, make=True) as (folder, name):
            os.mkdir(name, dir_fd=folder)
    else:
        raise InvalidRequest("The type is neither file nor dir.")


def rename(beneath: Beneath, path: str, name: str) -> str:
    """Give the last component of `path` another name; returns the new path. Raises FileExists."""
    return move(beneath, path, join(parent(path), check_name(name)))


def move(beneath: Beneath, path: str, to: str) -> str:
    """Move `path` to the new path `to`, whose folder must exist. Never overwrites: raises FileExists."""
    if to == path:
        return to
    if to.startswith(path + "/"):
        raise InvalidRequest("A folder can't move into itself.")
    with beneath.entry(path, follow=False) as (source, name), beneath.entry(to, follow=False) as (target, new):
        with map_os_errors(path):
            old = os.stat(name, dir_fd=source, follow_symlinks=False)
        check_free(target, new, to, unless=old)
        os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
    return to


def copy(beneath: Beneath, path: str, to: str) -> str:
    """Copy a file or a folder with its modes and links. Never overwrites: raises FileExists."""
    if to == path or to.startswith(path + "/"):
        raise InvalidRequest("A folder can't be copied into itself.")
    with beneath.entry(path, follow=False) as (source, name), beneath.entry(to, follow=False) as (target, new):
        with map_os_errors(path):
            check_free(target, new, to)
            copy_entry(source, name, target, new)
    return to


def make_link(beneath: Beneath, path: str, target: str) -> None:
    """Create a link to `target`, which may lie anywhere. Raises FileExists."""
    with beneath.entry(path, follow=False, make=True) as (folder, name):
        check_free(folder, name, path)
        os.symlink(target, name, dir_fd=folder)


def set_mode(beneath: Beneath, path: str, mode: int) -> None:
    """Set the mode of a file or a folder."""
    with beneath.entry(path) as (folder, name):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)


def delete_forever(beneath: Beneath, path: str) -> None:
    """Delete a file, a link (never what it points to) or a whole folder. Raises FileNotFound, and NoPermissions if
    something in it could not be deleted."""
    with beneath.entry(path, follow=False) as (folder, name):
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
        elif not remove_tree(name, dir_fd=folder):
            raise NoPermissions(f"Not all of {path} could be deleted.", hint="See what remains: ls -lR")


def remove_entry(folder: int, name: str) -> None:
    """Delete `name` in an open folder for good: a file, a link (never what it points to) or a whole folder."""
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        remove_tree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


def copy_entry(source: int, name: str, target: int, new: str) -> None:
    """Copy between two folder descriptors; links stay links, pipes and sockets are left out. If the copy of a folder
    fails, all of that copy is deleted."""
    if not stat.S_ISDIR(os.stat(name, dir_fd=source, follow_symlinks=False).st_mode):
        _copy_leaf(source, name, target, new)
        return
    os.mkdir(new, dir_fd=target)
    try:
        _copy_folder(source, name, target, new)
    except OSError:
        remove_tree(new, dir_fd=target)
        raise


def _copy_folder(source: int, name: str, target: int, new: str) -> None:
    """Copies without recursion, and opens each folder component by component: a tree may be deeper than the stack
    allows, and its paths longer than the system allows."""
    modes: list[tuple[tuple[str, ...], int]] = []
    todo: list[tuple[str, ...]] = [()]
    with closing(_Descent(source)) as inside, closing(_Descent(target)) as outside:
        while todo:
            parts = todo.pop()
            inner, outer = inside.folder((name, *parts)), outside.folder((new, *parts))
            modes.append((parts, stat.S_IMODE(os.fstat(inner).st_mode)))
            for entry in os.listdir(inner):
                if stat.S_ISDIR(os.stat(entry, dir_fd=inner, follow_symlinks=False).st_mode):
                    os.mkdir(entry, dir_fd=outer)
                    todo.append((*parts, entry))
                else:
                    _copy_leaf(inner, entry, outer, entry)
        for parts, mode in reversed(modes):  # inner folders first: the mode of an outer one may forbid access
            os.fchmod(outside.folder((new, *parts)), mode)


class _Descent:
    """Opens folders beneath the descriptor `top`, component by component. The last folders of a path stay open, since
    the next path is usually close to it."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._way: list[tuple[tuple[str, ...], int]] = []

    def folder(self, parts: tuple[str, ...]) -> int:
        """Returns a descriptor of the folder, which is valid until the next call."""
        while self._way and parts[: len(self._way[-1][0])] != self._way[-1][0]:
            os.close(self._way.pop()[1])
        at, descriptor = self._way[-1] if self._way else ((), self._top)
        for depth in range(len(at), len(parts)):
            descriptor = os.open(parts[depth], FOLDER, dir_fd=descriptor)
            self._way.append((parts[: depth + 1], descriptor))
            if len(self._way) > _KEPT_OPEN:
                os.close(self._way.pop(0)[1])
        return descriptor

    def close(self) -> None:
        while self._way:
            os.close(self._way.pop()[1])


def _copy_leaf(source: int, name: str, target: int, new: str) -> None:
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), new, dir_fd=target)
    elif stat.S_ISREG(status.st_mode):
        _copy_file(source, name, target, new)


def _copy_file(source: int, name: str, target: int, new: str) -> None:
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
    try:
        writing = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, dir_fd=target)
    except BaseException:
        os.close(reading)
        raise
    try:
        while chunk := os.read(reading, _CHUNK):
            view = memoryview(chunk)
            while view:
                view = view[os.write(writing, view) :]
        os.fchmod(writing, stat.S_IMODE(os.fstat(reading).st_mode))
    except OSError:  # such as a full disk: leave no partial copy
        with suppress(OSError):
            os.unlink(new, dir_fd=target)
        raise
    finally:
        os.close(reading)
        os.close(writing)


def check_free(folder: int, name: str, path: str, unless: os.stat_result | None = None) -> None:
    """Raises FileExists if the name is taken by another file than `unless`. On macOS, a rename that changes only the
    case finds the file itself."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if unless is None or not os.path.samestat(found, unless):
        raise FileExists(f"{path} exists already.", hint="Choose another name.")
