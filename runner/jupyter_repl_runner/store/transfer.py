"""Files over HTTP, for any tornado handler: an object of a store, with Range and conditions; request bodies; zips."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from email.utils import formatdate
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable

from .port import Blob, Head

STALL_SECONDS = 60.0
"""A transfer is aborted if the client neither sends nor receives a byte for so long."""
_QUEUED_CHUNKS = 4
_END = b""  # no chunk of a body is empty

Result = TypeVar("Result")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Returns `(start, end)`, end exclusive, of a Range header with one range; None stands for the whole file.

    Raises InvalidRequest with status 416 if the range lies outside the file. A header that is not a single range of
    bytes is ignored, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch(header or "")
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
    if start >= size or start >= end:
        raise InvalidRequest("The range lies outside the file.", hint=f"It has {size} bytes.", status=416)
    return start, end


def parse_etags(header: str | None) -> list[str]:
    """Returns the etags in an If-Match or If-None-Match header, or `*`, without quotes and weak prefixes."""
    parts = (part.strip().removeprefix("W/").strip('"') for part in (header or "").split(","))
    return [part for part in parts if part]


def one_etag(header: str | None) -> str | None:
    """Returns the etag of an If-Match header, or None. Raises InvalidRequest for several etags and for `*`: a save
    replaces the one version that was read."""
    etags = parse_etags(header)
    if len(etags) > 1 or etags == ["*"]:
        raise InvalidRequest("If-Match names more than one etag.", hint="Name the one that was read.")
    return etags[0] if etags else None


async def send_blob(handler: RequestHandler, blob: Blob) -> None:
    """Answer a GET with the object, then close it. If it raises InvalidRequest, nothing was sent yet."""
    async with blob:
        entry, headers = blob.head.entry, handler.request.headers
        span = parse_range(headers.get("Range"), entry.size)
        start, end = span or (0, entry.size)
        describe(handler, blob.head)
        known = parse_etags(headers.get("If-None-Match"))
        if "*" in known or blob.head.etag in known:
            handler.set_status(304)
            return
        if span:
            handler.set_status(206)
            handler.set_header("Content-Range", f"bytes {start}-{end - 1}/{entry.size}")
        handler.set_header("Content-Length", str(end - start))
        async for chunk in blob.chunks(start, end):
            handler.write(chunk)
            async with asyncio.timeout(STALL_SECONDS):
                await handler.flush()


async def send_archive(handler: RequestHandler, chunks: Iterator[bytes], name: str) -> None:
    """Answer a GET with a zip that is made while it is sent."""
    set_archive_headers(handler, name)
    while chunk := await tasks.in_thread(next, chunks, b""):
        handler.write(chunk)
        async with asyncio.timeout(STALL_SECONDS):
            await handler.flush()


def describe(handler: RequestHandler, head: Head) -> None:
    """Set the headers that describe an object."""
    handler.set_header("ETag", f'"{head.etag}"')
    with suppress(ValueError, OverflowError, OSError):  # HTTP dates end with the year 9999, those of disks do not
        handler.set_header("Last-Modified", formatdate(head.entry.mtime, usegmt=True))
    handler.set_header("Accept-Ranges", "bytes")
    set_content_headers(handler)


def set_content_headers(handler: RequestHandler) -> None:
    """Set the headers of a person's content: no browser may render it as a page of this server."""
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("Content-Type", "application/octet-stream")
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Content-Disposition", "attachment")


def set_archive_headers(handler: RequestHandler, name: str) -> None:
    """Set the headers of a zip that the browser saves as `name`.zip."""
    set_content_headers(handler)
    handler.set_header("Content-Type", "application/zip")
    handler.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(name, errors='replace')}.zip")


def conditions_of(headers: HTTPHeaders) -> dict[str, Any]:
    """Returns the conditions of a PUT as arguments of `Store.put`. Raises InvalidRequest."""
    return {
        "if_match": one_etag(headers.get("If-Match")),
        "if_none_match": headers.get("If-None-Match") == "*",
    }


class RequestBody(Generic[Result]):
    """Streams the body of a request to `work` while it arrives.

    The handler creates it in `prepare`, calls `feed` in `data_received`, and calls `finish` after the last chunk. If
    the connection closes before that, the handler calls `cancel`, which cancels `work`.
    """

    def __init__(self, work: Callable[[AsyncIterator[bytes]], Coroutine[Any, Any, Result]], name: str) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_CHUNKS)
        self._has_hole = False
        """True if a chunk was dropped because the queue stayed full: the chunks after it must not be written."""
        self._work = tasks.awaited(work(self._chunks()), name)

    async def feed(self, chunk: bytes) -> None:
        """Returns when the queue has room. Once `work` has failed, chunks are dropped, and `finish` raises the
        failure."""
        if chunk:
            await self._offer(chunk)

    async def finish(self) -> Result:
        """Returns what `work` returns, and raises what it raises."""
        await self._offer(_END)
        return await self._work

    def cancel(self) -> None:
        """Cancel `work`. Idempotent; has no effect once `work` is done."""
        self._work.cancel()

    async def _offer(self, chunk: bytes) -> None:
        room = asyncio.ensure_future(self._queue.put(chunk))
        try:
            done, _ = await asyncio.wait({room, self._work}, timeout=STALL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            self._has_hole = self._has_hole or not done
        finally:
            room.cancel()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    chunk = await self._queue.get()
            except TimeoutError:
                raise Unavailable("The upload stopped.", hint="Try again.") from None
            if self._has_hole:
                raise Unavailable("The file was written too slowly.", hint="Try again.")
            if chunk == _END:
                return
            yield chunk
