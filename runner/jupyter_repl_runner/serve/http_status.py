"""`/status`: whether the runner serves, and when it was last used. `/drain`: ends all programs; then the runner
exits, or stays with `?wait`, which pods use."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from .auth import RunnerHandler
from .room import Room


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
    """With `?wait`, answers after every program has ended, and the runner stays. Else answers at once, and drains."""

    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._drain: Callable[[], None] = shared["drain"]
        self._end_programs: Callable[[], Awaitable[None]] = shared["end"]

    async def post(self) -> None:
        if "wait" in self.request.arguments or self.request.query == "wait":
            await self._end_programs()
        else:
            self._drain()
        self.set_status(202)
