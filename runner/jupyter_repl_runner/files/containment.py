"""The only way from a relative path to a file: a walk by directory descriptors that never leaves the root.

Links that stay inside are followed, links that lead out are refused. Each step opens a folder beneath the descriptor of
the previous one with O_NOFOLLOW, so a folder that is replaced by a link meanwhile is an error.
"""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_repl_runner.contract.errors import (
    FileIsADirectory,
    FileNotFound,
    InvalidRequest,
    NoPermissions,
    from_os_error,
)
from jupyter_repl_runner.contract.paths import check_path

from .root import Root, Walk

if TYPE_CHECKING:
    from .inplace import Journal

_MAX_LINKS = 40
_ROOT = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def map_os_errors(path: str) -> Iterator[None]:
    """Turn an OSError of the block into the ReplError about `path`."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, path) from error


class Beneath:
    """Access to the files beneath `root`. A `Path` is opened by name at each call, and links in it are followed: use
    that only if no program with fewer permissions than ours can rename the folder. A `Root` is open already. `journal`:
    for files that must be written in place."""

    def __init__(self, root: Root | Path, journal: "Journal | None" = None) -> None:
        self.journal = journal
        self.root = root.path if isinstance(root, Root) else root
        self.kept = root if isinstance(root, Root) else None

    @contextmanager
    def entry(self, path: str, *, follow: bool = True, make: bool = False) -> Iterator[tuple[int, str]]:
        """Yield `(folder descriptor, name)` of `path`, whose last component need not exist.

        `follow`: follow a link in the last component; `make`: create missing folders on the way.
        Raises FileIsADirectory if the path resolves to the root itself.
        """
        with ExitStack() as stack, map_os_errors(path):
            walk = stack.enter_context(Walk(self._enter_root(stack)))
            name = self._walk(walk, check_path(path), follow, make)
            if name is None:
                raise FileIsADirectory("The path names a folder.", hint="Name a file in it.")
            yield walk.descriptor, name

    @contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """Yield a descriptor of the folder `path` that scandir accepts; an empty path is the root."""
        with ExitStack() as stack, map_os_errors(path):
            walk = stack.enter_context(Walk(self._enter_root(stack)))
            if path:
                name = self._walk(walk, check_path(path), follow=True, make=False)
                if name is not None:
                    walk.enter(name)
            descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=walk.descriptor)
            stack.callback(os.close, descriptor)
            yield descriptor

    def open(self, path: str, flags: int = os.O_RDONLY) -> int:
        """Returns a descriptor of the regular file `path`; the caller closes it."""
        with self.entry(path) as (folder, name):
            # O_NONBLOCK: opening a FIFO without a writer must not hang.
            descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            check_regular(os.fstat(descriptor), path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _enter_root(self, stack: ExitStack) -> int:
        if self.kept is not None:
            return self.kept.descriptor
        descriptor = os.open(self.root, _ROOT)
        stack.callback(os.close, descriptor)
        return descriptor

    def _walk(self, walk: Walk, path: str, follow: bool, make: bool) -> str | None:
        """Descend to the folder of the last component and return that component. Returns None if the path resolves to
        the folder that the walk is in."""
        todo = deque(path.split("/"))
        links = 0
        while todo:
            name = todo.popleft()
            if name == "..":  # only a link's target can contain it
                if not walk.names:
                    raise NoPermissions(f"{path} leads out of the project.", hint="Copy what it points to instead.")
                walk.leave()
                continue
            if not todo and not follow:
                return name
            kind = self._kind(walk.descriptor, name)
            if kind == "link":
                links += 1
                if links > _MAX_LINKS:
                    raise NoPermissions(f"{path} is a link that goes in circles.", hint="Remove the link.")
                todo.extendleft(reversed(self._target(walk, name, path)))
            elif not todo:
                return name
            else:
                if kind == "missing":
                    if not make:
                        raise FileNotFound(f"There is no {path}.", hint="It may have been deleted or renamed.")
                    with suppress(FileExistsError):  # another writer was faster
                        os.mkdir(name, dir_fd=walk.descriptor)
                walk.enter(name)
        return None

    @staticmethod
    def _kind(folder: int, name: str) -> str:
        try:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return "missing"
        return "link" if (mode & 0o170000) == 0o120000 else "other"

    def _target(self, walk: Walk, name: str, path: str) -> list[str]:
        """Returns the components of a link's target. For an absolute target beneath the root, the walk goes back to the
        root. Raises NoPermissions for any other absolute target."""
        target = os.readlink(name, dir_fd=walk.descriptor)
        if target.startswith("/"):
            root = os.path.realpath(self.root)
            if target != root and not target.startswith(root + "/"):
                raise NoPermissions(f"{path} leads out of the project.", hint="Copy what it points to instead.")
            walk.go_back()
            target = target[len(root) :]
        return [part for part in target.split("/") if part not in ("", ".")]


def check_regular(status: os.stat_result, path: str) -> None:
    """Raise FileIsADirectory or InvalidRequest unless `status` is of a regular file."""
    kind = status.st_mode & 0o170000
    if kind == 0o040000:
        raise FileIsADirectory(f"{path} is a folder.", hint="Name a file in it.")
    if kind != 0o100000:
        raise InvalidRequest(f"{path} is not a regular file.", hint="Pipes, sockets and devices can't be opened.")
