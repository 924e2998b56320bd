"""How full a pod's volume is. Beyond its limit the whole pod is evicted. So the person is warned before that, and our
own writes are refused, while sync goes on."""

import asyncio
import os
import time
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import Any, Literal

from jupyter_repl_runner.contract.errors import DiskFull

WARN, FULL = 0.80, 0.95
LOOK_SECONDS, SOON_SECONDS = 15.0, 3.0
"""The pause between two checks, and the pause when the disk is nearly full."""
SHARE = 0.02
"""The most that checks may use, as a share of one core."""

State = Literal["roomy", "low", "full"]

log = getLogger(__name__)


class Disk:
    """All files below `folder` may use at most `limit` bytes. `tell` is called when the state changes."""

    def __init__(self, folder: Path, limit: int, tell: Callable[[dict[str, Any]], None]) -> None:
        self._folder = folder
        self._limit = limit
        self._tell = tell
        self._used = 0
        self._state: State = "roomy"

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            began = time.monotonic()
            self._used = await asyncio.to_thread(measure, self._folder)
            took = time.monotonic() - began
            share = self._used / self._limit
            state: State = "full" if share >= FULL else "low" if share >= WARN else "roomy"
            if state != self._state:
                self._state = state
                self._tell(self.to_json())
            await asyncio.sleep(max(LOOK_SECONDS if share < WARN - 0.2 else SOON_SECONDS, took / SHARE))

    @property
    def is_full(self) -> bool:
        """True if our own writes are refused."""
        return self._state == "full"

    def check_disk(self) -> None:
        """Raises DiskFull if our own writes are refused."""
        if self.is_full:
            raise DiskFull(
                f"The REPL's disk is full ({_gigabytes(self._used)} of {_gigabytes(self._limit)}).",
                hint="Delete files that you don't need, then save again.",
            )

    def to_json(self) -> dict[str, Any]:
        return {"state": self._state, "used": self._used, "limit": self._limit}


def measure(folder: Path) -> int:
    """Returns how many bytes all below `folder` uses on the disk. Skips what can't be read or is deleted. Blocks."""
    total, folders = 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
                    except OSError:
                        continue
        except OSError:
            continue
    return total


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
