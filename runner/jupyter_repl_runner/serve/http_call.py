"""`/call`: one event about files without a channel, for the server's own work on a project that runs."""

from typing import Any

from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.messages import parse_request

from .auth import RunnerHandler
from .channel import answer
from .context import Context
from .events_files import EVENTS
from .hub import Hub
from .viewers import Viewers


class CallHandler(RunnerHandler):
    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._hub: Hub = shared["hub"]

    async def post(self) -> None:
        request = parse_request(self.request.body.decode())
        handler = EVENTS.get(request.event)
        if handler is None:
            raise InvalidRequest(f"There is no event {request.event[:40]} about files.")
        self._hub.activity.touch()
        self.set_header("Content-Type", "application/json")
        self.finish(await answer(Context(self._hub, Viewers(self)), request, handler))

    # -- a transport that nothing is sent to: events about files only answer

    def send(self, message: str | bytes) -> None:
        return

    @property
    def is_flushed(self) -> bool:
        return True
