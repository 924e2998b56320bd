"""The Store's contract, run on every adapter."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, NoPermissions, ReplError
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Store, read_all

Result = TypeVar("Result")
Test = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=["directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return DirectoryStore(tmp_path / "store")


def run(awaitable: Awaitable[Result]) -> Result:
    async def wait() -> Result:
        return await awaitable

    return asyncio.run(wait())


async def keys(store: Store, prefix: str) -> list[str]:
    return [entry.key async for entry in store.list(prefix)]


def test_what_was_put_is_got(store: Store) -> None:
    async def check() -> None:
        head = await store.put("meta/a.json", b"hello")
        assert await read_all(store, "meta/a.json") == (b"hello", head.etag)
        assert (await store.head("meta/a.json")) == head
        assert head.entry.size == 5

    run(check())


def test_what_is_not_there(store: Store) -> None:
    async def check() -> None:
        assert await store.head("meta/none.json") is None
        assert await keys(store, "code/none/") == []
        assert await store.children("base/") == []
        await store.delete("meta/none.json")
        await store.delete("code/none/")
        with pytest.raises(FileNotFound):
            await store.get("meta/none.json")

    run(check())


def test_if_none_match_never_overwrites(store: Store) -> None:
    async def check() -> None:
        await store.put("meta/a.json", b"first", if_none_match=True)
        with pytest.raises(FileExists):
            await store.put("meta/a.json", b"second", if_none_match=True)
        assert (await read_all(store, "meta/a.json"))[0] == b"first"

    run(check())


def test_if_match_is_compare_and_swap(store: Store) -> None:
    async def check() -> None:
        old = await store.put("meta/a.json", b"1")
        new = await store.put("meta/a.json", b"2", if_match=old.etag)
        with pytest.raises(Conflict):
            await store.put("meta/a.json", b"3", if_match=old.etag)
        with pytest.raises(Conflict):
            await store.put("meta/none.json", b"3", if_match=old.etag)
        with pytest.raises(Conflict):
            await store.delete("meta/a.json", if_match=old.etag)
        assert await read_all(store, "meta/a.json") == (b"2", new.etag)
        await store.delete("meta/a.json", if_match=new.etag)
        assert await store.head("meta/a.json") is None

    run(check())


def test_of_many_writers_one_wins(store: Store) -> None:
    async def check() -> None:
        old = await store.put("meta/a.json", b"0")
        writes = [store.put("meta/a.json", str(n).encode() * 9, if_match=old.etag) for n in range(16)]
        done = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(not isinstance(result, ReplError) for result in done) == 1
        firsts = [store.put("meta/b.json", str(n).encode(), if_none_match=True) for n in range(16)]
        done = await asyncio.gather(*firsts, return_exceptions=True)
        assert sum(not isinstance(result, ReplError) for result in done) == 1

    run(check())


def test_a_prefix_is_not_the_beginning_of_a_name(store: Store) -> None:
    async def check() -> None:
        await store.put("code/abc/x", b"1")
        await store.put("code/abc-pro/x", b"2")
        assert await keys(store, "code/abc/") == ["code/abc/x"]
        await store.delete("code/abc/")
        assert await keys(store, "code/abc-pro/") == ["code/abc-pro/x"]

    run(check())


def test_copying_a_prefix_of_1200_objects_overwrites_nothing(store: Store) -> None:
    async def check() -> None:
        for number in range(1200):
            await store.put(f"base/big/d{number % 7}/f{number}", b"%d" % number)
        await store.put("base/big/.template.toml", b"")
        count = await store.copy_prefix("base/big/", "code/p/", leave_out=frozenset({".template.toml"}))
        assert count == len(await keys(store, "code/p/")) == 1200
        await store.put("code/p/d0/f0", b"mine")
        await store.copy_prefix("base/big/", "code/p/")
        assert (await read_all(store, "code/p/d0/f0"))[0] == b"mine"
        assert await store.children("code/p/") == [f"d{n}" for n in range(7)]

    run(check())


def test_streams_both_ways_and_a_broken_one_changes_nothing(store: Store) -> None:
    async def body(parts: int, broken: bool) -> AsyncIterator[bytes]:
        for number in range(parts):
            yield bytes([number]) * 70_000
        if broken:
            raise ConnectionError

    async def check() -> None:
        await store.put("code/p/large", body(5, broken=False))
        async with await store.get("code/p/large") as blob:
            assert blob.head.entry.size == 350_000
            assert b"".join([c async for c in blob.chunks(69_999, 70_001)]) == b"\0\1"
        with pytest.raises(ConnectionError):
            await store.put("code/p/large", body(2, broken=True))
        assert len((await read_all(store, "code/p/large"))[0]) == 350_000
        assert await keys(store, "code/p/") == ["code/p/large"]

    run(check())


def test_unusual_names(store: Store) -> None:
    async def check() -> None:
        names = ["code/p/ü 😀.py", "code/p/a b/c", "code/p/#?%20&+", "code/p/'\"\\"]
        for name in names:
            await store.put(name, name.encode())
        assert sorted(await keys(store, "code/p/")) == sorted(names)

    run(check())


@pytest.mark.parametrize("key", ["../outside", "code/../../outside", "/etc/passwd"])
def test_nothing_outside_is_reached(store: Store, key: str) -> None:
    async def check() -> None:
        with pytest.raises(NoPermissions):
            await store.put(key, b"x")
        with pytest.raises(NoPermissions):
            await store.get(key)

    run(check())


def test_large_objects_have_an_etag_without_being_hashed(store: Store) -> None:
    async def check() -> None:
        head = await store.put("code/p/big", b"x" * 6_000_000)
        assert head.etag.startswith("s")
        assert await store.put("code/p/big", b"y" * 6_000_000, if_match=head.etag) != head
        with pytest.raises(Conflict):
            await store.put("code/p/big", b"z", if_match=head.etag)

    run(check())
