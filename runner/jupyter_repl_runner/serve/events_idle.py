"""Events about idle REPLs: the server warns before it stops one, and a person who is there can keep it running."""

from typing import Any

from jupyter_repl_runner.contract.messages import bounded, optional

from .call import Call, Data, Event
from .room import Room

MAX_SECONDS = 86_400


class IdleEvents:
    """The events that a tab may send."""

    def __init__(self) -> None:
        self.events = {"keep": Event(self.keep)}

    async def keep(self, call: Call, data: Data) -> dict[str, Any]:
        """Does nothing: any request counts as use, and that keeps the REPL running."""
        return {}


class IdleWarnings:
    """The events that only the server may send. They don't count as use."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.events = {"idle": Event(self.warn)}

    async def warn(self, call: Call, data: Data) -> dict[str, Any]:
        """Warn every tab that the REPL stops in `seconds` (0: it does not stop), or that it is `asleep` from now on."""
        seconds = bounded(data, "seconds", 0, MAX_SECONDS, 0)
        self._room.broadcast("idle", {"seconds": seconds, "asleep": bool(optional(data, "asleep", bool))})
        return {}
