"""Files as odd programs, odd modes and full disks make them: they hold up no other, and none is taken for deleted."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.lab import stays, wait_for
from support.syncing import Sync, names, objects, put

from jupyter_repl_runner.store.s3 import S3Store

Make = Callable[..., Sync]

YEARS = {"1900": -2_208_988_800, "1969": -1, "2300": 10_413_792_000, "2400": 13_569_465_600}


@pytest.mark.process
@pytest.mark.parametrize("year", YEARS)
def test_a_file_of_any_year_is_saved_and_comes_back(make: Make, store: S3Store, year: str) -> None:
    sync = make(main="").start().opened()
    for name in ("before", "later"):
        (sync.project / name).write_text(name)
        os.utime(sync.project / name, (YEARS[year], YEARS[year]))
        sync.settled()
    wait_for(lambda: objects(store) == {"before": b"before", "later": b"later"}, 10)
    assert not sync.marks.reports
    assert sync.stop() == 0
    again = make("b", main="").start().opened().settled()
    assert {path.name: path.read_text() for path in again.project.iterdir()} == {"before": "before", "later": "later"}
    assert not again.marks.reports


@pytest.mark.pods  # elsewhere the tests are root, who may read all
def test_what_must_not_be_read_is_told_and_not_missed(make: Make, store: S3Store) -> None:
    put(store, shut__f=b"1", open__f=b"2", alone=b"3")
    sync = make(main="").start().opened().settled()
    (sync.project / "shut").chmod(0o300)
    (sync.project / "shut/g").write_text("4")
    (sync.project / "alone").chmod(0)
    (sync.project / "open/g").write_text("5")
    wait_for(lambda: {path.partition("/")[0] for path, _ in sync.marks.reports} == {"shut", "alone"}, 20)
    # What is new in a folder that may be entered is saved by its event, though the folder can't be listed.
    saved = {"shut/f": b"1", "shut/g": b"4", "open/f": b"2", "alone": b"3", "open/g": b"5"}
    wait_for(lambda: objects(store) == saved, 10)
    stays(lambda: objects(store) == saved, 2)
    (sync.project / "shut").chmod(0o755)
    (sync.project / "alone").chmod(0o644)
    wait_for(lambda: not sync.settled().marks.reports, 20)
    assert objects(store) == saved


@pytest.mark.pods
def test_a_folder_that_may_be_read_later_is_saved_from_then_on(make: Make, store: S3Store) -> None:
    sync = make(main="").start().opened().settled()
    (sync.project / "born").mkdir(0o300)
    (sync.project / "born/x").write_text("1")
    wait_for(lambda: sync.marks.reports, 20)
    (sync.project / "born").chmod(0o755)
    wait_for(lambda: objects(store) == {"born/x": b"1"}, 20)
    (sync.project / "born/y").write_text("2")
    wait_for(lambda: objects(store) == {"born/x": b"1", "born/y": b"2"}, 10)
    assert not sync.settled().marks.reports


@pytest.mark.pods
def test_rules_that_must_not_be_read_are_those_of_before(make: Make, store: S3Store) -> None:
    put(store, _replignore=b"*.secret\n")
    sync = make(main="").start().opened().settled()
    (sync.project / ".replignore").chmod(0)
    (sync.project / "a.secret").write_text("not to be saved")
    (sync.project / "b.txt").write_text("saved")
    wait_for(lambda: "b.txt" in names(store), 10)
    stays(lambda: "a.secret" not in names(store), 2)


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """Of 8 MiB, with all that a runner and its sync keep."""
    volume = tmp_path / "a/volume"
    volume.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(volume)], check=True, capture_output=True)
    yield volume
    subprocess.run(["umount", "-l", str(volume)], check=True)


@pytest.mark.process
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_without_room_for_the_index_loses_nothing(small_volume: Path, make: Make, store: S3Store) -> None:
    sync = make(main="").start().opened()
    assert sync.volume == small_volume
    (sync.project / "kept").write_text("kept")
    sync.settled()
    filler = small_volume / "filler"
    with filler.open("wb", buffering=0) as file:
        file.write(bytes(8 << 20))  # as much as goes in
        with pytest.raises(OSError, match="No space left"):
            file.write(bytes(4096))
    empty = [f"{number}-{'x' * 100}" for number in range(300)]  # their rows take 60 kB
    for name in empty:
        (sync.project / name).touch()
    wait_for(lambda: sync.marks.state == "away" or sync.marks.reports, 10)
    assert objects(store)["kept"] == b"kept"
    filler.unlink()
    wait_for(lambda: objects(store) == {"kept": b"kept"} | dict.fromkeys(empty, b""), 40)
    sync.settled()
    assert sync.stop() == 0
