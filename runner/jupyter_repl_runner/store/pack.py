"""A folder as a zip, streamed: it needs no disk, and any program can read it. All calls block.

An archive of a whole project says so in its comment, `{"jupyter-repl": {...}}`, so that it comes back as it was.
"""

import json
import os
import stat
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping
from itertools import chain, count
from typing import Any, BinaryIO, cast

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.paths import MAX_NAME_BYTES, join
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.content import TEMPORARY_PREFIX

MARK = "jupyter-repl"
_CHUNK = 1 << 18
_UNREADABLE = "NOT-IN-THIS-ARCHIVE.txt"
_EARLIEST, _LATEST = 315619200, 4354732800  # 1980-01-02 and 2107-12-31: a zip knows no other days


def pack(
    beneath: Beneath, path: str, about: Mapping[str, Any] | None = None, missing: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """The zip of the folder `path`, in chunks: modes, times, links and empty folders as they are.

    `about`: of a whole project, what comes back with it. What can't be read is named in a file of the zip, and so is
    what is `missing` there already, with the reasons. Raises FileNotFound or FileNotADirectory at once, not with the
    first chunk.
    """
    with beneath.folder(path):
        pass
    return _pack(beneath, path, about, [f"{_printable(name)}: {reason}" for name, reason in (missing or {}).items()])


def _pack(beneath: Beneath, path: str, about: Mapping[str, Any] | None, missing: list[str]) -> Iterator[bytes]:
    sink = _Sink()
    todo = [path]
    with zipfile.ZipFile(cast(BinaryIO, sink), "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as zipped:
        while todo:
            folder = todo.pop()
            inside = folder[len(path) :].lstrip("/")
            try:
                with beneath.folder(folder) as descriptor:
                    for name in sorted(os.listdir(descriptor)):
                        is_folder = yield from _pack_entry(zipped, sink, descriptor, name, join(inside, name), missing)
                        if is_folder:
                            todo.append(join(folder, name))
            except ReplError as error:
                missing.append(f"{_printable(inside)}: {error.message}")
        if missing:
            zipped.writestr(_free_name(zipped), "\n".join(missing) + "\n")
        if about is not None:
            zipped.comment = json.dumps({MARK: about}).encode()
    yield sink.take()


def _pack_entry(
    zipped: zipfile.ZipFile, sink: "_Sink", folder: int, name: str, inside: str, missing: list[str]
) -> Generator[bytes, None, bool]:
    """Whether it is a folder, whose content comes later; pipes, sockets and devices are left out."""
    try:
        printable = _printable(inside)
        if printable != inside and not _fits(zipped, printable):
            missing.append(f"{printable}: Its name is not UTF-8, as names in a zip are.")
        elif not name.startswith(TEMPORARY_PREFIX):
            return (yield from _pack_named(zipped, sink, folder, name, printable))
    except OSError as error:
        missing.append(f"{_printable(inside)}: {error.strerror}")
    return False


def _pack_named(
    zipped: zipfile.ZipFile, sink: "_Sink", folder: int, name: str, inside: str
) -> Generator[bytes, None, bool]:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    is_folder = stat.S_ISDIR(status.st_mode)
    moment = time.localtime(min(max(status.st_mtime, _EARLIEST), _LATEST))[:6]
    info = zipfile.ZipInfo(inside + "/" * is_folder, cast(Any, moment))
    info.external_attr = (status.st_mode & 0xFFFF) << 16 | (0x10 if is_folder else 0)
    info.create_system = 3  # Unix: the mode is in the upper half
    if is_folder:
        zipped.writestr(info, b"")
    elif stat.S_ISLNK(status.st_mode):
        zipped.writestr(info, os.fsencode(os.readlink(name, dir_fd=folder)))
    elif stat.S_ISREG(status.st_mode):
        info.compress_type = zipfile.ZIP_DEFLATED
        info.file_size = status.st_size
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with open(descriptor, "rb") as source, zipped.open(info, "w", force_zip64=status.st_size > 1 << 30) as target:
            left = status.st_size  # a log that grows meanwhile ends where it did
            while left and (chunk := source.read(min(_CHUNK, left))):
                left -= len(chunk)
                target.write(chunk)
                if sink.size > _CHUNK:
                    yield sink.take()
    if sink.size > _CHUNK:
        yield sink.take()
    return is_folder


def _fits(zipped: zipfile.ZipFile, name: str) -> bool:
    """Whether a changed name is still a name, and nobody else's."""
    is_taken = {name, name + "/"} & zipped.NameToInfo.keys()
    return not is_taken and len(name.rpartition("/")[2].encode()) <= MAX_NAME_BYTES


def _free_name(zipped: zipfile.ZipFile) -> str:
    """For the list of what is missing; an earlier one may be in the project."""
    names = chain([_UNREADABLE], (_UNREADABLE.replace(".", f"-{number}.") for number in count(2)))
    return next(name for name in names if name not in zipped.NameToInfo)


class _Sink:
    """What zipfile writes into; it can't seek, so zipfile puts sizes behind each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        self.size = 0
        return data


def _printable(name: str) -> str:
    """Names that are not UTF-8 can't be in a zip as they are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
