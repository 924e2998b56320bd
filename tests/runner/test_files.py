"""Files beneath a project: what is refused, what a write keeps, and what the watcher tells."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.lab import wait_for
from support.trees import make_deep

from jupyter_repl_runner.contract.errors import Conflict, FileExists, FileNotFound, ReplError
from jupyter_repl_runner.files import content, operations, writing
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.files.trash import KEPT_SECONDS, Trash
from jupyter_repl_runner.files.tree import list_folder
from jupyter_repl_runner.files.watch import Changes, Watcher


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    return folder


@pytest.fixture
def beneath(project: Path) -> Beneath:
    return Beneath(project)


@pytest.fixture
def trash(tmp_path: Path) -> Trash:
    return Trash(tmp_path / "meta/trash")


def test_a_write_is_whole_keeps_the_mode_and_gives_the_etag(beneath: Beneath, project: Path) -> None:
    (project / "tool").write_text("one")
    (project / "tool").chmod(0o751)
    first = content.stat(beneath, "tool").etag
    second = writing.write(beneath, "tool", b"two", if_match=first).etag
    assert (project / "tool").read_text() == "two"
    assert (project / "tool").stat().st_mode & 0o777 == 0o751
    assert content.stat(beneath, "tool").etag == second != first
    with pytest.raises(Conflict):
        writing.write(beneath, "tool", b"three", if_match=first)
    assert [path.name for path in project.iterdir()] == ["tool"], "no temporary file is left"


def test_a_write_through_a_link_changes_what_it_leads_to_inside_and_nothing_outside(
    beneath: Beneath, project: Path
) -> None:
    (project / "out").symlink_to(project.parent / "outside/secret")
    (project / "folder").symlink_to(project.parent / "outside")
    for path in ("out", "folder/secret", "folder/new"):
        with pytest.raises(ReplError):
            content.read_text(beneath, path, 1000)
        with pytest.raises(ReplError):
            writing.write(beneath, path, b"stolen", if_match=None)
    assert (project.parent / "outside/secret").read_text() == "secret"
    assert [path.name for path in (project.parent / "outside").iterdir()] == ["secret"]


def test_a_folder_that_turns_into_a_link_between_two_looks_leads_nowhere(beneath: Beneath, project: Path) -> None:
    """Somebody swaps a folder for a link as fast as they can; no write may land outside."""
    (project / "folder").mkdir()
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for step in (
                lambda: os.rename(project / "folder", project / "away"),
                lambda: os.symlink(project.parent / "outside", project / "folder"),
                lambda: os.unlink(project / "folder"),
                lambda: os.rename(project / "away", project / "folder"),
            ):
                with suppress(OSError):  # a write makes the folder that is missing, which is in the way
                    step()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            for path in ("folder/secret", "folder/new"):
                try:
                    writing.write(beneath, path, b"stolen", if_match=None)
                except (ReplError, OSError):
                    continue
    finally:
        stop.set()
        thread.join(10)
    assert (project.parent / "outside/secret").read_text() == "secret"
    assert [path.name for path in (project.parent / "outside").iterdir()] == ["secret"]


def test_a_deep_path_takes_one_descriptor(project: Path) -> None:
    """However deep it is, and through links that lead up: a restore writes many files at once."""
    deep = "/".join(["d"] * 60)
    (project / deep).mkdir(parents=True)
    (project / deep / "up").symlink_to("../" * 59 + "x")
    (project / "d/x").write_text("here")
    (project / deep / "out").symlink_to("../" * 61 + "outside/secret")
    (project / "top").symlink_to(project / deep)

    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    beneath = Beneath(project)
    for path, expected in ((f"{deep}/f", "f"), (f"{deep}/up", "x"), ("top/f", "f"), (f"top/{'../' * 3}d/f", None)):
        before = held()
        try:
            with beneath.entry(path, make=True) as (folder, name):
                assert held() - before <= 2
                assert name == expected
                assert os.path.samefile(f"/proc/self/fd/{folder}", project / (deep if name == "f" else "d"))
        except ReplError:
            assert expected is None, "`..` is no name of a path, only of a link"
        assert held() == before
    with pytest.raises(ReplError, match="leads out"):
        beneath.open(f"{deep}/out")


def test_operations_overwrite_nothing(beneath: Beneath, project: Path, trash: Trash) -> None:
    (project / "a").write_text("a")
    (project / "b").write_text("b")
    for attempt in (
        lambda: operations.move(beneath, "a", "b"),
        lambda: operations.copy(beneath, "a", "b"),
        lambda: operations.rename(beneath, "a", "b"),
        lambda: operations.create(beneath, "b", "file"),
    ):
        with pytest.raises(FileExists):
            attempt()
    assert ((project / "a").read_text(), (project / "b").read_text()) == ("a", "b")
    with pytest.raises(FileNotFound):
        trash.delete(beneath, "none")
    operations.copy(beneath, "a", "copy")
    assert (project / "copy").read_text() == "a"


def test_deleting_a_link_deletes_the_link(beneath: Beneath, project: Path, trash: Trash) -> None:
    (project / "link").symlink_to(project.parent / "outside")
    trash.delete(beneath, "link")
    assert not (project / "link").is_symlink()
    assert (project.parent / "outside/secret").exists()


def test_what_was_deleted_comes_back_as_it_was(beneath: Beneath, project: Path, trash: Trash) -> None:
    (project / "src/deep").mkdir(parents=True)
    (project / "src/deep/tool").write_text("tool")
    (project / "src/deep/tool").chmod(0o751)
    (project / "src/link").symlink_to("deep/tool")
    item = trash.delete(beneath, "src")
    assert list(project.iterdir()) == []
    assert trash.restore(beneath, item) == "src"
    assert (project / "src/deep/tool").stat().st_mode & 0o777 == 0o751
    assert os.readlink(project / "src/link") == "deep/tool"
    with pytest.raises(FileNotFound):
        trash.restore(beneath, item)


def test_a_restore_makes_its_folder_and_overwrites_nothing(beneath: Beneath, project: Path, trash: Trash) -> None:
    (project / "src").mkdir()
    (project / "src/a").write_text("first")
    first = trash.delete(beneath, "src/a")
    (project / "src/a").write_text("second")
    with pytest.raises(FileExists):
        trash.restore(beneath, first)
    second = trash.delete(beneath, "src/a")
    trash.delete(beneath, "src")
    assert trash.restore(beneath, first) == "src/a"
    assert (project / "src/a").read_text() == "first"
    with pytest.raises(FileExists):
        trash.restore(beneath, second)
    for bad in ("", "..", "../../etc", "0" * 16):
        with pytest.raises(ReplError):
            trash.restore(beneath, bad)


def test_the_trash_forgets_after_a_week(beneath: Beneath, project: Path, trash: Trash, tmp_path: Path) -> None:
    (project / "a").write_text("a")
    old = trash.delete(beneath, "a")
    week_ago = time.time() - KEPT_SECONDS - 60
    os.utime(tmp_path / "meta/trash" / old, (week_ago, week_ago))
    (project / "b").write_text("b")
    new = trash.delete(beneath, "b")
    assert os.listdir(tmp_path / "meta/trash") == [new]


def test_a_page_of_a_folder_is_what_the_whole_listing_holds_there(beneath: Beneath, project: Path) -> None:
    for number in range(25):
        (project / f"{number:02}.txt").write_text("x" * number)
    (project / "Folder").mkdir()
    (project / "gone").symlink_to("nowhere")
    whole, total = list_folder(beneath, "")
    assert total == len(whole) == 27
    assert [row["name"] for row in whole[:2]] == ["Folder", "00.txt"]
    assert whole[-1] == {"type": "file", "name": "gone", "path": "gone", "size": 0, "mtime": 0}
    pages = [list_folder(beneath, "", offset, 10) for offset in (0, 10, 20, 30)]
    assert [row for page, _ in pages for row in page] == whole
    assert {count for _, count in pages} == {27}


def test_the_root_itself_cannot_be_deleted_or_replaced(beneath: Beneath, project: Path, trash: Trash) -> None:
    (project / "a").write_text("a")
    for attempt in (lambda: trash.delete(beneath, ""), lambda: operations.move(beneath, "a", "")):
        with pytest.raises((ReplError, OSError)):
            attempt()
    assert (project / "a").exists()


def test_names_of_every_kind_are_listed(beneath: Beneath, project: Path) -> None:
    names = ["otter 🦦.py", "a\nb", "ü", os.fsdecode(b"\xff\xfe"), "-rf", "'quoted\""]
    for name in names:
        (project / name).write_text("x")
    assert sorted(row["name"] for row in list_folder(beneath, "")[0]) == sorted(names)
    for name in names:
        assert content.read_text(beneath, name, 100)[0] == "x"


def test_a_pipe_is_not_read(beneath: Beneath, project: Path) -> None:
    os.mkfifo(project / "pipe")
    with pytest.raises(ReplError):
        content.read_text(beneath, "pipe", 100)


class Told:
    """What the watcher said, as sets."""

    def __init__(self) -> None:
        self.dirs: set[str] = set()
        self.files: dict[str, str | None] = {}
        self.everything = 0
        self.messages = 0

    def __call__(self, changed: dict[str, Any]) -> None:
        self.messages += 1
        self.everything += bool(changed.get("all"))
        self.dirs |= set(changed.get("dirs", []))
        self.files |= {file["path"]: file["etag"] for file in changed.get("files", [])}


@pytest.fixture
def told(beneath: Beneath, project: Path) -> Iterator[Told]:
    told = Told()
    watcher = Watcher(beneath, lambda changes: told(changes.to_json(beneath)))
    watcher.start()
    wait_for(lambda: told.everything)  # it watches now, and says so for what it may have missed
    told.everything = 0
    yield told
    watcher.stop()


def test_the_watcher_tells_of_what_is_made_changed_and_deleted(told: Told, project: Path) -> None:
    (project / "a/b").mkdir(parents=True)
    (project / "a/b/c.txt").write_text("c")
    wait_for(lambda: told.files.get("a/b/c.txt"))
    assert {"", "a", "a/b"} <= told.dirs
    etag = told.files["a/b/c.txt"]
    (project / "a/b/c.txt").write_text("changed")
    wait_for(lambda: told.files["a/b/c.txt"] != etag)
    (project / "a/b/c.txt").unlink()
    wait_for(lambda: told.files["a/b/c.txt"] is None)


def test_the_watcher_follows_a_folder_that_is_renamed(told: Told, project: Path) -> None:
    (project / "old").mkdir()
    wait_for(lambda: "" in told.dirs)
    told.dirs.clear()
    (project / "old").rename(project / "new")
    wait_for(lambda: "" in told.dirs)
    (project / "new/file").write_text("x")
    wait_for(lambda: told.files.get("new/file"))


def test_a_storm_is_told_as_everything_in_few_messages(told: Told, project: Path) -> None:
    many = project.parent / "outside/many"
    many.mkdir()
    for number in range(2000):
        (many / f"{number}").write_text("x")
    many.rename(project / "many")  # all at once, however busy the machine is
    wait_for(lambda: told.everything)
    assert told.messages < 10


def test_the_watcher_goes_on_beside_a_path_that_is_too_long(beneath: Beneath, project: Path) -> None:
    make_deep(project, "x" * 250, 20)
    told = Told()
    watcher = Watcher(beneath, lambda changes: told(changes.to_json(beneath)))
    watcher.start()
    try:
        wait_for(lambda: told.everything)
        (project / "seen.txt").write_text("1")
        wait_for(lambda: "seen.txt" in told.files)
        make_deep(project, "y" * 250, 20)
        (project / "later.txt").write_text("1")
        wait_for(lambda: "later.txt" in told.files)
    finally:
        watcher.stop()
        subprocess.run(["rm", "-rf", str(project)], check=True)  # pytest's own does not get so deep


def test_the_watcher_goes_on_after_somebody_could_not_be_told(beneath: Beneath, project: Path) -> None:
    told: list[Changes] = []

    def tell(changes: Changes) -> None:
        told.append(changes)
        if len(told) < 3:
            raise OSError("the disk has an error")

    watcher = Watcher(beneath, tell)
    watcher.start()
    wait_for(lambda: told)
    for number in range(3):
        (project / f"f{number}").write_text("x")
        wait_for(lambda number=number: any(f"f{number}" in changes.files for changes in told))  # type: ignore[misc]
    watcher.stop()
