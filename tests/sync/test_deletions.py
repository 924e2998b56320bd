"""Never a wrong deletion: whatever goes wrong on this side, what is in the store stays there, or can be had again."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from support.faults import FaultyProxy
from support.lab import stays, wait_for
from support.syncing import ANY_SIZE, REF, Sync, names, objects, put, tree

from jupyter_repl_runner.store.port import read_all
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.trash import StoreTrash
from jupyter_repl_runner.sync.deletions import DELETIONS

Make = Callable[..., Sync]
FILES = {f"f{n}": b"%d" % n for n in range(40)}


def trashed(store: S3Store) -> dict[str, bytes]:
    async def read() -> dict[str, bytes]:
        entries = [entry.key async for entry in store.list(REF.trash)]
        return {
            key.split("/files/", 1)[1]: (await read_all(store, key, ANY_SIZE))[0] for key in entries if "/files/" in key
        }

    return asyncio.run(read())


def test_a_persons_mass_deletion_is_real_and_in_the_trash(make: Make, store: S3Store) -> None:
    files = {f"f{n}": b"%d" % n for n in range(DELETIONS + 50)}
    put(store, **files)
    sync = make(main="").start().opened().settled()
    for path in list(sync.project.iterdir()):
        path.unlink()
    wait_for(lambda: not names(store), 30)
    assert trashed(store) == files
    ((_, _, item),) = asyncio.run(StoreTrash(store, REF).list())  # one deletion, to be put back as one
    assert set(item.paths) == set(files)


@pytest.mark.process
def test_a_volume_that_was_emptied_is_no_deletion(make: Make, store: S3Store) -> None:
    put(store, **FILES)
    sync = make(main="").start().opened().settled()
    shutil.rmtree(sync.volume)
    wait_for(lambda: sync.marks.state == "gone")
    stays(lambda: names(store) == set(FILES), 2)
    sync.stop()
    assert names(store) == set(FILES)
    again = make(volume=sync.volume, main="").start().opened().settled()
    assert {path.name for path in again.project.iterdir()} == set(FILES)


def test_a_volume_that_is_another_folder_is_no_deletion(make: Make, store: S3Store) -> None:
    """As if it were unmounted under a running sync."""
    put(store, **FILES)
    sync = make(main="").start().opened().settled()
    sync.project.rename(sync.volume / "elsewhere")
    sync.project.mkdir()
    (sync.project / "f1").write_text("not ours")
    (sync.project / "new").write_text("not ours either")
    stays(lambda: objects(store) == FILES, 3)
    sync.stop()
    assert objects(store) == FILES


@pytest.mark.process
def test_a_volume_emptied_while_nobody_looked(make: Make, store: S3Store) -> None:
    put(store, **FILES)
    sync = make(main="").start().opened().settled()
    assert sync.stop() == 0
    shutil.rmtree(sync.project)
    again = make(volume=sync.volume, main="").start().opened().settled()
    assert names(store) == set(FILES) == {path.name for path in again.project.iterdir()}


@pytest.mark.process
def test_an_index_of_another_project_or_none_is_begun_anew(make: Make, store: S3Store) -> None:
    put(store, **FILES)
    sync = make(main="").start().opened().settled()
    assert sync.stop() == 0
    index = sync.volume / "sync/index.db"
    with sqlite3.connect(index) as database:
        database.execute("update about set value = 'other' where name = 'ref'")
    database.close()
    (sync.project / "f1").unlink()
    again = make(volume=sync.volume, main="").start().opened().settled()
    assert names(store) == set(FILES)
    assert again.stop() == 0
    index.write_bytes(b"not a database at all" * 1000)
    again = make(volume=sync.volume, main="").start().opened().settled()
    assert names(store) == set(FILES)
    assert not [path for path in names(store) if "other version" in path]


@pytest.mark.process
def test_a_restore_that_was_killed_deletes_nothing_and_is_finished(make: Make, store: S3Store) -> None:
    files = {f"d{n % 9}__f{n}": bytes([n % 250]) * 5000 for n in range(300)}
    put(store, main_py=b"first", **files)
    there = objects(store)
    volume = None
    for turn in range(4):
        sync = make(f"a{turn}", volume=volume).start()
        volume = sync.volume
        wait_for(lambda sync=sync, turn=turn: sync.marks.files > 20 * turn or sync.marks.state == "saved")
        sync.kill()
        assert objects(store) == there
    sync = make("last", volume=volume).start().opened().settled()
    assert objects(store) == there
    assert len([1 for kind, *_ in tree(sync.project).values() if kind == "file"]) == 301


def test_what_a_killed_write_left_is_cleared_away(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    sync = make()
    sync.project.mkdir(parents=True)
    (sync.project / ".jupyter-repl-tmp-old").write_text("half")
    os.utime(sync.project / ".jupyter-repl-tmp-old", (1, 1))
    (sync.project / ".jupyter-repl-tmp-new").write_text("under way")
    sync.start().opened().settled()
    assert {path.name for path in sync.project.iterdir()} == {"main.py", ".jupyter-repl-tmp-new"}
    assert objects(store) == {"main.py": b"1"}


@pytest.mark.process
def test_a_listing_that_fails_on_its_third_page(make: Make, store: S3Store) -> None:
    """The store's own part: half a listing is an error, never a list."""
    put(store, **{f"f{n}": b"" for n in range(30)})

    async def listed() -> list[str]:
        seen = 0
        ask = store._ask

        async def failing(verb: str, key: str | None, **request: object) -> object:
            nonlocal seen
            if verb == "list_objects_v2":
                seen += 1
                request["MaxKeys"] = 10
                if seen == 3:
                    raise ConnectionError
            return await ask(verb, key, **request)

        store._ask = failing  # type: ignore[method-assign]
        try:
            return [entry.key async for entry in store.list(REF.code())]
        finally:
            store._ask = ask  # type: ignore[method-assign]

    try:
        asyncio.run(listed())
    except ConnectionError:
        return
    raise AssertionError("half a listing was taken for a whole one")


