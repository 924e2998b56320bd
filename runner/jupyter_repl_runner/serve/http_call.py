"""`/call`: one event about files without a channel, for the server's own work on a project that runs."""

import asyncio
from collections.abc import Mapping
from typing import Any

from jupyter_repl_runner.contract import paths
from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.messages import bounded, field, parse_request
from jupyter_repl_runner.files import operations

from .auth import RunnerHandler
from .channel import answer
from .context import Context, Handler
from .events_files import EVENTS as FILE_EVENTS
from .events_idle import SERVER_EVENTS
from .room import Room
from .viewers import Viewers


async def make_link(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    path, target = paths.check_path(data.get("path")), field(data, "target", str)
    await asyncio.to_thread(operations.make_link, context.room.beneath, path, target)
    return {"path": path}


async def set_mode(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    path, mode = paths.check_path(data.get("path")), bounded(data, "mode", 0, 0o7777)
    await asyncio.to_thread(operations.set_mode, context.room.beneath, path, mode)
    return {"path": path}


EVENTS: dict[str, Handler] = {**FILE_EVENTS, "makeLink": make_link, "setMode": set_mode, **SERVER_EVENTS}
"""Links and modes are what putting back a deletion takes, and no business of a tab's."""


class CallHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]

    async def post(self) -> None:
        request = parse_request(self.request.body.decode())
        handler = EVENTS.get(request.event)
        if handler is None:
            raise InvalidRequest(f"There is no event {request.event[:40]} about files.")
        if request.event not in SERVER_EVENTS:
            self._room.activity.touch()
        self.set_header("Content-Type", "application/json")
        self.finish(await answer(Context(self._room, Viewers(self)), request, handler))

    # -- a transport that nothing is sent to: events about files only answer

    def send(self, message: str | bytes) -> None:
        return

    @property
    def is_flushed(self) -> bool:
        return True
