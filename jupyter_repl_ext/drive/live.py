"""Reads and writes a project's files through its runner, while one runs."""

from collections.abc import AsyncIterator
from typing import Any

from tornado.httputil import HTTPHeaders

from jupyter_repl_ext.runners.client import RunnerClient, file_url
from jupyter_repl_runner.contract.errors import DiskFull, FileTooLarge, ReplError, Unavailable
from jupyter_repl_spawner.port import Address

from .files import Files, Row

PAGE = 2500
MAX_ROWS = 100_000
MAX_BYTES = 100_000_000
"""The largest file that a contents manager reads: it holds several copies of a file in memory."""


class LiveFiles(Files):
    def __init__(self, client: RunnerClient, address: Address) -> None:
        self._client = client
        self._address = address

    async def rows(self, folder: str) -> list[Row]:
        """Stops after MAX_ROWS rows, whatever total the runner names: a user's programs may control its answers."""
        rows: list[Row] = []
        total = 1
        while len(rows) < min(total, MAX_ROWS):
            try:
                page = await self._call("fetchDir", path=folder, offset=len(rows), limit=PAGE)
            except ReplError as error:
                if error.code in ("FileNotFound", "FileNotADirectory"):
                    return []
                raise
            try:
                found = [Row(e["path"], e["type"] == "dir", e["size"], float(e["mtime"])) for e in page["content"]]
                total = int(page["total"])
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise Unavailable("The runner's answer can't be read.", hint="Start the REPL again.") from error
            if not found:
                break
            rows += found
        return rows

    async def read(self, path: str) -> bytes:
        body = bytearray()

        async def take(chunk: bytes) -> None:
            if len(body) + len(chunk) > MAX_BYTES:
                raise FileTooLarge(f"{path} is larger than {MAX_BYTES // 10**6} MB.", hint="Download it.")
            body.extend(chunk)

        def on_headers(_: int, __: HTTPHeaders) -> None:
            return

        await self._client.transfer(self._address, "GET", file_url(path), {}, None, on_headers, take)
        return bytes(body)

    async def write(self, path: str, data: bytes) -> None:
        await self._client.put_file(self._address, path, _once(data), {})

    async def make_folder(self, path: str) -> None:
        await self._call("create", path=path, type="dir")

    async def move(self, path: str, to: str) -> None:
        await self._call("move", path=path, to=to)

    async def delete(self, path: str) -> None:
        try:
            await self._call("delete", path=path)
        except DiskFull:  # there is no room for the trash, and the person has confirmed the deletion already
            await self._call("delete", path=path, forever=True)

    async def _call(self, event: str, **data: object) -> dict[str, Any]:
        return await self._client.call(self._address, event, data)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
