"""What is not saved, and how it is reported: rules, limits, files that are being written, links that lead away."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.lab import stays, wait_for
from support.syncing import REF, Sync, names, objects, put

from jupyter_repl_runner.contract.marks import Marks
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.sync.rules import Rules
from jupyter_repl_runner.sync.status import Status

Make = Callable[..., Sync]


def test_the_usual_rules() -> None:
    rules = Rules()
    assert rules.is_ignored("a/node_modules", True)
    assert rules.is_ignored("__pycache__", True)
    assert rules.is_ignored(".git/index.lock", False)
    assert rules.is_below_ignored("a/venv/lib/x.py")
    kept = [
        ("package-lock.json", False),
        ("poetry.lock", False),
        (".env", False),
        (".git", True),
        ("node_modules", False),
    ]
    assert not any(rules.is_ignored(path, is_folder) for path, is_folder in kept)


def test_rules_of_ones_own() -> None:
    rules = Rules(["# data", "*.bin", "!venv/", "/build/", "[broken", ""])
    assert rules.is_ignored("a/x.bin", False)
    assert rules.is_ignored("build", True)
    assert rules.is_ignored("node_modules", True)
    assert not rules.is_ignored("src/build", True)
    assert not rules.is_below_ignored("venv/lib/x.py")


def test_rules_take_little_time_whatever_they_say() -> None:
    """Those of an imported project are a stranger's: a pattern that backtracks would stop all saving for hours."""
    rules = Rules(["*a" * 8 + "*b", "*.bin", "x" * 60_000, os.fsdecode(b"caf\xe9*"), "*" * 60_000])
    assert not rules.is_below_ignored("a" * 250 + "/" + "a" * 250)
    assert rules.is_ignored("x.bin", False)
    assert rules.is_ignored(os.fsdecode(b"\xff.bin"), False)
    many = Rules([*(f"*foo{number}*bar*baz" for number in range(50_000)), "*.bin"])
    assert many.is_ignored("node_modules", True), "what is too large is left out, the usual rules hold"


def test_marks_have_a_limit_and_need_no_room(tmp_path: Path) -> None:
    """Paths may have 4 KB, and six times that as JSON; the marks lie in a volume of 1 MiB."""
    status = Status(tmp_path / "marks.json")
    paths = ["\x01" * 4000 + str(number) for number in range(200)]
    for path in paths:
        status.report(path, "x" * 100_000)
        status.uploaded(path, "etag")
    status.waiting(paths, "saving")
    status.tell(left_out=tuple(paths), missing=tuple((path, "make") for path in paths))
    assert (tmp_path / "marks.json").stat().st_size < 200_000
    found = Marks.load((tmp_path / "marks.json").read_text())
    assert found.pending == 200
    assert found.paths
    assert found.reports
    assert found.uploaded[-1][0] == paths[-1]
    assert len(json.dumps(status.unsaved_short)) < 100_000
    (tmp_path / "marks.new").mkdir()  # nothing can be written
    status.tell("saved", left_out=())
    (tmp_path / "marks.new").rmdir()
    status.write()
    assert Marks.load((tmp_path / "marks.json").read_text()).state == "saved"


def test_what_is_left_out_is_told_and_its_return_is_hinted_at(make: Make, store: S3Store) -> None:
    sync = make()
    sync.project.mkdir(parents=True)
    (sync.project / ".replignore").write_text("*.bin\n")
    sync.start().opened()
    for name in ("node_modules/a/x.js", "deep/.venv/pyvenv.cfg", "src/a.py", "data.bin"):
        (sync.project / name).parent.mkdir(parents=True, exist_ok=True)
        (sync.project / name).write_text("x")
    wait_for(lambda: names(store) >= {"src/a.py", ".replignore"})
    sync.settled()
    assert sync.stop() == 0
    assert names(store) == {"src/a.py", ".replignore"}
    again = make("b").start().opened().settled()
    assert again.marks.missing == (("deep/.venv", "python3 -m venv .venv"), ("node_modules", "npm install"))


def test_a_large_file_is_reported_and_saved_once_it_is_small(make: Make, store: S3Store) -> None:
    sync = make(max_file_bytes=1000).start().opened()
    (sync.project / "big").write_bytes(bytes(1001))
    (sync.project / "small").write_bytes(bytes(1000))
    wait_for(lambda: sync.marks.reports)
    assert [path for path, _ in sync.settled().marks.reports] == ["big"]
    assert names(store) == {"small"}
    os.truncate(sync.project / "big", 10)
    wait_for(lambda: "big" in names(store))
    wait_for(lambda: not sync.marks.reports)


