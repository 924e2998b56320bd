"""The guard's own ends: where the system has no room for it, and what it leaves."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.contract.local import ASKED, CRASHED, EXIT_FILE, RECORD_FILE, UNSAVED
from jupyter_repl_runner.guard import guard


def test_a_repl_that_was_asked_to_end_leaves_nothing(tmp_path: Path) -> None:
    """Nor half an upload."""
    directory = tmp_path / "private"
    (directory / "uploads/half").mkdir(parents=True)
    (directory / RECORD_FILE).write_text("{}")
    guard._leave(str(directory), ASKED, 0)
    assert not directory.exists()


def test_one_that_crashed_leaves_why(tmp_path: Path) -> None:
    (tmp_path / RECORD_FILE).write_text("{}")
    guard._leave(str(tmp_path), CRASHED, int(signal.SIGKILL))
    assert {path.name for path in tmp_path.iterdir()} == {EXIT_FILE}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_one_that_ends_on_a_full_disk_leaves_why(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=True, capture_output=True)
    try:
        (tmp_path / RECORD_FILE).write_text(json.dumps({"token": "x" * 100}))
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "filler").write_bytes(bytes(100_000))
        guard._leave(str(tmp_path), UNSAVED, 0)
        assert json.loads((tmp_path / EXIT_FILE).read_text()) == {"cause": UNSAVED, "code": 0, "signal": 0}
        assert not (tmp_path / RECORD_FILE).exists()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_sync_that_cannot_be_started_now_is_started_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs may have used up the processes; the guard must stay, or nothing of the REPL is ended."""
    processes: Any = guard._Processes.__new__(guard._Processes)
    reading, writing = os.pipe()
    processes.__dict__.update(_directory=str(tmp_path), _input=reading, _grants=writing, _opened=-1)
    processes.__dict__.update(_runner=1, _sync=77, _sync_again=0.0, _ended={77: int(signal.SIGKILL)})
    started: list[str] = []

    def spawn(*_: Any, **__: Any) -> int:
        started.append("again")
        if len(started) == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return 78

    monkeypatch.setattr(os, "posix_spawn", spawn)
    monkeypatch.setattr(guard, "SYNC_AGAIN_SECONDS", 0.0)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(4):
        processes._start_sync_again()
    assert (started, processes._sync) == (["again"] * 2, 78)
    assert len(os.listdir("/proc/self/fd")) == before + 1, "the pipe on which the new one says that it is ready"
    for descriptor in (reading, writing, processes._opened):
        os.close(descriptor)
