"""`/status`: whether the runner serves, and when it was last used. `/drain`: save, end everything, and exit."""

from collections.abc import Callable
from typing import Any

from .auth import RunnerHandler
from .hub import Hub


class StatusHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._hub: Hub = shared["hub"]

    async def get(self) -> None:
        self.write(
            {
                "draining": self._hub.draining,
                "lastActivity": self._hub.activity.last,
                "terminals": len(self._hub.terminals.to_json()),
                "running": self._hub.program.current is not None,
            }
        )


class DrainHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._drain: Callable[[], None] = shared["drain"]

    async def post(self) -> None:
        self._drain()
        self.set_status(202)
