"""`/status`: whether the runner serves, and when it was last used. `/drain`: save, end everything, and exit (in a pod:
wait for it)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from .auth import RunnerHandler
from .room import Room

WAIT_SECONDS = 8.0


class StatusHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]

    async def get(self) -> None:
        self.write(
            {
                "draining": self._room.draining,
                "lastActivity": self._room.activity.last,
                "idle": max(0.0, time.time() - self._room.activity.last),
                "terminals": len(self._room.terminals.to_json()),
                "running": self._room.program.current is not None,
            }
        )


class DrainHandler(RunnerHandler):
    """With `?wait` the answer comes when every program has ended."""

    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._drain: Callable[[], None] = shared["drain"]
        self._ended: asyncio.Event = shared["ended"]

    async def post(self) -> None:
        self._drain()
        if "wait" in self.request.arguments or self.request.query == "wait":
            async with asyncio.timeout(WAIT_SECONDS):
                await self._ended.wait()
        self.set_status(202)
