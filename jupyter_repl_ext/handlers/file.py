"""`project/{replId}/file/{path}`: the bytes of one file, from the runner if one runs, else from the store."""

import json
from collections.abc import AsyncIterator
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated, stream_request_body

from jupyter_repl_ext.runners.client import file_url
from jupyter_repl_ext.runners.forward import forward
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.transfer import RequestBody, conditions_of, describe, send_blob, set_content_headers

from .base import StreamedBody, TypedHandler

MAX_UPLOAD = 5 << 30


@stream_request_body
class FileHandler(StreamedBody, TypedHandler):
    """A body is passed on while it arrives, so rights and names are checked in `prepare`, before its first byte."""

    for_visitors = frozenset({"GET"})

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method == "PUT":
            await self.check_rights("write")
            self.request.connection.set_max_body_size(MAX_UPLOAD)  # type: ignore[union-attr]
            ref, path = self.ref(self.path_args[0]), check_path(self.path_args[1])
            await self.services.projects.get(ref)
            self._body = RequestBody(lambda chunks: self._receive(ref, path, chunks), f"upload to {ref}")

    @authenticated
    @authorized
    async def get(self, repl_id: str, path: str) -> None:
        ref = self.ref(repl_id)
        await self.services.projects.get(ref)
        # A start of the REPL waits only until the file is open, not for the whole download.
        async with self.services.lifecycle.without_runner(ref) as stopped:
            blob = await self.services.store.get(ref.code(check_path(path))) if stopped else None
        if blob is not None:
            await send_blob(self, blob)
        else:
            address = await self.address(ref)
            set_content_headers(self)
            await forward(self, self.services.client, address, file_url(check_path(path)), None)
        self.finish()

    @authenticated
    @authorized
    async def put(self, repl_id: str, path: str) -> None:
        assert self._body is not None
        await self._body.finish()
        if not self._finished:
            self.finish()

    async def _receive(self, ref: ProjectRef, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Send the body to the runner or to the store, and answer the request. Raises what they raise."""
        async with self.services.lifecycle.without_runner(ref) as stopped:
            if not stopped:
                address = await self.address(ref)
                set_content_headers(self)
                self.set_header("Content-Type", "application/json")
                await forward(self, self.services.client, address, file_url(path), chunks)
                return
            head = await self.services.store.put(ref.code(path), chunks, **conditions_of(self.request.headers))
        describe(self, head)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"etag": head.etag}))
