"""A project's files by the runner that has them now."""

from collections.abc import AsyncIterator
from typing import Any

from tornado.httputil import HTTPHeaders

from jupyter_repl_ext.runners.client import RunnerClient, file_url
from jupyter_repl_runner.contract.errors import FileTooLarge, ReplError
from jupyter_repl_spawner.port import Address

from .files import Files, Row

PAGE = 2500
MAX_BYTES = 100_000_000
"""Of a file that goes through a contents manager, which holds it in memory several times over."""


class LiveFiles(Files):
    def __init__(self, client: RunnerClient, address: Address) -> None:
        self._client = client
        self._address = address

    async def rows(self, folder: str) -> list[Row]:
        rows: list[Row] = []
        total = 1
        while len(rows) < total:
            try:
                page = await self._call("fetchDir", path=folder, offset=len(rows), limit=PAGE)
            except ReplError as error:
                if error.code in ("FileNotFound", "FileNotADirectory"):
                    return []
                raise
            if not page["content"]:
                break
            total = page["total"]
            rows += [Row(e["path"], e["type"] == "dir", e["size"], e["mtime"]) for e in page["content"]]
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
        await self._call("delete", path=path)

    async def _call(self, event: str, **data: object) -> dict[str, Any]:
        return await self._client.call(self._address, event, data)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
