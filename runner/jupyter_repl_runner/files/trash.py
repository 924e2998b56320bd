"""What was deleted and can be put back, for KEPT_SECONDS. It lies on the project's disk, but outside of the project.

So a delete is a rename. An item is a folder of a random name: `entry`, the deleted thing itself, and `item.json`, which
says where it was. That is written first: an item without an entry is a deletion that did not happen.
"""

import errno
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_repl_runner.contract.errors import FileNotFound, InvalidRequest
from jupyter_repl_runner.contract.paths import check_path

from .containment import Beneath, told_as
from .operations import check_free, copy_entry, remove_entry
from .removal import remove_tree

KEPT_SECONDS = 7 * 24 * 3600.0
_ENTRY = "entry"
_ITEM = "item.json"
_ID = re.compile(r"[0-9a-f]{16}")


class Trash:
    """`folder` is made when it is needed. All calls block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def delete(self, beneath: Beneath, path: str) -> str:
        """Take a file, a link (never what it points to) or a whole folder away; the item's id. Raises FileNotFound."""
        self.forget_old()
        item = secrets.token_hex(8)
        with beneath.entry(path, follow=False) as (folder, name):
            os.stat(name, dir_fd=folder, follow_symlinks=False)  # told as FileNotFound
            place = self._folder / item
            place.mkdir(mode=0o700, parents=True)
            (place / _ITEM).write_text(json.dumps({"path": path}))
            with _opened(place) as target:
                _carry(folder, name, target, _ENTRY)
        return item

    def restore(self, beneath: Beneath, item: str) -> str:
        """Put an item back to where it was, folders included; its path. Raises FileNotFound, FileExists."""
        if not _ID.fullmatch(item):
            raise InvalidRequest("That names nothing in the trash.")
        place = self._folder / item
        try:
            path = check_path(json.loads((place / _ITEM).read_text())["path"])
        except (OSError, ValueError, KeyError):
            raise FileNotFound("It is no longer in the trash.", hint="It is kept for 7 days.") from None
        with _opened(place) as source, beneath.entry(path, follow=False, make=True) as (folder, name):
            check_free(folder, name, path)
            _carry(source, _ENTRY, folder, name)
        remove_tree(place)
        return path

    def list(self) -> list[tuple[str, float, str]]:
        """`(item, when in seconds since the epoch, path)`, newest first."""
        found = []
        for place in self._folder.glob("*/" + _ITEM):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found.append((place.parent.name, place.stat().st_mtime, str(json.loads(place.read_text())["path"])))
        return sorted(found, key=lambda item: item[1], reverse=True)

    def forget_old(self) -> None:
        """End what was deleted KEPT_SECONDS ago."""
        try:
            items = list(os.scandir(self._folder))
        except FileNotFoundError:
            return
        for item in items:
            if item.stat(follow_symlinks=False).st_mtime < time.time() - KEPT_SECONDS:
                remove_tree(item.path)


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    with told_as("The trash"):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _carry(source: int, name: str, target: int, new: str) -> None:
    try:
        os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a folder of the project can be another disk's
            raise
        copy_entry(source, name, target, new)
        remove_entry(source, name)
