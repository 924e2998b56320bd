"""`project/{replId}/channel`: the browser's side of the channel, relayed to the runner."""

import asyncio
from typing import Any

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from jupyter_repl_ext.relay import Relay
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.messages import MAX_FRAME, SUBPROTOCOL

from .base import ReplMixin, may_execute

PING_SECONDS = 30.0
CLOSE_NOT_RUNNING, CLOSE_RUNNER_GONE, CLOSE_TOO_SLOW, CLOSE_TOO_LARGE = 4404, 4410, 4408, 1009


class ChannelHandler(ReplMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Close codes: 4404 nothing runs, 4410 the runner went, 4408 one side did not read, 1009 a frame is too large."""

    _relay: Relay | None = None
    _task: "asyncio.Task[None] | None" = None

    @ws_authenticated
    @may_execute
    async def get(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self._ref = self.ref(args[0])
        except ReplError as error:
            raise HTTPError(error.status, error.message) from None
        return await super().get(*args, **kwargs)

    # Tornado's pings, in seconds. Jupyter's own, which `WebSocketMixin.open` begins, count in milliseconds and are left
    # out: with a timeout that tornado accepts they end every channel at the first ping.
    @property
    def ping_interval(self) -> float:
        return PING_SECONDS

    @property
    def ping_timeout(self) -> float:
        return PING_SECONDS

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    async def open(self, *_: str) -> None:
        if self.selected_subprotocol is None:
            self.close(1002, f"subprotocol {SUBPROTOCOL} wanted")
            return
        self.set_nodelay(True)
        try:
            runner = await self.services.client.channel(await self.services.spawner.address(self._ref))
        except ReplError as error:
            self.close(CLOSE_NOT_RUNNING, error.message[:100])
            return
        self._relay = Relay(runner, self._send, self.services.activity.touch)
        self._task = asyncio.create_task(self._run(self._relay), name=f"channel of {self._ref}")

    async def on_message(self, message: str | bytes) -> None:
        size = len(message.encode()) if isinstance(message, str) else len(message)
        if size > MAX_FRAME:
            self.close(CLOSE_TOO_LARGE, "a frame is too large")
        elif self._relay is not None and not await self._relay.receive(message):
            self.close(CLOSE_TOO_SLOW, "the runner does not read")

    def on_close(self) -> None:
        super().on_close()
        if self._task is not None:
            self._task.cancel()

    async def _send(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))

    async def _run(self, relay: Relay) -> None:
        code = await relay.run()
        self.close(code if 4000 <= code < 5000 else CLOSE_RUNNER_GONE, "the runner closed the channel")
