"""Reads a local folder as objects and a manifest. All calls but `chunks` block. Nobody else changes the folder."""

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from jupyter_repl_runner import tasks

from .manifest import USUAL_MODE, Manifest

_CHUNK = 1 << 18


def walk(top: str, on_error: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yields each folder with the names of its folders and of everything else, like `os.walk`, but without recursion:
    before Python 3.12, `os.walk` fails at about a thousand nested folders. The caller may change the list of folders to
    choose which of them are walked. `on_error` gets the error of a folder that can't be listed, and may raise."""
    todo = [top]
    while todo:
        here = todo.pop()
        folders: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    (folders if _is_dir(entry) else others).append(entry.name)
        except OSError as error:
            on_error(error)
            continue
        yield here, folders, others
        paths = [os.path.join(here, name) for name in folders]
        todo += [path for path in reversed(paths) if not os.path.islink(path)]


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    """Returns False also for a link to itself, which can't be followed."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _ignore(error: OSError) -> None:
    """Skip a folder that can't be listed."""


def read(folder: Path) -> tuple[dict[str, tuple[int, float]], Manifest]:
    """Returns `(mode, mtime)` of each file by path, and the manifest. Pipes, sockets and devices are left out."""
    files: dict[str, tuple[int, float]] = {}
    links: dict[str, str] = {}
    folders: dict[str, int] = {}
    for place, inner, names in walk(str(folder), _ignore):
        here = os.path.relpath(place, folder)
        mode = stat.S_IMODE(os.stat(place).st_mode)
        if here != "." and (mode != USUAL_MODE or (not inner and not names)):
            folders[here] = mode
        for name in (*inner, *names):
            path = os.path.normpath(os.path.join(here, name))
            status = os.lstat(os.path.join(place, name))
            if stat.S_ISLNK(status.st_mode):
                links[path] = os.readlink(os.path.join(place, name))
            elif stat.S_ISREG(status.st_mode):
                files[path] = stat.S_IMODE(status.st_mode), status.st_mtime
    return files, Manifest(links, folders)


async def chunks(folder: Path, path: str) -> AsyncIterator[bytes]:
    file = await tasks.in_thread(open, folder / path, "rb")
    with file:
        while chunk := await tasks.in_thread(file.read, _CHUNK):
            yield chunk
