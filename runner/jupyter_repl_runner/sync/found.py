"""What lies at a path of the volume, and what both sides have agreed on about it. Pure."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "link", "folder"]


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at `path` in the volume. `mode`: the permission bits; `target`: where a link points to."""

    path: str
    kind: Kind
    mode: int = 0
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    inode: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What was found when both sides agreed, with the store's tag and the content's sha256 (files only)."""

    found: Found
    tag: str = ""
    hash: str = ""
