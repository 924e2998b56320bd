"""Events about runs. The console of a run is a terminal."""

from dataclasses import asdict
from typing import Any

from jupyter_repl_runner.contract.messages import field, optional
from jupyter_repl_runner.contract.settings import KEYS, check_settings

from .call import Call, Data, Event
from .events_terminal import size_of
from .room import Room

MAX_PROBLEMS = 50


class RunEvents:
    def __init__(self, room: Room) -> None:
        self._room = room
        self.events = {
            "run": Event(self.run),
            "stopRun": Event(self.stop_run),
            "checkSettings": Event(self.check, is_for_visitors=True),
        }

    async def run(self, call: Call, data: Data) -> dict[str, Any]:
        started = await self._room.program.start(optional(data, "path", str), size_of(data))
        self._room.broadcast("runStarted", started.to_json())
        return started.to_json()

    async def stop_run(self, call: Call, data: Data) -> dict[str, Any]:
        self._room.program.stop(field(data, "run", int))
        return {}

    async def check(self, call: Call, data: Data) -> dict[str, Any]:
        problems = check_settings(field(data, "content", str))
        return {
            "problems": [asdict(problem) for problem in problems[:MAX_PROBLEMS]],
            "keys": [{"name": name, "help": text} for name, text in KEYS.items()],
        }
