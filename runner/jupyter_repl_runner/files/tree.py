"""Listings of a project's folders, as the tree shows them."""

import os
import stat
from typing import Any

from jupyter_repl_runner.contract.paths import join

from .containment import Beneath, told_as
from .content import TEMPORARY_PREFIX


def list_folder(beneath: Beneath, path: str) -> list[dict[str, Any]]:
    """`[{type: "dir" | "file", name, path, size, mtime}]`, folders first; a broken link counts as a file."""
    with beneath.folder(path) as descriptor, told_as(path):
        with os.scandir(descriptor) as entries:
            rows = [_row(path, entry) for entry in entries if not entry.name.startswith(TEMPORARY_PREFIX)]
    rows.sort(key=lambda row: (row["type"] != "dir", row["name"].casefold(), row["name"]))
    return rows


def _row(folder: str, entry: "os.DirEntry[str]") -> dict[str, Any]:
    try:
        status = entry.stat()
    except OSError:  # a link that goes nowhere, or a file deleted meanwhile
        status = None
    return {
        "type": "dir" if status and stat.S_ISDIR(status.st_mode) else "file",
        "name": entry.name,
        "path": join(folder, entry.name),
        "size": status.st_size if status else 0,
        "mtime": status.st_mtime if status else 0,
    }