def test_editors_that_delete_and_make_anew_leave_nothing_in_the_trash(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    sync = make().start().opened().settled()
    for number in range(5):
        (sync.project / "main.py").unlink()
        time.sleep(0.35)
        (sync.project / "main.py").write_text(str(number))
        time.sleep(0.5)
    wait_for(lambda: objects(store)["main.py"] == b"4")
    assert trashed(store) == {}


@pytest.mark.process
@pytest.mark.parametrize("is_new", [True, False], ids=["new volume", "kept volume"])
def test_what_is_saved_while_the_store_is_listed_is_not_taken_for_deleted(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy, is_new: bool
) -> None:
    """The listing is old when it arrives: it lacks what was made since, and has what was deleted since."""
    put(store, main_py=b"1", edited=b"1", deleted=b"1", both=b"1")
    volume = None
    if not is_new:
        first = make(store=faulty).start().opened().settled()
        assert first.stop() == 0
        volume = first.volume
        put(store, both=b"theirs")
        (volume / "project/both").write_text("ours")
    proxy.hold_answers = f"list-type=2&prefix={quote(store.settings.prefix + REF.code(), safe='')}"
    sync = make("again", volume=volume, store=faulty).start()
    assert proxy.held.wait(20)
    (sync.project / "made").write_text("made")
    (sync.project / "link").symlink_to("made")
    expected = {"main.py": b"1", "edited": b"1", "deleted": b"1", "both": b"1", "made": b"made"}
    if not is_new:
        (sync.project / "edited").write_text("2")
        (sync.project / "deleted").unlink()
        expected |= {"edited": b"2", "both": b"ours", "both (other version)": b"theirs"}
        del expected["deleted"]
    wait_for(lambda: objects(store) == expected)
    proxy.let_go.set()
    sync.opened().settled()
    assert objects(store) == expected
    assert {path.name for path in sync.project.iterdir()} == {*expected, "link"}
    assert (sync.project / "link").read_text() == "made"


@pytest.mark.process
def test_what_the_store_lost_meanwhile_goes_to_the_volumes_trash(make: Make, store: S3Store) -> None:
    put(store, keep=b"1", gone=b"2", d__gone=b"3", edited=b"4")
    sync = make(main="keep").start().opened().settled()
    assert sync.stop() == 0
    (sync.project / "edited").write_text("edited here")

    async def delete() -> None:
        for path in ("gone", "d/gone", "edited"):
            await store.delete(REF.code(path))

    asyncio.run(delete())
    again = make(volume=sync.volume, main="keep").start().opened().settled()
    assert {path.name for path in again.project.iterdir()} == {"keep", "edited"}
    assert objects(store) == {"keep": b"1", "edited": b"edited here"}
    kept = {path.read_bytes() for path in (sync.volume / "trash").rglob("entry")}
    assert kept == {b"2", b"3"}
    assert Path(again.volume / "trash").is_dir()


@pytest.mark.process
def test_what_was_sent_without_an_answer_and_deleted_does_not_come_back(make: Make, store: S3Store) -> None:
    put(store, keep=b"1")
    sync = make(main="keep").start().opened().settled()
    sync.kill()
    put(store, ghost=b"x", of__others=b"y")  # as if it had been killed between the store's doing and its answer
    with sqlite3.connect(sync.volume / "sync/index.db") as database:
        database.execute("insert into attempt values (?, ?)", (b"ghost", hashlib.sha256(b"x").hexdigest()))
        database.execute("insert into attempt values (?, ?)", (b"of/others", hashlib.sha256(b"ours").hexdigest()))
    database.close()
    again = make(volume=sync.volume, main="keep").start().opened().settled()
    wait_for(lambda: objects(store) == {"keep": b"1", "of/others": b"y"})
    assert {path.name for path in again.project.iterdir()} == {"keep", "of"}
    assert trashed(store) == {"ghost": b"x"}


@pytest.mark.parametrize("days", [8, -8])
@pytest.mark.process
def test_a_clock_that_jumps_deletes_nothing(make: Make, store: S3Store, tmp_path: Path, days: int) -> None:
    """S3 refuses clients whose clock is wrong; a trash is emptied by S3's clock."""
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    sync = make(main="", environment=faked(clock)).start().opened()
    for name in ("a", "b", "c"):
        (sync.project / name).write_text(name)
    sync.settled()
    (sync.project / "a").unlink()
    wait_for(lambda: names(store) == {"b", "c"})
    sync.settled()
    clock.write_text(f"{days:+}d")
    (sync.project / "b").unlink()
    (sync.project / "d").write_text("d")
    wait_for(lambda: "clock" in sync.marks.reason, 20)
    assert names(store) == {"b", "c"}
    clock.write_text("+5m")
    wait_for(lambda: objects(store) == {"c": b"c", "d": b"d"}, 30)
    assert set(trashed(store)) >= {"a", "b"}
    assert sync.settled().stop() == 0
    again = make("again", main="", environment=faked(clock)).start().opened().settled()
    stays(lambda: set(trashed(store)) >= {"a", "b"}, 6)  # it looks after the trash meanwhile
    assert {path.name for path in again.project.iterdir()} == {"c", "d"}


def faked(clock: Path) -> dict[str, str]:
    """The environment of a process whose clock is wrong by what the file says, as on a machine whose clock is set."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        message = "there is no libfaketime: install faketime"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
