"""Writes a file in place, where replacing it by a new file would change more than its content: its owner, its other
hard links, its attributes. In a folder that is not writable, it is the only way to write a file.

A process that is killed meanwhile would leave a mix of both versions. So a journal holds both versions until the new
one is complete, and `recover` finishes interrupted writes. All calls block.
"""

import json
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from logging import getLogger
from pathlib import Path

from jupyter_repl_runner.contract.errors import FileNotFound, InvalidRequest, NoPermissions, ReplError
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.paths import check_path

from .containment import Beneath
from .content import read_chunks
from .root import open_regular

JOURNAL = "journal"
"""The usual name of the folder, which lies beside the trash."""
_CHUNK = 1 << 18
_OLD, _NEW, _ENTRY = "old", "new", "entry.json"
_MAX_ENTRY = 1 << 16

log = getLogger(__name__)


class Journal:
    """`folder` lies on the disk of the files, and is created when needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[Path] = set()
        """Entries of files that could neither be written nor get their old content back: `forget` leaves these
        alone."""

    def stage(self) -> tuple[int, Path]:
        """Returns a descriptor for the new content, and its entry. The caller passes the entry to `replace` or
        `forget`, and closes the descriptor."""
        entry = self._folder / secrets.token_hex(8)
        entry.mkdir(mode=0o700, parents=True)
        return os.open(entry / _NEW, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), entry

    def replace(self, beneath: Beneath, path: str, entry: Path, check: Callable[[], None]) -> int:
        """Write the staged content into the file; returns a descriptor of the file, which the caller closes. `check` is
        called just before the file changes, and may raise. If the write fails, the old content is written back; if
        that fails, too, the entry stays for `recover`."""
        with ExitStack() as stack:
            target = beneath.open(path, os.O_RDWR)
            stack.callback(os.close, target)
            with open(entry / _OLD, "xb") as old:
                for chunk in read_chunks(target, 0, None):
                    old.write(chunk)
                old.flush()
                os.fsync(old.fileno())
            _note(entry, path)
            check()
            try:
                _write(target, entry / _NEW)
            except OSError:
                self._kept.add(entry)
                _write(target, entry / _OLD)
                self._kept.discard(entry)
                raise
            stack.pop_all()
        self.forget(entry)
        return target

    def recover(self, beneath: Beneath) -> None:
        """Finish the writes that an earlier process began. A file that is not a mix of its two versions was changed
        since, and is left alone."""
        for entry in self._folder.glob("?" * 16):
            try:
                path = _noted(entry)
                if path is not None:
                    self._finish(beneath, path, entry)
            except FileNotFound:
                pass
            except (OSError, ReplError) as error:  # retried at the next start
                log.warning("A half-written file can't be finished yet: %s", error)
                continue
            self._kept.discard(entry)
            self.forget(entry)

    @staticmethod
    def _finish(beneath: Beneath, path: str, entry: Path) -> None:
        target = beneath.open(path, os.O_RDWR)
        try:
            if _is_half(target, entry):
                _write(target, entry / _NEW)
                log.warning("%s was half-written, and is whole now", path)
        finally:
            os.close(target)

    def forget(self, entry: Path) -> None:
        if entry in self._kept:
            return
        for name in (_ENTRY, _NEW, _OLD):  # _ENTRY first: without it, `recover` ignores the others
            with suppress(OSError):
                (entry / name).unlink()
        with suppress(OSError):
            entry.rmdir()


def _write(target: int, source: Path) -> None:
    """Copy the content of `source` into an open file. Raises OSError."""
    position = 0
    with open(open_regular(source), "rb") as file:
        while chunk := file.read(_CHUNK):
            view = memoryview(chunk)
            while view:
                written = os.pwrite(target, view, position)
                position, view = position + written, view[written:]
    os.ftruncate(target, position)
    os.fsync(target)


def _noted(entry: Path) -> str | None:
    """Returns the path of an entry's file; None if the write had not begun yet. Raises OSError."""
    try:
        with open(open_regular(entry / _ENTRY)) as file:
            return check_path(parse_json(file.read(_MAX_ENTRY))["path"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, InvalidRequest, NoPermissions):
        return None


def _note(entry: Path, path: str) -> None:
    temporary = entry / f"{_ENTRY}.new"
    with open(temporary, "x") as file:
        json.dump({"path": path}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(entry / _ENTRY)


def _is_half(target: int, entry: Path) -> bool:
    """Returns True if the file begins like the new version and goes on like the old one. A write shortens a file only
    after all of its content is new."""
    size, sizes = os.fstat(target).st_size, [(entry / name).stat().st_size for name in (_NEW, _OLD)]
    if size < sizes[1] and size != sizes[0]:
        return False
    is_new = True
    with open(open_regular(entry / _NEW), "rb") as new, open(open_regular(entry / _OLD), "rb") as old:
        for here in read_chunks(target, 0, None):
            theirs, before = new.read(len(here)), old.read(len(here))
            if is_new:
                same = _common(here, theirs)
                is_new = same == len(here)
                if is_new:
                    continue
                here, before = here[same:], before[same:]
            if here != before:
                return False
    return is_new or size >= sizes[1]


def _common(one: bytes, other: bytes) -> int:
    """Returns the length of the common beginning."""
    if one == other[: len(one)]:
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))
