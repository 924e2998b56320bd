"""What lies among the private directories of REPLs, also if a program wrote it: a damaged one affects no other."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.trees import make_deep

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.local import EXIT_FILE, RECORD_FILE
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.local import private_directory
from jupyter_repl_spawner.local.spawner import LocalSpawner
from jupyter_repl_spawner.local.sweep import sweep
from jupyter_repl_spawner.port import Folders

REF = ProjectRef("", "abc")
RECORD = {"owner": "", "repl_id": "abc", "token": "t", "mark": "m", "server_pid": 1, "workdir": "w", "trash": "t"}
RECORD["assignment"] = "{}"


@pytest.fixture
def root() -> Iterator[Path]:
    """A path that is short enough for sockets."""
    with TemporaryDirectory() as folder:
        (made := Path(folder, "r")).mkdir(mode=0o700)
        yield made


def spawner_of(root: Path, store: str) -> LocalSpawner:
    def folders(ref: ProjectRef) -> Folders:
        return Folders(root.parent / store / ref.repl_id, root.parent / "trash")

    return LocalSpawner(folders, str(root))


def directory_of(spawner: LocalSpawner, ref: ProjectRef = REF) -> Path:
    directory = spawner._directory(ref)
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def note(directory: Path, **changed: object) -> None:
    (directory / RECORD_FILE).write_text(json.dumps({**RECORD, **changed}))


def test_repls_of_other_stores_are_not_listed(root: Path) -> None:
    """They are in one place, so that two servers of one store come to the same directory."""
    ours, theirs = spawner_of(root, "ours"), spawner_of(root, "theirs")
    note(directory_of(ours))
    note(directory_of(theirs, ProjectRef("", "other")), repl_id="other")
    assert asyncio.run(ours.list()) == [REF]


@pytest.mark.parametrize(
    "changed",
    [
        {"server_pid": 1 << 80},
        {"server_pid": 0},
        {"repl_id": "Not An Id"},
        {"repl_id": 5},
        {"owner": ["x"]},
        {"server_pid": "1"},
        {"mark": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_record_of_nonsense_is_none(root: Path, changed: dict[str, object]) -> None:
    spawner = spawner_of(root, "store")
    note(directory_of(spawner))
    bad = root / "bad"
    bad.mkdir(mode=0o700)
    note(bad, **changed)
    assert asyncio.run(spawner.list()) == [REF]
    sweep(root)
    assert not bad.exists()


def test_a_private_directory_is_deleted_however_deep_and_closed_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    (folder / "closed/inner").mkdir(parents=True)
    (folder / "closed/inner/f").write_text("x")
    (folder / "closed").chmod(0o555)
    make_deep(folder, "d", 1500)
    private_directory.remove(folder)
    assert not folder.exists()
    private_directory.remove(folder)


def test_a_directory_that_cannot_be_opened_keeps_no_other_from_being_cleaned(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawner = spawner_of(root, "store")
    names = [root / letter for letter in "abc"]
    for directory in names:
        directory.mkdir(mode=0o700)
    opened = os.open

    def refuse(path: Path, flags: int, *rest: int, **options: int) -> int:
        if path == names[1]:
            raise PermissionError(13, "Permission denied", str(path))  # as a mode of 000 is, but for root
        return opened(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    sweep(root)
    assert [directory.exists() for directory in names] == [False, True, False]
    monkeypatch.setattr(spawner, "_directory", lambda ref: names[1])
    with pytest.raises(Unavailable, match="can't be opened"):
        asyncio.run(spawner.poll(REF))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"cause": "crashed", "code": None, "signal": int(signal.SIGKILL)}, "SIGKILL"),
        ({"cause": "crashed", "code": None, "signal": 40}, "signal 40"),
        ({"cause": "crashed", "code": 3, "signal": None}, "code 3"),
        ({"cause": "crashed", "signal": ["x"]}, "signal"),
        ({"cause": "start-failed"}, ""),
        ({"cause": ["start-failed"]}, ""),
    ],
    ids=["a signal", "a real-time signal", "a code", "nonsense", "no reason", "no cause"],
)
def test_what_ended_a_runner_is_told(root: Path, end: dict[str, object], said: str) -> None:
    spawner = spawner_of(root, "store")
    (directory_of(spawner) / EXIT_FILE).write_text(json.dumps(end))
    assert said in asyncio.run(spawner.poll(REF)).reason
