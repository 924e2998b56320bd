"""`project/{replId}/file/{path}`: bytes of one file, from the runner where one runs, else from the store."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated, stream_request_body

from jupyter_repl_ext.proxy import relay
from jupyter_repl_ext.runner_client import file_url
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.http import STALL_SECONDS, Upload, describe, send_object

from .base import ReplHandler

MAX_UPLOAD = 5 << 30
_QUEUED_CHUNKS = 4


@stream_request_body
class FileHandler(ReplHandler):
    """A body is passed on while it arrives, so rights and names are checked in `prepare`, before its first byte."""

    _work: "asyncio.Task[None] | None" = None
    _has_hole = False
    """Whether a chunk found no room in time: what comes after it must not be written."""

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method == "PUT":
            await self.check_rights("write")
            self.request.connection.set_max_body_size(MAX_UPLOAD)  # type: ignore[union-attr]
            ref, path = self.ref(self.path_args[0]), check_path(self.path_args[1])
            await self.services.projects.get(ref)
            self._body: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_CHUNKS)
            self._work = tasks.awaited(self._receive(ref, path), f"upload to {ref}")

    async def data_received(self, chunk: bytes) -> None:
        if self._work is not None:  # only a PUT has a use for its body
            await self._offer(chunk)

    @authenticated
    @authorized
    async def get(self, repl_id: str, path: str) -> None:
        ref = self.ref(repl_id)
        await self.services.projects.get(ref)
        async with self.services.lifecycle.without_runner(ref) as stopped:
            if stopped:
                await send_object(self, self.services.store, ref.code(check_path(path)))
            else:
                address = await self.services.spawner.address(ref)
                await relay(self, self.services.client, address, file_url(check_path(path)), None)
        self.finish()

    @authenticated
    @authorized
    async def put(self, repl_id: str, path: str) -> None:
        assert self._work is not None
        await self._offer(b"")
        await self._work
        if not self._finished:
            self.finish()

    def on_connection_close(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("set_content_type", self._headers.get("Content-Type", "application/json"))
        return super().finish(*args, **kwargs)

    async def _receive(self, ref: ProjectRef, path: str) -> None:
        """Carry the body to where the files are; raises what goes wrong there."""
        async with self.services.lifecycle.without_runner(ref) as stopped:
            if not stopped:
                address = await self.services.spawner.address(ref)
                await relay(self, self.services.client, address, file_url(path), self._chunks())
                return
            upload = Upload(self.services.store, ref.code(path), self)
            try:
                async for chunk in self._chunks():
                    await upload.feed(chunk)
                head = await upload.finish()
            finally:
                upload.cancel()
        describe(self, head)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"etag": head.etag}))

    async def _offer(self, chunk: bytes) -> None:
        """Hand over a chunk (empty: the end); what comes after a failure is dropped, `put` tells of it."""
        assert self._work is not None
        room = asyncio.ensure_future(self._body.put(chunk))
        try:
            done, _ = await asyncio.wait({room, self._work}, timeout=STALL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            self._has_hole = self._has_hole or not done
        finally:
            room.cancel()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    chunk = await self._body.get()
            except TimeoutError:
                raise Unavailable("The upload stopped.", hint="Try again.") from None
            if self._has_hole:
                raise Unavailable("The file was written too slowly.", hint="Try again.")
            if not chunk:
                return
            yield chunk
