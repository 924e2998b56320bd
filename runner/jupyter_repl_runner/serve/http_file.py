"""`/file/{path}`: streams the bytes of one file. Used for files that are too large for a message."""

import asyncio
from typing import Any

from tornado.web import stream_request_body

from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Head
from jupyter_repl_runner.store.transfer import RequestBody, conditions_of, describe, send_blob

from .auth import RunnerHandler
from .room import Room

MAX_UPLOAD = 5 << 30
REST_SECONDS = 0.003
"""The pause after each chunk (64 KiB) while people type: an upload keeps its client, server and runner busy."""


@stream_request_body
class FileHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]
        self._store: DirectoryStore = shared["store"]
        self._upload: RequestBody[Head] | None = None

    async def prepare(self) -> None:
        await super().prepare()
        if self._finished:
            return
        self._room.activity.touch()
        if self.request.method == "PUT":
            self._room.check_disk()
            self.request.connection.set_max_body_size(MAX_UPLOAD)  # type: ignore[union-attr]
            key, conditions = check_path(self._path()), conditions_of(self.request.headers)
            self._upload = RequestBody(lambda chunks: self._store.put(key, chunks, **conditions), f"upload {key}")

    async def data_received(self, chunk: bytes) -> None:
        if self._upload:
            await self._upload.feed(chunk)
            if self._room.terminals.are_typed_into:
                await asyncio.sleep(REST_SECONDS)

    async def get(self, path: str) -> None:
        await send_blob(self, await self._store.get(check_path(path)))

    async def put(self, path: str) -> None:
        assert self._upload is not None
        async with self._room.writing(path):
            head = await self._upload.finish()
        describe(self, head)
        self.set_header("Content-Type", "application/json")
        self.write({"etag": head.etag})

    def on_connection_close(self) -> None:
        if self._upload:
            self._upload.cancel()

    def _path(self) -> str:
        return str(self.path_args[0])
