"""The Store's contract, run on every adapter."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from support.lab import elapse
from support.s3 import CREDENTIALS, SERVERS, S3Server

from jupyter_repl_runner.contract.errors import (
    Conflict,
    FileExists,
    FileNotFound,
    NoPermissions,
    ReplError,
    Unavailable,
)
from jupyter_repl_runner.store import s3_object
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.manifest import Manifest
from jupyter_repl_runner.store.port import Store, read_all
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import THREADS

CANCELS = 60
Result = TypeVar("Result")
Test = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=["directory", *SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "directory":
        yield DirectoryStore(tmp_path / "store")
        return
    store = request.getfixturevalue(request.param).store()
    yield store
    store.close()


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


def test_a_tag_in_a_listing_is_a_condition_too(store: Store) -> None:
    async def check() -> None:
        await store.put("code/p/a", b"1")
        (entry,) = [entry async for entry in store.list("code/p/")]
        assert entry.tag == (await store.head("code/p/a")).entry.tag  # type: ignore[union-attr]
        new = await store.put("code/p/a", b"22", if_tag=entry.tag)
        assert new.entry.tag != entry.tag
        for tag in (entry.tag, "0-0-0"):
            with pytest.raises(Conflict):
                await store.put("code/p/a", b"3", if_tag=tag)
        with pytest.raises(Conflict):
            await store.put("code/p/none", b"3", if_tag=entry.tag)
        assert await read_all(store, "code/p/a") == (b"22", new.etag)

    run(check())


def test_modes_and_times_are_kept(store: Store) -> None:
    async def check() -> None:
        await store.put("code/p/run.sh", b"echo", mode=0o750, mtime=1_600_000_000.25)
        await store.put("code/p/secret", b"x", mode=0o600)
        await store.put("code/p/run.sh", b"echo 2", mtime=1_600_000_001.5)
        await store.copy("code/p/run.sh", "code/p/copy")
        await store.put("code/p/copy", b"over", mode=0o644)
        await store.copy("code/p/run.sh", "code/p/copy")
        for name in ("run.sh", "copy"):
            head = await store.head(f"code/p/{name}")
            assert head is not None
            assert (head.entry.mode, head.entry.mtime) == (0o750, 1_600_000_001.5)
        head = await store.head("code/p/secret")
        assert head is not None
        assert head.entry.mode == 0o600
        with pytest.raises(FileNotFound):
            await store.copy("code/p/none", "code/p/other")

    run(check())


def test_a_folder_is_put_whole_and_only_where_nothing_is(store: Store) -> None:
    async def check() -> None:
        with store.scratch() as scratch:
            folder = scratch / "files"
            (folder / "src").mkdir(parents=True)
            (folder / "src/main.py").write_bytes(b"print()")
            (folder / "src/main.py").chmod(0o755)
            (folder / "link").symlink_to("src/main.py")
            (folder / "empty").mkdir()
            await store.put_folder(folder, "code/p/", "meta/p/manifest.json")
        head = await store.head("code/p/src/main.py")
        assert head is not None
        assert head.entry.mode == 0o755
        local = store.local_path("code/p/")
        if local is None:
            manifest = Manifest.from_bytes((await read_all(store, "meta/p/manifest.json"))[0])
            assert (manifest.links, manifest.folders) == ({"link": "src/main.py"}, {"empty": 0o755})
        else:
            assert (local / "link").is_symlink()
            assert (local / "empty").is_dir()
        with store.scratch() as scratch:
            (scratch / "files").mkdir()
            with pytest.raises(FileExists):
                await store.put_folder(scratch / "files", "code/p/", "meta/p/manifest.json")

    run(check())


def test_names_that_are_not_utf8_come_back(store: Store) -> None:
    async def check() -> None:
        names = ["code/p/caf\udce9", "code/p/.jupyter-repl-raw-41", "code/p/a\nb", "code/p/t\tab", "code/p/ \x7f"]
        for name in names:
            await store.put(name, name.encode("utf-8", "surrogateescape"))
        assert sorted(await keys(store, "code/p/")) == sorted(names)
        for name in names:
            assert (await read_all(store, name))[0] == name.encode("utf-8", "surrogateescape")

    run(check())


def test_the_store_says_what_it_honours(store: Store) -> None:
    async def check() -> None:
        is_alone = isinstance(store, S3Store) and store.settings.single_server
        assert (await store.probe()).put != is_alone
        assert await keys(store, "") == []

    run(check())


def test_a_server_without_conditions_is_refused_unless_nobody_else_uses_it(rclone: S3Server) -> None:
    async def check() -> None:
        store = S3Store(rclone.settings("refused/", single_server=False), CREDENTIALS)
        for asked in (store.probe, lambda: store.put("meta/a.json", b"1", if_none_match=True)):
            with pytest.raises(Unavailable, match="ignores conditions"):
                await asked()
        assert await keys(store, "meta/") == []
        store.close()

    run(check())


def test_a_cancelled_upload_is_whole_or_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a thread that can't be cancelled is still sending it, and reads it from a disk."""
    monkeypatch.setattr(s3_object, "IN_MEMORY", 1 << 10)
    chance = random.Random(1)

    def bytes_of(name: str) -> bytes:
        return name.encode() * 5000

    async def body(name: str) -> AsyncIterator[bytes]:
        data = bytes_of(name)
        for start in range(0, len(data), 1 << 12):
            yield data[start : start + (1 << 12)]

    async def check() -> None:
        await store.put("cancelled/first", body("first"))
        before = len(os.listdir("/proc/self/fd"))
        for number in range(CANCELS):
            task = asyncio.ensure_future(store.put(f"cancelled/{number:05}", body(f"{number:05}")))
            await asyncio.wait({task}, timeout=chance.uniform(0, 0.05))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        # what is still being sent comes to its end in its thread
        async with asyncio.timeout(20):
            while len(os.listdir("/proc/self/fd")) > before + THREADS:
                await asyncio.to_thread(elapse, 0.05)
        for key in await keys(store, "cancelled/"):
            assert (await read_all(store, key))[0] == bytes_of(key.rpartition("/")[2])

    run(check())
