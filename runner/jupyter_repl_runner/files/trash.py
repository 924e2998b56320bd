"""The trash of a project on disk. It retains deleted files for KEPT_SECONDS, so that they can be restored.

It lies on the project's disk, but outside the project, so that a deletion is a rename. An item is a folder with a
random name. It holds `entry`, the deleted file or folder itself, and `item.json`, its former path. `item.json` is
written first: an item without an entry is a deletion that did not happen.
"""

import errno
import json
import os
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jupyter_repl_runner.contract.errors import FileNotFound, InvalidRequest
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.paths import check_path

from .containment import Beneath, map_os_errors
from .operations import check_free, copy_entry, remove_entry
from .removal import remove_tree
from .root import Root

KEPT_SECONDS = 7 * 24 * 3600.0
_ENTRY = "entry"
_ITEM = "item.json"
_MAX_ITEM = 1 << 16
"""The most bytes of `item.json`: the longest path, escaped."""
_ID = re.compile(r"[0-9a-f]{16}")


class Trash:
    """`folder`: a path, which is created when needed, or an open `Root`. All calls block."""

    def __init__(self, folder: Root | Path) -> None:
        self._folder = folder

    def delete(self, beneath: Beneath, path: str) -> str:
        """Move a file, a link (never what it points to) or a whole folder to the trash; returns the item's id. Raises
        FileNotFound."""
        self.forget_old()
        item = secrets.token_hex(8)
        with beneath.entry(path, follow=False) as (folder, name):
            os.stat(name, dir_fd=folder, follow_symlinks=False)  # raises FileNotFound
            with map_os_errors("The trash"):
                trash = self._opened(make=True)
                os.mkdir(item, 0o700, dir_fd=trash.descriptor)
                _write(trash, item, path)
            with trash.folder(item) as target:
                _carry(folder, name, target, _ENTRY)
        return item

    def restore(self, beneath: Beneath, item: str) -> str:
        """Move an item back to its former path, and create missing folders; returns the path. Raises FileNotFound or
        FileExists."""
        if not _ID.fullmatch(item):
            raise InvalidRequest("This is not the id of an item in the trash.")
        with map_os_errors("The trash"):
            try:
                trash = self._opened()
                path, _ = _read(trash, item)
            except (FileNotFoundError, NotADirectoryError, ValueError):
                raise FileNotFound("It is no longer in the trash.", hint="It is kept for 7 days.") from None
        with trash.folder(item) as source, beneath.entry(path, follow=False, make=True) as (folder, name):
            check_free(folder, name, path)
            _carry(source, _ENTRY, folder, name)
        remove_tree(item, dir_fd=trash.descriptor)
        return path

    def list(self) -> list[tuple[str, float, str]]:
        """Returns `(item, when in seconds since the epoch, path)`, newest first."""
        found = []
        with map_os_errors("The trash"):
            try:
                trash = self._opened()
            except FileNotFoundError:
                return []
            for item in _items(trash):
                with suppress(OSError, ValueError):
                    path, when = _read(trash, item)
                    found.append((item, when, path))
        return sorted(found, key=lambda item: item[1], reverse=True)

    def forget_old(self) -> None:
        """Delete items for good that are older than KEPT_SECONDS."""
        try:
            trash = self._opened()
            items = _items(trash)
        except OSError:  # a caller that needs the trash opens it itself, and gets the error
            return
        for item in items:
            with suppress(OSError):
                if trash.lstat(item).st_mtime < time.time() - KEPT_SECONDS:
                    remove_tree(item, dir_fd=trash.descriptor)

    def _opened(self, *, make: bool = False) -> Root:
        """Returns the trash folder. Raises OSError, also if a link or anything but a folder is in its place."""
        if isinstance(self._folder, Root):
            return self._folder
        return Root.made(self._folder, 0o700) if make else Root(self._folder)


def _items(trash: Root) -> Sequence[str]:
    with trash.folder("") as descriptor:
        return os.listdir(descriptor)


def _write(trash: Root, item: str, path: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with trash.folder(item) as folder, open(os.open(_ITEM, flags, 0o600, dir_fd=folder), "w") as file:
        json.dump({"path": path}, file)


def _read(trash: Root, item: str) -> tuple[str, float]:
    """Returns the path of an item, and when it was deleted. Raises OSError and ValueError."""
    descriptor = trash.open(f"{item}/{_ITEM}")
    with open(descriptor) as file:
        when = os.fstat(descriptor).st_mtime
        said = parse_json(file.read(_MAX_ITEM))
    if not isinstance(said, dict) or not isinstance(said.get("path"), str):
        raise ValueError(item)
    try:
        return check_path(said["path"]), when
    except InvalidRequest as error:
        raise ValueError(item) from error


def _carry(source: int, name: str, target: int, new: str) -> None:
    try:
        os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a folder of the project can be on another disk
            raise
        copy_entry(source, name, target, new)
        remove_entry(source, name)
