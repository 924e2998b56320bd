"""Streams a folder as a zip that any program can read, without temporary files. All calls block.

The zip of a whole project is marked by its comment, `{"jupyter-repl": {...}}`, so that `unpack` restores it as it was.
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
_EARLIEST, _LATEST = 315619200, 4354732800  # 1980-01-02 and 2107-12-31: the range of dates in a zip


def pack(
    beneath: Beneath, path: str, about: Mapping[str, Any] | None = None, missing: Mapping[str, str] | None = None
) -> Iterator[bytes]:
    """Returns the zip of the folder `path` in chunks, with modes, times, links and empty folders.

    `about`: for a whole project, its description, which `unpack` reads back. A text file in the zip lists what can't be
    read, and what was `missing` from the start, with the reasons. Raises FileNotFound or FileNotADirectory at the call,
    not at the first chunk.
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
    """Returns True for a folder, whose content the caller packs later. Pipes, sockets and devices are left out."""
    try:
        printable = _printable(inside)
        if printable != inside and not _fits(zipped, printable):
            missing.append(f"{printable}: Its name is not UTF-8, which a zip requires.")
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
    info.create_system = 3  # Unix: the upper 16 bits of external_attr are the mode
    if is_folder:
        zipped.writestr(info, b"")
    elif stat.S_ISLNK(status.st_mode):
        zipped.writestr(info, os.fsencode(os.readlink(name, dir_fd=folder)))
    elif stat.S_ISREG(status.st_mode):
        info.compress_type = zipfile.ZIP_DEFLATED
        info.file_size = status.st_size
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with open(descriptor, "rb") as source, zipped.open(info, "w", force_zip64=status.st_size > 1 << 30) as target:
            left = status.st_size  # a file that grows meanwhile, such as a log, is cut at this size
            while left and (chunk := source.read(min(_CHUNK, left))):
                left -= len(chunk)
                target.write(chunk)
                if sink.size > _CHUNK:
                    yield sink.take()
    if sink.size > _CHUNK:
        yield sink.take()
    return is_folder


def _fits(zipped: zipfile.ZipFile, name: str) -> bool:
    """Returns True if a changed name is not too long, and not yet taken in the zip."""
    is_taken = {name, name + "/"} & zipped.NameToInfo.keys()
    return not is_taken and len(name.rpartition("/")[2].encode()) <= MAX_NAME_BYTES


def _free_name(zipped: zipfile.ZipFile) -> str:
    """Returns a name for the list of missing files. The project may contain such a list from an earlier archive."""
    names = chain([_UNREADABLE], (_UNREADABLE.replace(".", f"-{number}.") for number in count(2)))
    return next(name for name in names if name not in zipped.NameToInfo)


class _Sink:
    """The file object that zipfile writes to. It can't seek, so zipfile writes the sizes after each file."""

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
    """Returns the name with replacement characters for bytes that are not UTF-8, which a zip can't hold."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
