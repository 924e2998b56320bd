"""The content of a file: its etag, and reading.

An etag is the sha256 of the content. Over 5 MB it is made from size, mtime and inode instead, so that no save waits for
a hash of a large file. A store reports the same sha256 as etag, so a condition stays valid in a new pod.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_repl_runner.contract.errors import (
    Conflict,
    FileExists,
    FileNotFound,
    FileTooLarge,
    InvalidRequest,
)

from .containment import Beneath, map_os_errors

HASHED_BYTES = 5_000_000
TEMPORARY_PREFIX = ".jupyter-repl-tmp-"
_CHUNK = 1 << 16
MISSING = "*missing*"
"""Stands in for the etag of a file that must not exist (If-None-Match: *)."""


@dataclass(frozen=True)
class Stat:
    """`size` in bytes, `mtime` in seconds, `mode` the permission bits; `tag` changes with every write."""

    size: int
    mtime: float
    mode: int
    etag: str
    tag: str


def etag_of(descriptor: int) -> str:
    """Returns the etag of an open file. Does not move the position in the file."""
    status = os.fstat(descriptor)
    if status.st_size > HASHED_BYTES:
        return "s" + hashlib.sha256(tag_of(status).encode()).hexdigest()
    digest = hashlib.sha256()
    for chunk in read_chunks(descriptor, 0, None):
        digest.update(chunk)
    return digest.hexdigest()


def read_chunks(descriptor: int, start: int, end: int | None) -> Iterator[bytes]:
    """Yields the bytes from `start` up to `end` (exclusive; None: the end of the file)."""
    position = start
    while end is None or position < end:
        chunk = os.pread(descriptor, _CHUNK if end is None else min(_CHUNK, end - position), position)
        if not chunk:
            return
        position += len(chunk)
        yield chunk


def stat_of(descriptor: int) -> Stat:
    status = os.fstat(descriptor)
    return Stat(status.st_size, status.st_mtime, status.st_mode & 0o7777, etag_of(descriptor), tag_of(status))


def tag_of(status: os.stat_result) -> str:
    """Returns a tag for the version of a file without reading it: every write changes the tag."""
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"


def stat(beneath: Beneath, path: str) -> Stat:
    """Raises FileNotFound, FileIsADirectory, NoPermissions."""
    descriptor = beneath.open(path)
    try:
        return stat_of(descriptor)
    finally:
        os.close(descriptor)


def read_text(beneath: Beneath, path: str, limit: int) -> tuple[str, str]:
    """Returns `(text, etag)` of a UTF-8 file. Raises FileTooLarge above `limit` bytes, and InvalidRequest for
    binary."""
    descriptor = beneath.open(path)
    try:
        with map_os_errors(path):
            if os.fstat(descriptor).st_size > limit:
                raise FileTooLarge(f"{path} is larger than {limit // 1024} KiB.", hint="Read it from file/.")
            raw = b"".join(read_chunks(descriptor, 0, limit + 1))
    finally:
        os.close(descriptor)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequest(f"{path} is not a UTF-8 text file.", hint="Download it to see its bytes.")
    return text, hashlib.sha256(raw).hexdigest()


def check_etag(beneath: Beneath, path: str, if_match: str | None) -> None:
    """Raises Conflict if the etag of the file is not `if_match`, and FileExists if `if_match` is MISSING and the file
    exists. None skips the check."""
    if if_match is None:
        return
    try:
        descriptor = beneath.open(path)
    except FileNotFound:
        if if_match != MISSING:
            raise Conflict(f"{path} was deleted meanwhile.", hint="Save it again to keep your text.") from None
        return
    try:
        current = etag_of(descriptor)
    finally:
        os.close(descriptor)
    if if_match == MISSING:
        raise FileExists(f"{path} exists already.", hint="Choose another name.")
    if current != if_match:
        raise Conflict(f"{path} was changed meanwhile.", hint="Compare both texts and choose.")
