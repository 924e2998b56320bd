"""Writing a file in its place, where putting another one there would change more than its content: its owner, its other
names, its attributes. A folder that may not be written allows nothing else.

A process that is killed meanwhile would leave half of each version. So both are kept in a journal until the new one is
whole, and `recover` finishes what it finds there. All calls block.
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
"""The usual folder, beside the trash."""
_CHUNK = 1 << 18
_OLD, _NEW, _ENTRY = "old", "new", "entry.json"
_MAX_ENTRY = 1 << 16

log = getLogger(__name__)


class Journal:
    """`folder`, on the disk of the files, is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[Path] = set()
        """Entries of files that could neither be written nor given their old content again."""

    def stage(self) -> tuple[int, Path]:
        """A descriptor for the new content, and the entry that it belongs to. The caller passes that to `replace` or
        `forget`, and closes the descriptor."""
        entry = self._folder / secrets.token_hex(8)
        entry.mkdir(mode=0o700, parents=True)
        return os.open(entry / _NEW, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), entry

    def replace(self, beneath: Beneath, path: str, entry: Path, check: Callable[[], None]) -> int:
        """Give the file the staged content; a descriptor of it, which the caller closes. `check` is called just before
        anything of the file changes, and may raise. A file that can't be written has its old content again, or the
        entry stays for `recover`."""
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
        """Finish what a process before us had begun; what is no half of the two versions is somebody's work since."""
        for entry in self._folder.glob("?" * 16):
            try:
                path = _noted(entry)
                if path is not None:
                    self._finish(beneath, path, entry)
            except FileNotFound:
                pass
            except (OSError, ReplError) as error:  # it is tried again with the next start
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
        for name in (_ENTRY, _NEW, _OLD):  # the first one first: without it there is nothing to be finished
            with suppress(OSError):
                (entry / name).unlink()
        with suppress(OSError):
            entry.rmdir()


def _write(target: int, source: Path) -> None:
    """Give an open file the content of another. Raises OSError."""
    position = 0
    with open(source, "rb") as file:
        while chunk := file.read(_CHUNK):
            view = memoryview(chunk)
            while view:
                written = os.pwrite(target, view, position)
                position, view = position + written, view[written:]
    os.ftruncate(target, position)
    os.fsync(target)


def _noted(entry: Path) -> str | None:
    """The path of an entry; None if nothing was written yet. Raises OSError."""
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
    """Whether it is the begin of the new version, and from there on the old one: a write never makes a file shorter
    before all of it is new."""
    size, sizes = os.fstat(target).st_size, [(entry / name).stat().st_size for name in (_NEW, _OLD)]
    if size < sizes[1] and size != sizes[0]:
        return False
    is_new = True
    with open(entry / _NEW, "rb") as new, open(entry / _OLD, "rb") as old:
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
    """How many bytes both begin with."""
    if one == other[: len(one)]:
        return len(one)
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))
