"""A file of the volume as it was at one moment: its bytes, their hash, and whether somebody wrote meanwhile. Blocks."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from jupyter_repl_runner.files.root import Root

from .found import Found
from .scan import describe

IN_MEMORY = 8 << 20
_CHUNK = 1 << 18


class TooLarge(Exception):
    """The file is over the limit."""


@dataclass
class Snapshot:
    """`found` is what the file was when it had been read; `is_torn`: it was written while it was read, so the bytes may
    be of two versions. `body` is at its start. A context manager."""

    found: Found
    hash: str
    is_torn: bool
    body: IO[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.body.close()


def take(root: Root, path: str, limit: int) -> Snapshot:
    """A large file is copied aside first: what is sent must be what was hashed. Raises OSError and TooLarge."""
    descriptor = root.open(path)
    with open(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if before.st_size > limit:
            raise TooLarge
        body = tempfile.SpooledTemporaryFile(IN_MEMORY)
        try:
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                body.write(chunk)
                if body.tell() > limit:
                    raise TooLarge
            after = os.fstat(descriptor)
            found = describe(after, path)
            assert found is not None
            is_torn = _stamp(before) != _stamp(after) or body.tell() != after.st_size
            body.seek(0)
            return Snapshot(found, digest.hexdigest(), is_torn, body)
        except BaseException:
            body.close()
            raise


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
