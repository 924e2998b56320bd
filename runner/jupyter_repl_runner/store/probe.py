"""Tests which conditions an S3-compatible server honours: some accept a condition and ignore it."""

import secrets
from collections.abc import Awaitable
from typing import Any, Protocol

from jupyter_repl_runner.contract.errors import Conflict, FileNotFound

from .port import Honoured

FOLDER = ".probe/"
_WRONG = '"00000000000000000000000000000000"'


class Ask(Protocol):
    async def __call__(self, verb: str, key: str | None, /, **request: Any) -> Any: ...


class Copy(Protocol):
    async def __call__(self, source: str, target: str, /, **condition: Any) -> None: ...


async def probe(ask: Ask, copy: Copy) -> Honoured:
    """Send conditional requests for two objects of its own, and delete these. Raises what the store raises."""
    one, two = (f"{FOLDER}{secrets.token_hex(8)}" for _ in range(2))
    await ask("put_object", one, Body=b"1")
    try:
        first = await _refuses(ask("put_object", one, Body=b"2", IfNoneMatch="*"))
        match = await _refuses(ask("put_object", one, Body=b"3", IfMatch=_WRONG))
        missing = await _refuses(ask("put_object", two, Body=b"4", IfMatch=_WRONG))
        await ask("put_object", two, Body=b"5")
        copied = await _refuses(copy(one, two, IfNoneMatch="*"))
        deletion = await _refuses(ask("delete_object", two, IfMatch=_WRONG))
        return Honoured(put=first and match and missing, delete=deletion, copy=copied)
    finally:
        for key in (one, two):
            await ask("delete_object", key)


async def _refuses(asked: Awaitable[object]) -> bool:
    try:
        await asked
    except (Conflict, FileNotFound):
        return True
    return False
