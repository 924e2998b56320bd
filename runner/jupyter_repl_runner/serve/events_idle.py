"""Idle REPLs: the server warns before it stops one, and a person who is there keeps it."""

from typing import Any

from jupyter_repl_runner.contract.messages import bounded, optional

from .call import Call, Data, Event
from .room import Room

MAX_SECONDS = 86_400


class IdleEvents:
    """Of a tab."""

    def __init__(self) -> None:
        self.events = {"keep": Event(self.keep)}

    async def keep(self, call: Call, data: Data) -> dict[str, Any]:
        """That it was asked is what keeps it: a request is use."""
        return {}


class IdleWarnings:
    """Of the server. They are no use, and a tab can't send them."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.events = {"idle": Event(self.warn)}

    async def warn(self, call: Call, data: Data) -> dict[str, Any]:
        """Warn every tab that it stops in `seconds` (0: not after all), or is `asleep` from now on."""
        seconds = bounded(data, "seconds", 0, MAX_SECONDS, 0)
        self._room.broadcast("idle", {"seconds": seconds, "asleep": bool(optional(data, "asleep", bool))})
        return {}
