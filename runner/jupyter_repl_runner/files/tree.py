"""Listings of a project's folders, as the tree shows them."""

import os
import stat
from itertools import islice
from typing import Any

from jupyter_repl_runner.contract.paths import join

from .containment import Beneath, map_os_errors
from .content import TEMPORARY_PREFIX


def list_folder(
    beneath: Beneath, path: str, offset: int = 0, limit: int | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Returns `([{type: "dir" | "file", name, path, size, mtime}], total)`: at most `limit` rows, from `offset` on.

    `total` counts all rows. Folders come first, then rows are sorted by name; a broken link counts as a file. Only the
    returned rows are examined one by one, so that a page of a folder with 50,000 files costs little more than reading
    its names.
    """
    with beneath.folder(path) as descriptor, map_os_errors(path):
        with os.scandir(descriptor) as entries:
            found = [
                (not _is_folder(entry), entry.name.casefold(), entry.name)
                for entry in entries
                if not entry.name.startswith(TEMPORARY_PREFIX)
            ]
        found.sort()
        end = None if limit is None else offset + limit
        return [_row(descriptor, path, name) for _, _, name in islice(found, offset, end)], len(found)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _row(descriptor: int, folder: str, name: str) -> dict[str, Any]:
    try:
        status = os.stat(name, dir_fd=descriptor)
    except OSError:  # a broken link, or a file deleted meanwhile
        status = None
    return {
        "type": "dir" if status and stat.S_ISDIR(status.st_mode) else "file",
        "name": name,
        "path": join(folder, name),
        "size": status.st_size if status else 0,
        "mtime": status.st_mtime if status else 0,
    }
