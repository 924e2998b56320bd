"""Passes on the marks of sync: to every tab when they change, and to a new tab with `loaded`."""

import asyncio
import os
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import Any

from jupyter_repl_runner.contract.marks import MARKS_FILE, Marks

LOOK_SECONDS = 0.2

log = getLogger(__name__)


class MarksReader:
    """`tell` is called with each change of the marks; never without sync, if the files are on this disk."""

    def __init__(self, directory: Path, tell: Callable[[dict[str, Any]], None]) -> None:
        self._path = directory / MARKS_FILE
        self._tell = tell
        self._seen = 0
        self._published: dict[str, Any] = {}

    async def run(self) -> None:
        """Runs until cancelled. Returns at once if there is no sync."""
        while self._path.exists():
            self._look()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        try:
            changed = os.stat(self._path).st_mtime_ns
            if changed == self._seen:
                return
            found = Marks.load(self._path.read_text()).to_json()
        except (OSError, ValueError, TypeError):
            log.warning("The marks of sync can't be read")
            return
        self._seen = changed
        if found != self._published:
            self._published = found
            self._tell(found)
