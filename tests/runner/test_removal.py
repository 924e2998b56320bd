"""Folders are deleted however deep they are, and nothing outside of them ever is."""

import asyncio
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.trees import make_deep

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.files import operations
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.removal import remove_tree
from jupyter_repl_runner.files.trash import KEPT_SECONDS, Trash
from jupyter_repl_runner.store import directory
from jupyter_repl_runner.store.directory import SCRATCH_SECONDS, DirectoryStore
from jupyter_repl_runner.store.folder import read


@pytest.fixture(autouse=True)
def no_deep_trees(tmp_path: Path) -> Iterator[None]:
    """pytest's own removal of old folders would recurse too deeply."""
    yield
    subprocess.run(["chmod", "-R", "u+rwx", tmp_path], check=False)
    subprocess.run(["rm", "-rf", tmp_path], check=True)


def test_depth_width_and_modes_are_no_matter(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "closed/inner").mkdir(parents=True)
    (folder / "closed/inner/file").write_text("x")
    for number in range(300):
        (folder / f"d{number}").mkdir()
        (folder / f"d{number}/f").write_text("x")
    make_deep(folder, "deep", 2000)
    (folder / "closed/inner").chmod(0)
    (folder / "closed").chmod(0o555)
    folder.chmod(0)
    assert remove_tree(folder)
    assert list(tmp_path.iterdir()) == []
    assert remove_tree(folder), "what is not there is gone"


def test_links_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/kept").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "whole").symlink_to(tmp_path / "outside")
    assert remove_tree(folder)
    assert not remove_tree(tmp_path / "whole")
    assert (tmp_path / "outside/kept").exists()


@pytest.mark.parametrize("levels", [1000, 3000])
def test_a_project_of_folders_in_each_other_is_deleted_and_forgotten(tmp_path: Path, levels: int) -> None:
    store = DirectoryStore(tmp_path)
    project = tmp_path / "code/abc"
    project.mkdir(parents=True)
    make_deep(project, "x", levels)
    trash = Trash(tmp_path / "trash")
    beneath = Beneath(project)
    trash.delete(beneath, "x")
    (item,) = (tmp_path / "trash").iterdir()
    os.utime(item, (1, 1))
    assert 1 < KEPT_SECONDS
    trash.forget_old()
    assert list((tmp_path / "trash").iterdir()) == []
    make_deep(project, "x", levels)
    asyncio.run(store.delete("code/abc/"))
    assert not project.exists()
    with store.scratch():  # a left-over of somebody who died, which is met by everybody who makes a project
        pass


def test_folders_in_each_other_can_be_imported_and_read(tmp_path: Path) -> None:
    """More of them than a recursion of Python takes."""
    store = DirectoryStore(tmp_path / "store")
    folder = tmp_path / "folder"
    folder.mkdir()
    make_deep(folder, "d", 1500)
    (folder / "f").write_text("x")
    (folder / "link").symlink_to(".")
    (folder / "loop").symlink_to("loop")
    files, manifest = read(folder)
    assert set(files) == {"f"}
    assert manifest.links == {"link": ".", "loop": "loop"}
    assert len(manifest.folders) == 1, "the last one, which is empty"
    assert asyncio.run(store.put_folder(folder, "code/abc/", "meta/abc/manifest.json")) == 1


def test_a_deletion_holds_up_nobody_while_it_unlinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of the store is for the rename alone."""
    begun, may_end = threading.Event(), threading.Event()

    def slow(path: Path) -> bool:
        begun.set()
        return may_end.wait(20) and remove_tree(path)

    async def check() -> None:
        store = DirectoryStore(tmp_path)
        await store.put("code/abc/f", b"x")
        monkeypatch.setattr(directory, "remove_tree", slow)
        deleting = asyncio.ensure_future(store.delete("code/abc/"))
        assert await asyncio.to_thread(begun.wait, 10)
        async with asyncio.timeout(5):
            await store.put("code/other/f", b"x", if_none_match=True)
        assert await store.head("code/abc/f") is None
        may_end.set()
        await deleting

    asyncio.run(check())


def test_a_left_over_that_cannot_be_deleted_stops_nobody(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    with store.scratch() as first:
        private = first.parent
    left = private / ("0" * 16)
    left.mkdir()
    make_deep(left, "x", 1500)
    os.utime(left, (1, 1))
    assert 1 < SCRATCH_SECONDS
    with store.scratch() as staged:
        assert staged.exists()
    assert not left.exists()


def test_a_deep_folder_is_copied_whole_or_not_at_all(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "a/inner").mkdir(parents=True)
    (project / "a/inner/f").write_text("x")
    (project / "a/inner").chmod(0o555)
    make_deep(project / "a", "x", 1500)
    beneath = Beneath(project)
    operations.copy(beneath, "a", "b")
    assert (project / "b/inner/f").read_text() == "x"
    assert (project / "b/inner").stat().st_mode & 0o777 == 0o555
    assert depth(project / "b", "x") == 1500
    used = len(os.listdir("/proc/self/fd"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    (project / "a/large").write_bytes(bytes(3 << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises((ReplError, OSError)):
            operations.copy(beneath, "a", "c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (project / "c").exists()
    assert len(os.listdir("/proc/self/fd")) == used
    for name in ("a", "b"):
        remove_tree(project / name)


def depth(folder: Path, name: str) -> int:
    descriptor, levels = os.open(folder, os.O_RDONLY), 0
    while True:
        try:
            inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        except FileNotFoundError:
            os.close(descriptor)
            return levels
        os.close(descriptor)
        descriptor, levels = inner, levels + 1
