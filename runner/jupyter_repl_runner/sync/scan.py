"""What lies in the volume, seen without ever following a link: see `Root`."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.paths import join
from jupyter_repl_runner.files.content import TEMPORARY_PREFIX
from jupyter_repl_runner.files.root import ABSENT, Root

from .found import Found
from .rules import Rules

HALF_SECONDS = 60.0
LAST_NS = (1 << 63) - 1
"""The largest number of SQLite: the time of a file of the year 2262 or later, or of 1677 or earlier, with a minus."""
USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Errors of this process, not of the path."""


@dataclass
class Scan:
    """The result of a scan. `unseen`: folders that could not be read, below which nothing is known.
    `left_out`: folders of dependencies, which the rules leave out. `halves`: files that somebody began to write long
    ago and never put in place."""

    found: dict[str, Found] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    halves: set[str] = field(default_factory=set)

    def hides(self, path: str) -> bool:
        """Whether nothing is known of `path`, since it or a folder above it could not be read."""
        return any(not each or path == each or path.startswith(each + "/") for each in self.unseen)


class Tree:
    """The project's folder `root`. All calls block."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def look_at(self, path: str, rules: Rules, scan: Scan) -> bool:
        """Add what lies at `path` alone, unless it or a folder on the way is ignored; whether it is a folder. Raises
        Unavailable."""
        is_folder = False
        with _absent_or_unseen(path, scan), self._root.parent(path) as (folder, name):
            is_folder = not rules.is_below_ignored(path) and self._note(folder, name, path, rules, scan)
        return is_folder

    def look(self, path: str, rules: Rules, scan: Scan, *, deep: bool) -> None:
        """Add what lies at `path` ("": the root), and right in it, or `deep`: anywhere below it. Raises Unavailable.

        Not recursive, and one folder open at a time: a deep or a wide tree must exhaust neither stack nor descriptors.
        """
        if path and not self.look_at(path, rules, scan):
            return
        todo = [path]
        while todo:
            inner = self._look_in(todo.pop(), rules, scan)
            todo += inner if deep else ()

    def _look_in(self, path: str, rules: Rules, scan: Scan) -> list[str]:
        """Add what lies right in a folder; the folders among that."""
        inner = []
        with _absent_or_unseen(path, scan), self._root.folder(path) as descriptor:
            for name in os.listdir(descriptor):
                inside = join(path, name)
                with _absent_or_unseen(inside, scan):
                    if self._note(descriptor, name, inside, rules, scan):
                        inner.append(inside)
        return inner

    def remove(self, path: str) -> None:
        """Unlink a file; one that is gone is no error."""
        with suppress(OSError), self._root.parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def _note(self, folder: int, name: str, path: str, rules: Rules, scan: Scan) -> bool:
        """Whether it is a folder that belongs to the project. Raises OSError."""
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        found = describe(status, path, folder, name)
        if name.startswith(TEMPORARY_PREFIX):
            if status.st_mtime < time.time() - HALF_SECONDS:
                scan.halves.add(path)
            return False
        if found is None:
            return False
        is_folder = found.kind == "folder"
        if rules.is_ignored(path, is_folder):
            if is_folder and rules.is_dependency(path):
                scan.left_out.add(path)
            return False
        scan.found[path] = found
        return is_folder


@contextmanager
def _absent_or_unseen(path: str, scan: Scan) -> Iterator[None]:
    """What the block fails to read: nothing is there, or a link is by now; or it can't be read, so nothing is known of
    it, and what else there is can be saved. Raises Unavailable where that is so of the whole project, or of
    this process."""
    try:
        yield
    except OSError as error:
        if error.errno in ABSENT:
            scan.found.pop(path, None)
        elif path and error.errno not in USED_UP:
            scan.unseen.add(path)
        elif isinstance(error, PermissionError):
            scan.unseen.add(path)
        else:
            message = f"{path or 'The project'} can't be read: {error.strerror}."
            raise Unavailable(message, hint="It is tried again.") from error


def describe(status: os.stat_result, path: str, folder: int = -1, name: str = "") -> Found | None:
    """None for pipes, sockets and devices."""
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return Found(path, "folder", mode)
    if stat.S_ISLNK(status.st_mode):
        return Found(path, "link", target=os.readlink(name, dir_fd=folder))
    if not stat.S_ISREG(status.st_mode):
        return None
    mtime, ctime = (max(-LAST_NS, min(moment, LAST_NS)) for moment in (status.st_mtime_ns, status.st_ctime_ns))
    return Found(path, "file", mode, status.st_size, mtime, ctime, status.st_ino & LAST_NS)
