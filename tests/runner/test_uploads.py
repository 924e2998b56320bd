"""The body of a PUT on its way into a store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application, RequestHandler

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.store import http
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Head


class _Slow(DirectoryStore):
    """Takes one chunk, and the next when it is let."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.goes_on = asyncio.Event()

    async def put(self, key: str, body: Any, **conditions: Any) -> Head:
        async def slowly() -> AsyncIterator[bytes]:
            async for chunk in body:
                yield chunk
                await self.goes_on.wait()

        return await super().put(key, slowly(), **conditions)


def test_what_found_no_room_leaves_no_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes nothing for too long gets nothing of what comes later, and the answer says so."""
    monkeypatch.setattr(http, "STALL_SECONDS", 0.2)

    async def body() -> None:
        store = _Slow(tmp_path)
        line, connection = RequestStartLine("PUT", "/", "HTTP/1.1"), cast(HTTPConnection, _Connection())
        request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "a"}), connection=connection)
        upload = http.Upload(store, "code/a", RequestHandler(Application(), request))
        for letter in b"abcdefghijkl":
            await upload.feed(bytes([letter]) * 4)
            if letter == ord("h"):  # some have found no room by now
                store.goes_on.set()
        with pytest.raises(Unavailable, match="too slowly"):
            await upload.finish()
        assert [each async for each in store.list("code/")] == []

    asyncio.run(body())


class _Connection:
    def set_close_callback(self, _: object) -> None:
        return
