"""How full a pod's volume is. Beyond its limit the whole pod is evicted: so the person is warned, and our own writes
are refused before, while syncing goes on."""

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
"""Between two checks; the second while it is nearly full."""
SHARE = 0.02
"""Of a core, at most, for checks."""

State = Literal["roomy", "low", "full"]

log = getLogger(__name__)


class Disk:
    """`limit` in bytes, of all below `folder`; `tell` is called when its state changes."""

    def __init__(self, folder: Path, limit: int, tell: Callable[[dict[str, Any]], None]) -> None:
        self._folder = folder
        self._limit = limit
        self._tell = tell
        self._used = 0
        self._state: State = "roomy"

    async def run(self) -> None:
        """Until it is cancelled."""
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
        """Whether nothing more may be written."""
        return self._state == "full"

    def check_disk(self) -> None:
        """Raises DiskFull where nothing more may be written."""
        if self.is_full:
            raise DiskFull(
                f"The REPL's disk is full ({_gigabytes(self._used)} of {_gigabytes(self._limit)}).",
                hint="Delete files that you don't need, then save again.",
            )

    def to_json(self) -> dict[str, Any]:
        return {"state": self._state, "used": self._used, "limit": self._limit}


def measure(folder: Path) -> int:
    """Bytes that everything below takes on the disk. Blocks. What can't be read, or goes meanwhile, counts nothing."""
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
