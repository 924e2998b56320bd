"""What a program may rename is opened once: sync reads, writes and fills nothing of what is put in its place."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.faults import FaultyProxy
from support.lab import elapse, stays, wait_for
from support.syncing import REF, Sync, objects, put
from support.syncing_pod import PodSync

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.sync.volume import FOLDERS_FILE

Make = Callable[..., Sync]

STORM_SECONDS = float(os.environ.get("REPL_TEST_STORM", "3"))
BESIDE = ("project", "trash", "home", "uploads", ".restored")


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def socket_at(path: Path) -> None:
    # A path of a socket is short, so beneath the folder's descriptor.
    folder = os.open(path.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)


def folder_at(path: Path) -> None:
    path.mkdir()
    (path / "planted").write_text("planted")


REPLACEMENTS: dict[str, Callable[[Path], None]] = {
    "a link to the private volume": link_to(pod.PRIVATE),
    "a link to the index": link_to(pod.INDEX),
    "a link to a device": link_to("/dev/zero"),
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": socket_at,
    "a folder": folder_at,
}


class Program:
    """Puts something else in the place of all that it can rename, and takes that back."""

    def __init__(self, volume: Path, replace: Callable[[Path], None]) -> None:
        self._volume = volume
        self._replace = replace

    def swap(self) -> None:
        for name in BESIDE:
            path = self._volume / name
            if os.path.lexists(path):
                path.rename(self._volume / f"{name}.away")
            self._replace(path)
        self.write("while it was away")

    def swap_back(self) -> None:
        for name in BESIDE:
            path = self._volume / name
            path.rename(self._volume / f"{name}.planted-{os.stat(path, follow_symlinks=False).st_ino}")
            if os.path.lexists(self._volume / f"{name}.away"):
                (self._volume / f"{name}.away").rename(path)

    def write(self, text: str) -> None:
        """Into whatever has the project's name, so that the watcher and looks have a reason to read."""
        project = self._volume / "project"
        if project.is_dir() and not project.is_symlink():
            (project / "new").write_text(text)


@pytest.mark.pods
@pytest.mark.timeout(240 + 2 * STORM_SECONDS)
@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_whatever_replaces_the_project_it_gets_and_gives_nothing(
    make: Make, store: S3Store, faulty: S3Store, proxy: FaultyProxy, replacement: str
) -> None:
    """During a restore, after it, over a restart of both containers, in a storm; and it goes on when all is back."""
    files = {f"f{n}": b"%d" % n for n in range(6)}
    put(store, **files)
    sync = make(main="", store=faulty)
    assert isinstance(sync, PodSync)
    program = Program(sync.volume, REPLACEMENTS[replacement])
    proxy.hold_answers = "code/abc/f3"
    sync.start()
    assert proxy.held.wait(30)
    program.swap()
    proxy.let_go.set()
    wait_for(lambda: sync.marks.state == "gone", 20)
    private = sync.listed("private")
    assert private <= {pod.ASSIGNED_FILE, FOLDERS_FILE}
    assert sync.listed("index") <= {"index.db", "index.db-wal", "index.db-shm"}

    program.swap_back()
    sync.opened().settled()
    assert {path.name for path in sync.project.iterdir()} == set(files)

    program.swap()
    wait_for(lambda: sync.marks.state == "gone", 20)
    assert not sync.flushed()
    for container in ("sync", "runner"):  # each is started again
        sync.signal(signal.SIGKILL, container)
    wait_for(lambda: sync.restarts() > 0 and sync.restarts("runner") > 0 and sync.marks.state == "gone", 30)
    program.write("after a restart")
    stays(lambda: objects(store) == files and not sync.flushed() and not sync.is_served(), 2)
    assert sync.listed("private") == private
    program.swap_back()
    (sync.project / "mine").write_text("mine")
    sync.settled()
    assert objects(store) == {**files, "mine": b"mine"}
    wait_for(sync.is_served, 30)

    until = time.monotonic() + STORM_SECONDS
    while time.monotonic() < until:
        program.swap()
        elapse(0.01)
        program.swap_back()
        elapse(0.01)
    (sync.project / "more").write_text("more")
    sync.settled()
    assert objects(store) == {**files, "mine": b"mine", "more": b"more"}
    assert sync.listed("private") == private


def test_a_folder_that_was_moved_away_is_told_and_taken_up_again(make: Make, store: S3Store) -> None:
    put(store, f=b"1")
    sync = make(main="").start().opened().settled()
    sync.project.rename(sync.volume / "elsewhere")
    wait_for(lambda: sync.marks.state == "gone", 5)
    assert "moved away" in sync.marks.reason
    assert sync.marks.hint
    (sync.volume / "elsewhere/g").write_text("2")
    stays(lambda: objects(store) == {"f": b"1"}, 1)
    (sync.volume / "elsewhere").rename(sync.project)
    sync.settled()
    assert objects(store) == {"f": b"1", "g": b"2"}


@pytest.mark.process
def test_the_files_of_a_deleted_project_are_none_of_the_next_one_of_its_name(make: Make, store: S3Store) -> None:
    """It was deleted on another machine, where nobody knew of the copy that this one still has."""
    put(store, f=b"1")
    first = make(main="").start().opened().settled()
    (first.project / "old").write_text("of the deleted one")
    first.settled()
    assert first.stop() == 0
    for name in ("f", "old"):
        asyncio.run(store.delete(REF.code(name)))
    put(store, g=b"2")
    second = make(volume=first.volume, main="", project="p2").start().opened().settled()
    assert {path.name for path in second.project.iterdir()} == {"g"}
    assert objects(store) == {"g": b"2"}
    (kept,) = first.volume.glob("earlier-*/project/old")
    assert kept.read_text() == "of the deleted one"
    assert second.stop() == 0
    third = make(volume=first.volume, main="", project="p2").start().opened().settled()
    assert {path.name for path in third.project.iterdir()} == {"g"}
    assert third.stop() == 0


@pytest.mark.process
@pytest.mark.parametrize("replacement", ["a link", "a pipe", "a socket", "a folder"])
def test_what_takes_the_projects_place_on_a_laptop_is_noticed(
    make: Make, store: S3Store, tmp_path: Path, replacement: str
) -> None:
    """There a program has the rights of sync itself; still nothing of it is saved, and nothing counts as deleted."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private/secret").write_text("secret")
    put(store, f=b"1")
    sync = make(main="").start().opened().settled()
    sync.project.rename(sync.volume / "elsewhere")
    (link_to(str(tmp_path / "private")) if replacement == "a link" else REPLACEMENTS[replacement])(sync.project)
    wait_for(lambda: sync.marks.state == "gone", 5)
    stays(lambda: objects(store) == {"f": b"1"}, 1)
    assert sync.stop() != 0
    again = make(volume=sync.volume, main="").start()
    if replacement == "a folder":  # a copy that somebody has put there between two starts is one to be compared
        again.opened().settled()
        assert objects(store) == {"f": b"1", "planted": b"planted"}
    else:
        wait_for(lambda: again.marks.state == "failed", 10)
        assert again.marks.reason
        assert objects(store) == {"f": b"1"}
    assert (tmp_path / "private/secret").read_text() == "secret"
