"""One thing that fails, whatever it is, keeps nothing else from being saved or restored, and is not taken for gone.

Push and meeting run here, on a store in a folder, so that a fault can be put where it is wanted.
"""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.contract.errors import DiskFull, ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.checkout import Damaged, read_manifest
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_runner.store.generation import raise_generation
from jupyter_repl_runner.store.manifest import Manifest
from jupyter_repl_runner.store.s3_errors import Refused
from jupyter_repl_runner.store.s3_object import Spooled
from jupyter_repl_runner.store.trash import StoreTrash
from jupyter_repl_runner.sync import upload
from jupyter_repl_runner.sync.async_volume import AsyncVolume
from jupyter_repl_runner.sync.bundling import Bundler
from jupyter_repl_runner.sync.download import Downloader
from jupyter_repl_runner.sync.fence import Fence
from jupyter_repl_runner.sync.meeting import Meeting
from jupyter_repl_runner.sync.push import Push
from jupyter_repl_runner.sync.queue import Batch
from jupyter_repl_runner.sync.rules import Rules
from jupyter_repl_runner.sync.sides import Sides
from jupyter_repl_runner.sync.status import Status
from jupyter_repl_runner.sync.upload import Uploader
from jupyter_repl_runner.sync.volume import Place, Volume

REF = ProjectRef("", "abc")


class Refusing(DirectoryStore):
    """Refuses deletions, copies, or writes of what is named."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.refuses: dict[str, set[str]] = {}

    def _check(self, verb: str, key: str) -> None:
        if key.rpartition("/")[2] in self.refuses.get(verb, ()):
            raise Refused(f"{key} is refused.")

    async def delete(self, key: str, **conditions: Any) -> None:
        self._check("delete", key)
        await super().delete(key, **conditions)

    async def put(self, key: str, data: Any, **conditions: Any) -> Any:
        self._check("put", key)
        return await super().put(key, data, **conditions)


class Here:
    """A volume and a store, with what keeps them alike."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "volume/project"
        self.store = Refusing(folder / "store")
        self.status = Status(folder / "marks.json")
        (folder / "private").mkdir()
        place = Place(self.project, folder / "volume/trash", folder / "state", folder / "private")
        self.volume = Volume(place, {"ref": str(REF)})
        generation = asyncio.run(raise_generation(self.store, REF))
        fence = Fence(self.store, REF, generation)
        sides = Sides(REF, self.store, AsyncVolume(self.volume), fence, self.status)
        uploader = Uploader(sides, 1 << 30)
        self.push, bundler = Push(sides, uploader), Bundler(sides, "")
        self.meeting = Meeting(sides, uploader, self.push, Downloader(sides, ""), bundler)

    async def meet(self) -> set[str]:
        return await self.meeting.meet(lambda: None)

    async def save(self) -> set[str]:
        return await self.push.push(Batch(everything=True), is_last=True)

    async def stored(self) -> set[str]:
        prefix = REF.code()
        return {entry.key.removeprefix(prefix) async for entry in self.store.list(prefix)}

    @property
    def reported(self) -> set[str]:
        return {path for path, _ in self.status.marks.reports}


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await body()

    asyncio.run(bounded())


def failing(monkeypatch: pytest.MonkeyPatch, verb: str, number: int, names: set[str]) -> None:
    call = getattr(os, verb)

    def fail(path: Any, *rest: Any, **options: Any) -> Any:
        if (rest[0] if verb == "symlink" else path) in names:
            raise OSError(number, os.strerror(number))
        return call(path, *rest, **options)

    monkeypatch.setattr(os, verb, fail)


