"""One object of S3: its head, parsed from the headers of an answer, and its body in chunks, received or to be sent."""

import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Conflict, FileNotFound, ReplError, Unavailable
from jupyter_repl_runner.contract.grant import S3Settings
from jupyter_repl_runner.files.containment import map_os_errors
from jupyter_repl_runner.files.content import HASHED_BYTES

from .port import Blob, Entry, Head
from .s3_errors import map_s3_errors

CHUNK = 1 << 18
IN_MEMORY = 8 << 20
"""The most bytes of a body that waits in memory to be sent; a larger body waits on disk."""
RESUMES = 4
LAST_SECOND = 1 << 33
"""In the year 2242. A later time is in another unit than seconds, and is ignored."""
HASH, MODE, MTIME = "sha256", "mode", "mtime"
"""The names of the metadata of an object."""

Answer = dict[str, Any]
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


class S3Blob(Blob):
    """If the connection breaks, requests the rest of the body, as long as the object has not changed."""

    def __init__(
        self, ask: Callable[..., Awaitable[Any]], in_thread: InThread, settings: S3Settings, key: str, answer: Answer
    ) -> None:
        self._ask = ask
        self._in_thread = in_thread
        self._settings = settings
        self._key = key
        self._body: Any = answer["Body"]
        self.head = head_of(key, answer)

    async def chunks(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        size = self.head.entry.size
        position, end = start, size if end is None else min(end, size)
        failures = 0
        if (position, end) != (0, size):
            await self._release()
        while position < end:
            try:
                if self._body is None:
                    await self._ask_again(position, end)
                chunk = await self._read(min(CHUNK, end - position))
            except Unavailable:
                await self._release()
                failures += 1
                if failures > RESUMES:
                    raise
                continue
            position += len(chunk)
            failures = 0
            yield chunk

    async def _read(self, count: int) -> bytes:
        def read() -> Any:
            with map_s3_errors(self._settings, self._key):
                return self._body.read(count)

        chunk = await tasks.to_the_end(self._in_thread(read))
        if not chunk:
            raise Unavailable(f"The download of {self._key} was cut off.", hint="Try again.")
        return bytes(chunk)

    async def _ask_again(self, start: int, end: int) -> None:
        tag = {"IfMatch": f'"{self.head.entry.tag}"'}
        with map_refusals({"412": Conflict(f"{self._key} was changed meanwhile.", hint="Read it again.")}):
            answer = await self._ask("get_object", self._key, Range=f"bytes={start}-{end - 1}", **tag)
        self._body = answer["Body"]

    async def _release(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            with suppress(Exception):  # the connection is discarded, so its errors don't matter
                await self._in_thread(body.close)

    async def __aexit__(self, *_: object) -> None:
        await self._release()


class Spooled:
    """Buffers a body before it is sent, because S3 needs its size first. An async context manager."""

    def __init__(self) -> None:
        self.file = tempfile.SpooledTemporaryFile(IN_MEMORY)
        self._size = 0

    async def fill(self, data: bytes | AsyncIterator[bytes]) -> tuple[int, str]:
        """Store the body. Returns its size and sha256. Raises DiskFull."""
        digest = hashlib.sha256()
        async for chunk in _once(data) if isinstance(data, bytes) else data:
            digest.update(chunk)
            self._size += len(chunk)
            with map_os_errors("The temporary folder"):
                if self._size <= IN_MEMORY:
                    self.file.write(chunk)
                else:
                    await tasks.in_thread(self.file.write, chunk)
        with map_os_errors("The temporary folder"):
            self.file.seek(0)
        return self._size, digest.hexdigest()

    async def __aenter__(self) -> "Spooled":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file. The thread of a cancelled request goes on, and may be reading it: closing waits for the
        current read, and the next read fails."""
        await tasks.in_thread(self.file.close)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@contextmanager
def map_refusals(refusals: dict[str, ReplError]) -> Iterator[None]:
    """Replace the error of a failed condition: Conflict by `refusals["412"]`, FileNotFound by `refusals["404"]` if
    given."""
    try:
        yield
    except Conflict:
        raise refusals["412"] from None
    except FileNotFound:
        if "404" not in refusals:
            raise
        raise refusals["404"] from None


def head_of(key: str, answer: Answer) -> Head:
    said = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    size, tag = answer["ContentLength"], bare(answer["ETag"])
    mtime, mode = answer["LastModified"].timestamp(), Entry.mode
    with suppress(ValueError):  # here and below: other programs may have set it
        if 0 <= float(said[MTIME] if MTIME in said else mtime) < LAST_SECOND:
            mtime = float(said.get(MTIME, mtime))
    with suppress(ValueError):
        mode = int(said.get(MODE, f"{mode:o}"), 8) & 0o7777
    digest = said.get(HASH, "")
    return Head(Entry(key, size, mtime, mode, tag), etag_of(size, digest, tag), digest)


def etag_of(size: int, digest: str, tag: str) -> str:
    if size > HASHED_BYTES or not digest:
        return ("s" if size > HASHED_BYTES else "t") + tag
    return digest


def bare(etag: str) -> str:
    """Returns the etag without its quotes."""
    return etag.strip('"')
