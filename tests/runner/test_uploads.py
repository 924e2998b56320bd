"""The body of a request on its way into a store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.store import transfer
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
    monkeypatch.setattr(transfer, "STALL_SECONDS", 0.2)

    async def body() -> None:
        store = _Slow(tmp_path)
        upload = transfer.RequestBody(lambda chunks: store.put("code/a", chunks), "an upload")
        for letter in b"abcdefghijkl":
            await upload.feed(bytes([letter]) * 4)
            if letter == ord("h"):  # some have found no room by now
                store.goes_on.set()
        with pytest.raises(Unavailable, match="too slowly"):
            await upload.finish()
        assert [each async for each in store.list("code/")] == []

    asyncio.run(body())