def test_links_and_folders_that_could_not_be_made_stay_in_the_manifest(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        manifest = Manifest({"link": "a", "other": "a"}, {"empty": 0o755, "shut": 0o700})
        await here.store.put(REF.manifest, manifest.to_bytes())
        await here.store.put(REF.code("a"), b"1")
        with monkeypatch.context() as patch:
            failing(patch, "symlink", errno.ENOSPC, {"link"})
            failing(patch, "mkdir", errno.EIO, {"empty"})
            await here.meet()
        assert here.reported == {"link", "empty"}
        (here.project / "new").mkdir()
        await here.save()
        found = (await read_manifest(here.store, REF))[0]
        assert (found.links, found.folders) == (manifest.links, {**manifest.folders, "new": 0o755})
        await here.meet()
        assert not here.reported
        assert os.readlink(here.project / "link") == "a"
        assert (here.project / "empty").is_dir()

    run(body)


@pytest.mark.parametrize("line", ["[z-a].txt", "[a-\\d]", "build/[[:digit:]]/", "[", "a[!", "\\"])
def test_a_rule_that_is_none_ends_nothing(here: Here, line: str) -> None:
    async def body() -> None:
        await here.meet()
        (here.project / ".replignore").write_text(f"{line}\n*.bin\n")
        (here.project / "a").write_text("1")
        (here.project / "b.bin").write_text("1")
        await here.save()
        assert await here.stored() == {".replignore", "a"}

    run(body)
    assert Rules([line, "*.bin"]).is_ignored("x.bin", False)


def test_what_is_ignored_after_it_could_not_be_sent_is_let_be(here: Here) -> None:
    async def body() -> None:
        await here.meet()
        here.store.refuses = {"put": {"data.bin"}}
        (here.project / "data.bin").write_text("1")
        await here.save()
        assert here.reported == {"data.bin"}
        (here.project / ".replignore").write_text("*.bin\n")
        for _ in range(3):
            assert await here.save() == set()
        assert await StoreTrash(here.store, REF).list() == []
        assert (here.project / "data.bin").exists()

    run(body)


@pytest.mark.parametrize("seconds", [-11_676_096_000, 1 << 34, 0], ids=["1600", "2514", "1970"])
def test_any_time_of_a_file_can_be_noted(here: Here, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """And any inode: some file systems have numbers that SQLite has not."""
    look_at = os.stat

    class Odd:
        """As `os.stat` gives it where a disk has 64 bits for each."""

        def __init__(self, found: os.stat_result) -> None:
            self._found = found
            self.st_ino = (1 << 64) - 5
            self.st_mtime_ns = self.st_ctime_ns = seconds * 10**9

        def __getattr__(self, name: str) -> Any:
            return getattr(self._found, name)

    def odd(path: Any, **options: Any) -> Any:
        found = look_at(path, **options)
        return Odd(found) if path == "odd" else found

    async def body() -> None:
        await here.meet()
        (here.project / "odd").write_text("1")
        (here.project / "other").write_text("1")
        monkeypatch.setattr(os, "stat", odd)
        await here.save()
        assert await here.stored() == {"odd", "other"}

    run(body)


@pytest.mark.parametrize("error", [Damaged("a"), DiskFull("The disk is full."), Refused("no")], ids=lambda e: e.code)
def test_a_version_that_cannot_be_kept_beside_ours_is_reported(
    here: Here, monkeypatch: pytest.MonkeyPatch, error: ReplError
) -> None:
    """A file that both sides have changed: ours is not sent over it, and the others go on."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise error

    async def body() -> None:
        await here.store.put(REF.code("a"), b"1")
        await here.store.put(REF.code("gone"), b"1")
        await here.meet()
        await here.store.put(REF.code("a"), b"theirs")
        await here.store.put(REF.code("gone"), b"theirs")
        (here.project / "a").write_text("ours")
        (here.project / "b").write_text("1")
        (here.project / "gone").unlink()
        monkeypatch.setattr(upload, "fetch", refuse)
        for call in (here.save, here.meet, here.save):
            await call()
        assert await here.stored() == {"a", "b", "gone"}
        assert here.reported >= {"a"}
        head = await here.store.head(REF.code("a"))
        assert head is not None
        assert head.entry.size == len(b"theirs")

    run(body)


def test_a_folder_that_cannot_be_read_stops_no_meeting(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        await here.store.put(REF.code("bad/x"), b"1")
        await here.store.put(REF.code("good"), b"1")
        await here.store.put(REF.manifest, Manifest({"bad/link": "x"}, {"bad/empty": 0o755}).to_bytes())
        await here.meet()
        with monkeypatch.context() as patch:
            opened = os.open

            def fail(path: Any, *rest: Any, **options: Any) -> int:
                if path == "bad":
                    raise OSError(errno.EIO, "Input/output error")
                return opened(path, *rest, **options)

            patch.setattr(os, "open", fail)
            (here.project / "new").write_text("1")
            await here.save()
            await here.meet()
        assert await here.stored() == {"bad/x", "good", "new"}
        found = (await read_manifest(here.store, REF))[0]
        assert (found.links, set(found.folders)) == ({"bad/link": "x"}, {"bad/empty"})

    run(body)


def test_a_temporary_folder_without_room_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        async with Spooled() as spooled:

            def full(_: bytes) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

            monkeypatch.setattr(spooled.file, "write", full)
            with pytest.raises(DiskFull):
                await spooled.fill(b"x")

    run(body)


def test_a_deletion_that_is_refused_is_not_tried_all_the_time(here: Here) -> None:
    async def body() -> None:
        for name in ("a", "b"):
            await here.store.put(REF.code(name), b"1")
        await here.meet()
        here.store.refuses = {"delete": {"a"}}
        for name in ("a", "b"):
            (here.project / name).unlink()
        await here.save()
        for _ in range(3):
            await here.push.push(Batch(everything=True))
        assert await here.stored() == {"a"}
        assert here.reported == {"a"}
        assert len(await StoreTrash(here.store, REF).list()) == 1
        here.store.refuses = {}
        await here.save()
        assert await here.stored() == set()

    run(body)


def test_a_store_that_is_away_is_nobodys_fault(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> None:
        raise Unavailable("The store is away.")

    async def body() -> None:
        await here.meet()
        (here.project / "a").write_text("1")
        monkeypatch.setattr(here.store, "put", away)
        with pytest.raises(Unavailable, match="away"):
            await here.save()
        assert not here.reported

    run(body)
