"""How full a volume is, and what that means for writes."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.usage import disk
from jupyter_repl_runner.usage.disk import Disk, measure


def test_what_a_folder_takes(tmp_path: Path) -> None:
    empty = measure(tmp_path)
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/a").write_bytes(os.urandom(100_000))
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 10**9)
    os.symlink("/", tmp_path / "everything")
    assert 100_000 <= measure(tmp_path) - empty < 200_000


def test_it_is_told_low_full_and_roomy_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(disk, "SOON_SECONDS", 0.02)
    told: list[dict[str, Any]] = []

    async def until(state: str) -> None:
        async with asyncio.timeout(10):
            while not told or told[-1]["state"] != state:
                await asyncio.sleep(0.01)

    async def body() -> None:
        watched = Disk(tmp_path, 1_000_000, told.append)
        running = asyncio.create_task(watched.run())
        (tmp_path / "a").write_bytes(os.urandom(850_000))
        await until("low")
        watched.check_disk()
        (tmp_path / "b").write_bytes(os.urandom(130_000))
        await until("full")
        with pytest.raises(Unavailable, match=r"full \(.* of 1\.0 MB\)"):
            watched.check_disk()
        (tmp_path / "a").unlink()
        await until("roomy")
        watched.check_disk()
        running.cancel()

    asyncio.run(body())
    assert [each["state"] for each in told] == ["low", "full", "roomy"]
