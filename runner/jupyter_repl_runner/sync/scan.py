"""What lies in the volume, seen without ever following a link: a user may swap a folder for one while it is walked.

Each component is opened beneath the last one's descriptor, so what is a link by then is a failure, not a way out.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_repl_runner.contract.paths import join
from jupyter_repl_runner.files.content import TEMPORARY_PREFIX

from .index import Found
from .rules import Rules

HALF_SECONDS = 60.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass
class Sight:
    """What a look at some paths has found. `unseen`: folders that could not be read, below which nothing is known.
    `left_out`: folders of dependencies, which the rules leave out. `halves`: files that somebody began to write long
    ago and never put in place."""

    found: dict[str, Found] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    halves: set[str] = field(default_factory=set)


class Tree:
    """The project's folder `root`. All calls block."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def identity(self) -> str:
        """Tells this folder from another in its place, or ""."""
        try:
            status = os.stat(self.root)
        except OSError:
            return ""
        return f"{status.st_dev}:{status.st_ino}"

    def look_at(self, path: str, rules: Rules, sight: Sight) -> bool:
        """Add what lies at `path` alone, unless it or a folder on the way is ignored; whether it is a folder."""
        try:
            with self._parent(path) as (folder, name):
                return not rules.is_below_ignored(path) and self._note(folder, name, path, rules, sight)
        except PermissionError:
            sight.unseen.add(path)
        except OSError:  # gone, or below a link by now
            pass
        return False

    def look(self, path: str, rules: Rules, sight: Sight, *, deep: bool) -> None:
        """Add what lies at `path` ("": the root), and right in it, or `deep`: anywhere below it."""
        if path and not self.look_at(path, rules, sight):
            return
        try:
            if not path:
                descriptor = os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)
            else:
                with self._parent(path) as (folder, name):
                    descriptor = os.open(name, _FOLDER, dir_fd=folder)
        except PermissionError:
            sight.unseen.add(path)
            return
        except OSError:  # gone, or a link by now
            return
        self._look_in(descriptor, path, rules, sight, deep)

    def remove(self, path: str) -> None:
        """Unlink a file; one that is gone is no error."""
        with suppress(OSError), self._parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def open(self, path: str) -> int:
        """A descriptor of the regular file at `path`, to read; raises OSError, also for anything else."""
        with self._parent(path) as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError(path)
        return descriptor

    def _look_in(self, descriptor: int, path: str, rules: Rules, sight: Sight, deep: bool) -> None:
        """Takes over the descriptor. Not recursive: a deep tree must not exhaust the stack, nor descriptors."""
        todo = [(descriptor, path)]
        while todo:
            descriptor, path = todo.pop()
            inner = []
            try:
                for name in os.listdir(descriptor):
                    inside = join(path, name)
                    if self._note(descriptor, name, inside, rules, sight):
                        inner.append(inside)
            except PermissionError:
                sight.unseen.add(path)
            except OSError:
                continue
            finally:
                os.close(descriptor)
            for inside in inner if deep else ():
                try:
                    with self._parent(inside) as (folder, name):
                        todo.append((os.open(name, _FOLDER, dir_fd=folder), inside))
                except PermissionError:
                    sight.unseen.add(inside)
                except OSError:
                    sight.found.pop(inside, None)

    def _note(self, folder: int, name: str, path: str, rules: Rules, sight: Sight) -> bool:
        """Whether it is a folder that belongs to the project."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            found = describe(status, path, folder, name)
        except OSError:
            return False
        if name.startswith(TEMPORARY_PREFIX):
            if status.st_mtime < time.time() - HALF_SECONDS:
                sight.halves.add(path)
            return False
        if found is None:
            return False
        is_folder = found.kind == "folder"
        if rules.is_ignored(path, is_folder):
            if is_folder and rules.is_dependency(path):
                sight.left_out.add(path)
            return False
        sight.found[path] = found
        return is_folder

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        *folders, name = path.split("/")
        with ExitStack() as stack:
            descriptor = os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)
            stack.callback(os.close, descriptor)
            for each in folders:
                descriptor = os.open(each, _FOLDER, dir_fd=descriptor)
                stack.callback(os.close, descriptor)
            yield descriptor, name


def describe(status: os.stat_result, path: str, folder: int = -1, name: str = "") -> Found | None:
    """None for pipes, sockets and devices."""
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return Found(path, "folder", mode)
    if stat.S_ISLNK(status.st_mode):
        return Found(path, "link", target=os.readlink(name, dir_fd=folder))
    if not stat.S_ISREG(status.st_mode):
        return None
    return Found(path, "file", mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