@pytest.mark.process
@pytest.mark.parametrize(
    "path", ["folder/" * 150 + "x", "folder/" + os.fsdecode(b"\xe9" * 130)], ids=["a long path", "a long escape"]
)
def test_a_name_that_s3_cannot_have_holds_up_nothing(make: Make, store: S3Store, path: str) -> None:
    sync = make(main="").start().opened()
    (sync.project / path).parent.mkdir(parents=True)
    (sync.project / path).write_text("x")
    wait_for(lambda: [report for report, _ in sync.marks.reports] == [path])
    (sync.project / "other").write_text("x")
    wait_for(lambda: objects(store) == {"other": b"x"})
    shutil.rmtree(sync.project / "folder")
    (sync.project / "other").unlink()
    wait_for(lambda: not names(store) and not sync.settled().marks.reports)
    assert sync.stop() == 0


@pytest.mark.process
def test_a_file_whose_copy_in_the_trash_cannot_have_a_name_is_not_deleted(make: Make, store: S3Store) -> None:
    """Its key fits into S3 and that of the copy, which is longer, does not: then the only copy stays."""
    room = 1015 - len(f"{store.settings.prefix}{REF.code()}")
    path = ("folder/" * 200)[: room - 4] + "file"
    sync = make(main="").start().opened()
    (sync.project / path).parent.mkdir(parents=True)
    (sync.project / path).write_text("kept")
    wait_for(lambda: objects(store) == {path: b"kept"})
    sync.settled()
    shutil.rmtree(sync.project / "folder")
    ((_, said),) = wait_for(lambda: sync.marks.reports)
    assert said.startswith("It was deleted here, and stays in S3.")
    (sync.project / "other").write_text("x")
    wait_for(lambda: objects(store) == {path: b"kept", "other": b"x"})
    assert sync.stop() == 0
    assert objects(store)[path] == b"kept"


def test_a_file_that_is_always_written_is_saved_every_five_seconds(make: Make, store: S3Store) -> None:
    sync = make().start().opened()
    code = "import time\nf=open('log','ab',0)\nwhile True: f.write(b'%f\\n' % time.time()); time.sleep(0.0005)"
    writer = subprocess.Popen([sys.executable, "-c", code], cwd=sync.project)
    try:
        wait_for(lambda: "log" in names(store), 12)
        worst = 0.0
        began = time.monotonic()
        while time.monotonic() - began < 12:
            last = float(objects(store)["log"].splitlines()[-2])
            worst = max(worst, time.time() - last)
            time.sleep(0.2)
        assert worst < 10  # five seconds, and what a busy machine takes to send it
    finally:
        writer.kill()
        writer.wait()
    wait_for(lambda: objects(store)["log"] == (sync.project / "log").read_bytes())


def test_folders_swapped_for_links_lead_nowhere(make: Make, store: S3Store, tmp_path: Path) -> None:
    """A user who swaps a folder for a link while sync walks gets nothing of what lies outside into the store."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("of somebody else")
    sync = make().start().opened()
    stop = threading.Event()

    def swap() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            folder, link = sync.project / "d", sync.project / "l"
            folder.mkdir(exist_ok=True)
            (folder / "f").write_text(f"mine {turn}")
            link.symlink_to(outside)
            os.rename(folder, sync.project / f"old{turn % 3}-{turn}")
            os.rename(link, folder)
            time.sleep(0.001 * (turn % 5))
            folder.unlink()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        until = time.monotonic() + 6
        while time.monotonic() < until:
            for path, data in objects(store).items():
                # Empty is what `write_text` leaves for a moment, and may be saved for that long.
                assert not data or data.startswith(b"mine"), path
    finally:
        stop.set()
        thread.join()
    sync.settled(60)
    assert all(data.startswith(b"mine") for data in objects(store).values())
    assert (outside / "f").read_text() == "of somebody else"


def test_a_link_in_the_way_of_a_restore_leads_nowhere(make: Make, store: S3Store, tmp_path: Path) -> None:
    put(store, d__f=b"from the store")
    outside = tmp_path / "outside"
    outside.mkdir()
    sync = make(main="")
    sync.project.mkdir(parents=True)
    (sync.project / "d").symlink_to(outside)
    sync.start()
    stays(lambda: list(outside.iterdir()) == [], 3)
