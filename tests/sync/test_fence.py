"""Two runners of one project: the later one has it. Whatever the earlier one still does, nothing is lost."""

import asyncio
import random
import signal
import time
from collections.abc import Callable

import pytest
from support.lab import wait_for
from support.syncing import REF, Sync, objects, put

from jupyter_repl_runner.contract.local import FENCED_CODE
from jupyter_repl_runner.store.s3 import S3Store

Make = Callable[..., Sync]


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


@pytest.mark.parametrize("seed", range(4))
def test_frozen_at_any_step_it_damages_nothing_for_good(make: Make, store: S3Store, seed: int) -> None:
    """The old one is frozen in the middle of its work, at a moment that differs each time."""
    chance = random.Random(seed)
    put(store, **{f"f{n}": b"%d" % n for n in range(30)})
    old = make("old", main="").start().opened().settled()
    for n in range(15):
        (old.project / f"f{n}").write_text(f"old {n}")
        (old.project / f"f{n + 15}").unlink()
        (old.project / f"o{n}").write_text("made by the old one")
    time.sleep(0.3 + chance.random() * 1.4)
    old.signal(signal.SIGSTOP)
    new = make("new", main="").start().opened().settled()
    for n in range(30):
        (new.project / f"f{n}").write_text(f"new {n}")
    new.settled()
    old.signal(signal.SIGCONT)
    assert old.wait() == FENCED_CODE
    time.sleep(16)  # the new one looks at the whole again after 15 s
    new.settled()
    found = objects(store)
    assert {name: found[name] for name in sorted(found) if name[0] == "f" and "other" not in name} == {
        f"f{n}": f"new {n}".encode() for n in range(30)
    }
    assert {path.name: path.read_bytes() for path in new.project.iterdir()} == found


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
