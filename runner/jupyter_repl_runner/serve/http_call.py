"""`/call`: one event without a channel, for the server's own work on a project that runs."""

import asyncio
from typing import Any

from jupyter_repl_runner.contract import paths
from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.messages import bounded, field, parse_request
from jupyter_repl_runner.files import operations

from .auth import RunnerHandler
from .call import Call, Data, Event
from .channel import answer
from .events_files import FileEvents
from .events_idle import IdleWarnings
from .room import Room


class RecoveryEvents:
    """Creates links and sets modes, which only the restoring of a deletion needs. A tab can't send these events."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.events = {"makeLink": Event(self.make_link), "setMode": Event(self.set_mode)}

    async def make_link(self, call: Call, data: Data) -> dict[str, Any]:
        path, target = paths.check_path(data.get("path")), field(data, "target", str)
        await asyncio.to_thread(operations.make_link, self._room.beneath, path, target)
        return {"path": path}

    async def set_mode(self, call: Call, data: Data) -> dict[str, Any]:
        path, mode = paths.check_path(data.get("path")), bounded(data, "mode", 0, 0o7777)
        await asyncio.to_thread(operations.set_mode, self._room.beneath, path, mode)
        return {"path": path}


class CallHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]

    async def post(self) -> None:
        request = parse_request(self.request.body.decode())
        warnings = IdleWarnings(self._room).events
        events = {**FileEvents(self._room).events, **RecoveryEvents(self._room).events, **warnings}
        event = events.get(request.event)
        if event is None:
            raise InvalidRequest(f"There is no event {request.event[:40]} about files.")
        if request.event not in warnings:
            self._room.activity.touch()
        self.set_header("Content-Type", "application/json")
        self.finish(await answer(self._room, Call(), request, event))
