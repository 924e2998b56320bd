"""Two runners of one project: the later one has it. Whatever the earlier one still does, nothing is lost."""

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults import FaultyProxy
from support.lab import elapse, wait_for
from support.s3 import CREDENTIALS, S3Server
from support.syncing import REF, Sync, objects, put

from jupyter_repl_runner.contract.local import FENCED_CODE
from jupyter_repl_runner.store.s3 import S3Store

Make = Callable[..., Sync]
FROZEN_AT_ONCE = 10
"""More would start so many processes at once that other tests are starved."""


def test_a_runner_that_wakes_up_writes_nothing_more(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    old = make("old").start().opened().settled()
    old.signal(signal.SIGSTOP)
    (old.project / "main.py").write_text("of the old one")
    new = make("new").start().opened().settled()
    (new.project / "main.py").write_text("of the new one")
    wait_for(lambda: objects(store)["main.py"] == b"of the new one")
    old.signal(signal.SIGCONT)
    assert old.wait() == FENCED_CODE
    assert old.marks.state == "fenced"
    new.settled()
    assert objects(store) == {"main.py": b"of the new one"}


@pytest.mark.timeout(300)
def test_frozen_at_each_request_it_damages_nothing_for_good(minio: S3Server, tmp_path: Path) -> None:
    count = asyncio.run(_freeze(minio, tmp_path / "none", -1))
    assert count > 12
    both = [(number, is_late) for number in range(count) for is_late in (False, True)]
    ways = both if os.environ.get("REPL_TEST_EACH") else [way for way in both if way[1] == bool(way[0] % 2)]
    with ThreadPoolExecutor(FROZEN_AT_ONCE) as pool:  # each waits, for the most part
        list(pool.map(lambda way: asyncio.run(_freeze(minio, tmp_path / f"{way}", *way)), ways))


async def _freeze(minio: S3Server, folder: Path, number: int, is_late: bool = False) -> int:
    """Freeze the old one at that request of its work, -1 at none; how many requests that work takes. The request is
    carried out at once, or (`is_late`) when the new one has long begun."""
    store, proxy = minio.store(), FaultyProxy(minio.port)
    by_proxy = S3Store(replace(store.settings, endpoint=proxy.endpoint), CREDENTIALS)
    old, new = Sync(folder / "old", by_proxy, main=""), Sync(folder / "new", store, main="")
    try:
        for name in ("edited", "deleted", "both"):
            await store.put(REF.code(name), b"at first")
        await asyncio.to_thread(lambda: old.start().opened().settled())
        await asyncio.to_thread(elapse, 6)  # the old trash and the bundle are looked after
        begin = len(proxy.requests)
        proxy.hold_at = begin + number if number >= 0 else -1
        for name in ("edited", "made", "both"):
            (old.project / name).write_text("by the old one")
        (old.project / "deleted").unlink()
        (old.project / "link").symlink_to("made")
        if number < 0:
            await asyncio.to_thread(lambda: wait_for(lambda: len(objects(store)) == 3 and old.settled()))
            return len(proxy.requests) - begin
        assert await asyncio.to_thread(proxy.held.wait, 20), number
        old.signal(signal.SIGSTOP)
        if not is_late:
            proxy.let_go.set()
            await asyncio.to_thread(elapse, 0.5)
        await asyncio.to_thread(lambda: new.start().opened().settled())
        for name in ("edited", "made", "both", "deleted"):
            (new.project / name).write_text("by the new one")
        await asyncio.to_thread(new.settled)
        proxy.let_go.set()
        await asyncio.to_thread(elapse, 0.5)
        old.signal(signal.SIGCONT)
        assert await asyncio.to_thread(old.wait, 60) == FENCED_CODE, number
        await asyncio.to_thread(elapse, 16)  # the new one looks at the whole again after 15 s
        await asyncio.to_thread(new.settled)
        found = await asyncio.to_thread(objects, store)
        files = {path.name: path.read_bytes() for path in new.project.iterdir() if not path.is_symlink()}
        assert found == files, number
        assert {files[name] for name in ("edited", "made", "both", "deleted")} == {b"by the new one"}, number
        return 0
    finally:
        proxy.let_go.set()
        for sync in (old, new):
            sync.kill()
        proxy.close()
        by_proxy.close()
        store.close()


@pytest.mark.process
def test_both_versions_stay_when_both_have_changed(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1", same=b"1", _env=b"1")
    sync = make().start().opened().settled()
    assert sync.stop() == 0
    put(store, main_py=b"theirs", same=b"2", _env=b"theirs")
    (sync.project / "main.py").write_text("ours")
    (sync.project / "same").write_text("2")
    (sync.project / ".env").write_text("ours")
    again = make(volume=sync.volume).start().opened().settled()
    expected = {
        "main.py": b"ours",
        "main (other version).py": b"theirs",
        ".env": b"ours",
        ".env (other version)": b"theirs",
        "same": b"2",
    }
    wait_for(lambda: objects(store) == expected)
    assert {path.name: path.read_bytes() for path in again.project.iterdir()} == expected


def test_a_change_behind_its_back_is_kept_beside_ours(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    sync = make().start().opened().settled()
    put(store, main_py=b"by somebody else")
    (sync.project / "main.py").write_text("ours")
    expected = {"main.py": b"ours", "main (other version).py": b"by somebody else"}
    wait_for(lambda: objects(store) == expected)


def test_a_project_made_anew_is_not_the_old_ones(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    old = make("old").start().opened().settled()
    old.signal(signal.SIGSTOP)
    asyncio.run(store.delete(REF.generation))
    asyncio.run(store.delete(REF.code()))
    put(store, main_py=b"anew")
    new = make("new", project="p2").start().opened().settled()
    (old.project / "main.py").write_text("of the old one")
    old.signal(signal.SIGCONT)
    assert old.wait() == FENCED_CODE
    new.settled()
    assert objects(store) == {"main.py": b"anew"}
