"""`runner sync` for real: a volume, a process, an S3 server; what it saves and how it comes back."""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.faults import FaultyProxy
from support.lab import wait_for
from support.syncing import Sync, names, objects, put, tree

from jupyter_repl_runner.store.s3 import S3Store

Make = Callable[..., Sync]


def test_what_anything_does_in_the_volume_reaches_the_store(make: Make, store: S3Store) -> None:
    put(store, main_py=b"print()", old_txt=b"old", src__a_py=b"a")
    sync = make().start().opened().settled()
    project = sync.project
    assert (project / "main.py").read_bytes() == b"print()"
    (project / "new.txt").write_text("new")
    (project / "main.py").write_text("print(2)")
    (project / "old.txt").unlink()
    (project / "deep/er").mkdir(parents=True)
    (project / "deep/er/f").write_text("f")
    os.rename(project / "src", project / "lib")
    (project / "run.sh").write_text("echo")
    (project / "run.sh").chmod(0o700)
    (project / "link").symlink_to("main.py")
    (project / "empty").mkdir()
    (project / "private").mkdir(mode=0o700)
    (project / "private/secret").write_text("s")
    (project / "private/secret").chmod(0o600)
    expected = {"main.py", "new.txt", "deep/er/f", "lib/a.py", "run.sh", "private/secret"}
    wait_for(lambda: names(store) == expected)
    sync.settled()
    assert sync.stop() == 0
    again = make("b").start().opened().settled()
    assert tree(again.project) == tree(project)


def test_a_git_repository_comes_back_as_it_was(make: Make, store: S3Store) -> None:
    sync = make().start().opened()

    def git(*arguments: str, where: Path | None = None) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", *identity, "-C", str(where or sync.project), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    for number in range(30):
        (sync.project / f"f{number}").write_text(str(number))
        git("add", "-A")
        git("commit", "-qm", str(number))
    git("checkout", "-qb", "side", "HEAD~9")
    sync.settled()
    assert sync.stop() == 0
    again = make("b").start().opened().settled()
    assert tree(again.project) == tree(sync.project)
    assert git("fsck", "--strict", where=again.project) == ""
    assert git("status", "--porcelain", where=again.project) == ""
    assert git("log", "--oneline", "--all", where=again.project).count("\n") == 30


def test_modes_of_folders_under_a_tight_umask(make: Make, store: S3Store) -> None:
    old = os.umask(0o077)
    try:
        sync = make().start().opened()
        (sync.project / "a/b").mkdir(parents=True)
        (sync.project / "a/b/f").write_text("f")
        (sync.project / "open").mkdir()
        (sync.project / "open").chmod(0o755)
        (sync.project / "open/g").write_text("g")
        (sync.project / "no").mkdir()
        (sync.project / "no/h").write_text("h")
        (sync.project / "no").chmod(0o500)
        sync.settled()
        assert sync.stop() == 0
        again = make("b").start().opened().settled()
        assert tree(again.project) == tree(sync.project)
    finally:
        os.umask(old)
        for folder in ("a", "b"):
            (sync.volume.parent.parent / folder / "volume/project/no").chmod(0o700)


def test_a_file_becomes_a_folder_and_back(make: Make, store: S3Store) -> None:
    put(store, fd=b"file", dir__x=b"x", dir__y__z=b"z")
    sync = make(main="fd").start().opened().settled()
    (sync.project / "fd").unlink()
    (sync.project / "fd").mkdir()
    (sync.project / "fd/x").write_text("in it")
    shutil.rmtree(sync.project / "dir")
    (sync.project / "dir").write_text("a file now")
    wait_for(lambda: objects(store) == {"fd/x": b"in it", "dir": b"a file now"})
    sync.settled()
    os.unlink(sync.project / "dir")
    (sync.project / "dir").symlink_to("fd")
    wait_for(lambda: objects(store) == {"fd/x": b"in it"})
    sync.settled()
    assert sync.stop() == 0
    again = make("b", main="fd/x").start().opened().settled()
    assert tree(again.project) == tree(sync.project)


@pytest.mark.process
def test_a_killed_sync_goes_on_where_it_was(make: Make, store: S3Store) -> None:
    put(store, **{f"f{n}": b"%d" % n for n in range(50)})
    sync = make(main="f0").start().opened().settled()
    sync.kill()
    (sync.project / "f1").unlink()
    (sync.project / "f2").write_text("changed while nobody looked")
    (sync.project / "new").write_text("new")
    again = make(volume=sync.volume, main="f0").start().opened().settled()
    found = wait_for(lambda: (there := objects(store)) and "f1" not in there and there)
    assert (found["f2"], found["new"], len(found)) == (b"changed while nobody looked", b"new", 50)
    assert again.stop() == 0


def test_a_flush_saves_what_was_written_a_moment_ago(make: Make, store: S3Store) -> None:
    put(store, main_py=b"1")
    sync = make().start().opened().settled()
    (sync.project / "last").write_text("last")
    (sync.project / "main.py").unlink()
    assert sync.stop() == 0
    assert objects(store) == {"last": b"last"}


@pytest.mark.alone
def test_a_change_is_saved_within_two_seconds(make: Make, store: S3Store) -> None:
    sync = make(main="").start().opened().settled()
    began = time.monotonic()
    while time.monotonic() - began < 4:
        (sync.project / "busy").write_text(str(time.monotonic()))
        time.sleep(0.05)
    saved = wait_for(lambda: objects(store)["busy"], 1)  # empty is what `write_text` leaves for a moment
    assert time.monotonic() - float(saved) < 3.0


def test_a_large_file_that_was_moved_is_not_sent_again(make: Make, faulty: S3Store, proxy: FaultyProxy) -> None:
    sync = make(store=faulty, main="").start().opened()
    data = random.Random(1).randbytes(3_000_000)
    (sync.project / "model").mkdir()
    (sync.project / "model/weights").write_bytes(data)
    (sync.project / "model/weights").chmod(0o640)
    wait_for(lambda: objects(faulty) == {"model/weights": data})
    sync.settled()
    begin = len(proxy.requests)
    os.rename(sync.project / "model", sync.project / "old")
    wait_for(lambda: objects(faulty) == {"old/weights": data})
    sync.settled()
    puts = [number for number, (method, uri) in enumerate(proxy.requests) if method == "PUT" and "weights" in uri]
    assert all(number < begin or proxy.sizes[number] == 0 for number in puts)
    assert sync.stop() == 0
    assert tree(make("again", main="").start().opened().settled().project) == tree(sync.project)
