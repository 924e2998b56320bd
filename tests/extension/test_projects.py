"""Projects: a creation killed at each of its store calls is finished or removed by the next one."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.projects.records import ProjectRecord
from jupyter_repl_ext.projects.workers import STALE_SECONDS
from jupyter_repl_runner.contract.errors import Conflict, DiskFull, FileExists, FileNotFound
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.port import Blob, Entry, Head, Store

REF = ProjectRef("", "abc")
KILLED = -signal.SIGKILL
MAX_CALLS = 30


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is left by the dead, of whom no beat will come."""
    monkeypatch.setattr("jupyter_repl_ext.projects.workers.STALE_SECONDS", 0.2)


class KillingStore(Store):
    """Kills its own process, with SIGKILL, before or after the n-th call."""

    def __init__(self, inner: Store, fatal: int, after: bool) -> None:
        self.inner = inner
        self.left = fatal
        self.after = after

    async def _call(self, awaitable: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = await awaitable
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        return self.inner.list(prefix, deep=deep)

    async def children(self, prefix: str) -> Sequence[str]:
        return await self._call(self.inner.children(prefix))

    async def head(self, key: str) -> Head | None:
        return await self._call(self.inner.head(key))

    async def get(self, key: str) -> Blob:
        return await self._call(self.inner.get(key))

    async def put(self, key: str, data: Any, **conditions: Any) -> Head:
        return await self._call(self.inner.put(key, data, **conditions))

    async def copy_prefix(self, source: str, target: str, **options: Any) -> int:
        return await self._call(self.inner.copy_prefix(source, target, **options))

    async def copy(self, source: str, target: str) -> None:
        await self._call(self.inner.copy(source, target))

    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        return await self._call(self.inner.put_folder(folder, target, manifest))

    async def delete(self, key: str, **conditions: Any) -> None:
        await self._call(self.inner.delete(key, **conditions))


def make(store: Store) -> Projects:
    return Projects(store, Catalog(store, lambda program: True))


def prepared(root: Path) -> DirectoryStore:
    store = DirectoryStore(root)
    asyncio.run(Catalog(store, lambda program: True).publish())
    return store


def run_killed(root: Path, verb: str, fatal: int, after: bool) -> int:
    """Create or delete in a process of its own; its exit code."""
    arguments = [sys.executable, __file__, str(root), verb, str(fatal), str(after)]
    return subprocess.run(arguments, timeout=30, check=False).returncode


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("language", ["python", "node-js"])
@pytest.mark.usefixtures("impatient")
def test_a_create_killed_at_each_call_is_finished_by_the_next(tmp_path: Path, after: bool, language: str) -> None:
    killed = 0
    for fatal in range(1, MAX_CALLS):
        root = tmp_path / str(fatal)
        store = prepared(root)
        if run_killed(root, "create", fatal, after) != KILLED:
            break
        killed += 1
        try:
            asyncio.run(make(store).create(REF, language))
        except FileExists:
            language_there = asyncio.run(make(store).get(REF)).record.language
        else:
            language_there = language
        main = {"python": "main.py", "node-js": "index.js"}[language_there]
        assert [path.name for path in (root / "code/abc").iterdir()] == [main], fatal
        assert [p.ref for p in asyncio.run(make(store).list(""))] == [REF]
    assert killed >= 4, "the walk did not reach the calls"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.usefixtures("impatient")
def test_a_half_made_project_is_finished_by_a_listing(tmp_path: Path, after: bool) -> None:
    for fatal in range(1, MAX_CALLS):
        root = tmp_path / str(fatal)
        store = prepared(root)
        if run_killed(root, "create", fatal, after) != KILLED:
            break
        for project in asyncio.run(make(store).list("")):
            assert project.record.state == "ready"
            assert (root / "code/abc/main.py").exists()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.usefixtures("impatient")
def test_a_delete_killed_at_each_call_is_finished_by_the_next(tmp_path: Path, after: bool) -> None:
    for fatal in range(1, MAX_CALLS):
        root = tmp_path / str(fatal)
        store = prepared(root)
        asyncio.run(make(store).create(REF, "python"))
        if run_killed(root, "delete", fatal, after) != KILLED:
            break
        left = asyncio.run(make(store).list(""))
        assert len(left) in (0, 1)
        assert (root / "code/abc/main.py").exists() == bool(left)
        if not left:
            asyncio.run(make(store).create(REF, "python"))


def test_a_create_under_way_is_not_taken_over(tmp_path: Path) -> None:
    store = prepared(tmp_path)

    async def check() -> None:
        slow = SlowStore(store, float("inf"), after=False)
        first = asyncio.create_task(make(slow).create(REF, "python"))
        await slow.copying.wait()
        second = asyncio.create_task(make(store).create(REF, "python"))
        until = time.monotonic() + 4  # longer than a worker may be silent
        while time.monotonic() < until:
            assert not second.done()
            await asyncio.sleep(0.05)
        slow.go_on.set()
        await first
        with pytest.raises(FileExists):
            await second

    asyncio.run(check())


def test_a_deletion_under_way_is_nobody_elses(tmp_path: Path) -> None:
    """Lists, opens and deletions find no project meanwhile, at once on its server and soon on another; the
    deletion does not fail by them."""
    store = prepared(tmp_path)

    async def check() -> None:
        slow = SlowStore(store, float("inf"), after=False)
        here, elsewhere = make(slow), make(store)
        await elsewhere.create(REF, "python")
        deletion = asyncio.create_task(here.delete(REF))
        await slow.deleting.wait()
        assert await here.list("") == []
        await here.delete(REF)
        with pytest.raises(FileNotFound):
            await here.get(REF)
        assert await elsewhere.list("") == []
        await elsewhere.delete(REF)
        with pytest.raises(FileExists):
            await elsewhere.create(REF, "python")
        assert not deletion.done()
        assert (tmp_path / "code/abc/main.py").exists()
        again = asyncio.create_task(elsewhere.create(REF, "python"))
        slow.go_on.set()
        await deletion
        await again  # it waits for a deletion that ends soon
        assert (tmp_path / "code/abc/main.py").exists()

    asyncio.run(check())


@pytest.mark.usefixtures("impatient")
def test_what_was_left_is_cleared_by_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that somebody died over is used again: who clears its files beats, so nobody else takes it over."""
    monkeypatch.setattr("jupyter_repl_ext.projects.workers.BEAT_SECONDS", 0.05)
    store = prepared(tmp_path)

    async def check() -> None:
        slow = SlowStore(store, float("inf"), after=False)
        here, elsewhere = make(slow), make(store)
        await elsewhere.create(REF, "python")
        record = ProjectRecord.from_bytes((tmp_path / REF.meta).read_bytes())
        (tmp_path / REF.meta).write_bytes(replace(record, state="deleting", worker="dead").to_bytes())
        creation = asyncio.create_task(here.create(REF, "python"))
        await slow.deleting.wait()
        for _ in range(5):  # longer than a dead worker is waited for
            await elsewhere.list("")
            await asyncio.sleep(0.1)
        with suppress(FileNotFound):
            await elsewhere.get(REF)
        slow.go_on.set()
        await creation
        assert (tmp_path / "code/abc/main.py").exists()

    asyncio.run(check())


def test_a_rename_and_a_deletion_at_once(tmp_path: Path) -> None:
    """The rename may come too late, the deletion may not."""
    store = prepared(tmp_path)

    async def check() -> None:
        projects = make(store)
        for _ in range(20):
            await projects.create(REF, "python")
            renames = [asyncio.create_task(projects.rename(REF, f"title {n}")) for n in range(3)]
            await projects.delete(REF)
            for one in await asyncio.gather(*renames, return_exceptions=True):
                assert not isinstance(one, BaseException) or isinstance(one, Conflict | FileNotFound), one
            assert await projects.list("") == []

    asyncio.run(check())


class SlowStore(KillingStore):
    """Waits with its copy, and with its deletion of files, until it may go on."""

    def __init__(self, inner: Store, fatal: float, after: bool) -> None:
        super().__init__(inner, 10**9, after)
        self.copying, self.deleting, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def copy_prefix(self, source: str, target: str, **options: Any) -> int:
        self.copying.set()
        await self.go_on.wait()
        return await self.inner.copy_prefix(source, target, **options)

    async def delete(self, key: str, **conditions: Any) -> None:
        if key == REF.code():
            self.deleting.set()
            await self.go_on.wait()
        await self.inner.delete(key, **conditions)


@pytest.mark.parametrize("name", ["Notes_old.json", "x" * 200 + ".json", "broken.json", "list.json", "number.json"])
def test_what_is_no_record_hides_no_project(tmp_path: Path, name: str) -> None:
    store = prepared(tmp_path)
    asyncio.run(make(store).create(REF, "python"))
    text = {"list.json": "[]", "number.json": "7"}.get(name, "{nonsense")
    (tmp_path / "meta" / name).write_text(text)
    assert [project.ref for project in asyncio.run(make(store).list(""))] == [REF]


def test_deleting_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFound):
        asyncio.run(make(prepared(tmp_path)).delete(REF))


def test_what_was_deleted_from_a_template_stays_deleted(tmp_path: Path) -> None:
    store = prepared(tmp_path)
    (tmp_path / "base/python/main.py").unlink()
    asyncio.run(Catalog(store, lambda program: True).publish())
    assert not (tmp_path / "base/python/main.py").exists()


if __name__ == "__main__":
    projects = make(KillingStore(DirectoryStore(Path(sys.argv[1])), int(sys.argv[3]), sys.argv[4] == "True"))
    asyncio.run(projects.create(REF, "python") if sys.argv[2] == "create" else projects.delete(REF))


@pytest.mark.parametrize(("state", "seen"), [("creating", [REF]), ("deleting", [])])
def test_a_list_waits_for_nobody(tmp_path: Path, state: str, seen: list[ProjectRef]) -> None:
    """Another server works on a project, and beats: it is there, or is not, at once."""
    store = prepared(tmp_path)

    async def check() -> None:
        projects = make(store)
        record = ProjectRecord(language="python", title="abc", created="2026-01-01", state="ready")
        stop = asyncio.Event()

        async def beat() -> None:
            for number in range(1000):
                await store.put(REF.meta, replace(record, state=state, worker="other-1", beat=number).to_bytes())
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.3):
                        await stop.wait()
                        return

        beating = asyncio.ensure_future(beat())
        while await store.head(REF.meta) is None:
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        assert [project.ref for project in await projects.list("")] == seen
        assert time.monotonic() - begun < STALE_SECONDS / 2
        stop.set()
        await beating
        await projects.close()

    asyncio.run(check())


@pytest.mark.usefixtures("impatient")
def test_a_project_that_cannot_be_finished_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its creation was cut short, as by a full disk, and the disk is still full."""
    store = prepared(tmp_path)
    record = ProjectRecord(language="python", title="abc", created="2026-01-01", state="creating", worker="dead-1")

    async def full(*_: object, **__: object) -> int:
        raise DiskFull("The disk is full.", hint="Delete files.")

    async def check() -> None:
        projects = make(store)
        await projects.create(ProjectRef("", "whole"), "python")
        await store.put(REF.meta, record.to_bytes())
        monkeypatch.setattr(store, "copy_prefix", full)
        refusal = None
        while refusal is None:  # until it is known that its worker is dead
            found = {project.ref.repl_id: project.refusal for project in await projects.list("")}
            assert found["whole"] is None
            refusal = found["abc"]
        assert refusal.message == "The disk is full."
        monkeypatch.undo()
        assert [project.refusal for project in await projects.list("")] == [None, None]

    asyncio.run(check())


def test_what_is_made_in_place_of_what_was_half_deleted_has_nothing_of_it(tmp_path: Path) -> None:
    """Neither its trash nor its links."""
    store = prepared(tmp_path)
    record = ProjectRecord(language="python", title="abc", created="2026-01-01", state="deleting", worker="dead-1")

    async def check() -> None:
        await store.put(REF.meta, record.to_bytes())
        await store.put(REF.manifest, b"{}")
        await store.put(REF.trash + "0123456789abcdef/item.json", b"{}")
        await make(store).create(REF, "python")
        assert [entry.key async for entry in store.list(REF.meta_folder)] == []

    asyncio.run(check())
