"""`project/{replId}/channel`: connects a browser's WebSocket to the channel of the runner."""

from typing import Any, cast

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from jupyter_repl_ext.runners.channels import Channels
from jupyter_repl_ext.runners.relay import Relay
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.messages import SUBPROTOCOL, is_subprotocol_in

from .base import ReplMixin, may_execute

CLOSE_SUBPROTOCOL, CLOSE_NOT_RUNNING = 1002, 4404


class ChannelHandler(ReplMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Checks the user's rights; the runner answers the handshake. A request that can't be passed on is accepted here,
    then closed with a code (1002 or 4404, see docs/protocol.md): a script in a browser sees no other reason for a
    failure."""

    for_visitors = frozenset({"GET"})
    refusal = CLOSE_SUBPROTOCOL, f"subprotocol {SUBPROTOCOL} wanted"

    @ws_authenticated
    @may_execute
    async def get(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self.look_up(args[0])
        except ReplError as error:
            raise HTTPError(error.status, error.message) from None
        return await super().get(*args, **kwargs)

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Tornado calls this after it has accepted the request's origin and headers."""
        protocol = super().get_websocket_protocol()
        is_offered = is_subprotocol_in(self.request.headers.get("Sec-WebSocket-Protocol", ""))
        if isinstance(protocol, WebSocketProtocol13) and is_offered:
            return _Joined(self, False, protocol.params)
        return protocol

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def open(self, *_: str) -> None:
        self.close(*self.refusal)

    # -- where the channel leads to

    def look_up(self, repl_id: str) -> None:
        """Raises ReplError."""
        self.ref(repl_id)

    async def connect(self) -> tuple[HTTPHeaders, IOStream]:
        """Returns the headers of the answer to the handshake, and the connection. Raises ReplError."""
        assert self._ref is not None, "looked up before"
        address = await self.address(self._ref)
        return await self.services.client.channel(address, self.request.headers)

    def touch(self) -> None:
        """The person has used the channel."""
        self.services.activity.touch()

    @property
    def channels(self) -> Channels:
        return self.services.channels

    # -- parts

    async def join(self) -> None:
        """Send the runner's answer to the handshake, then relay until either connection closes. Raises ReplError only
        before anything was answered."""
        headers, runner = await self.connect()
        try:
            self.set_status(101)
            self.clear_header("Content-Type")
            for name in ("Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"):
                self.set_header(name, headers[name])
            self.finish()
            browser = self.detach()
            browser.set_nodelay(True)
            relay = Relay(browser, runner, self.touch)
            with self.channels.opened(relay, self):
                await relay.run()
        finally:
            runner.close()


class _Joined(WebSocketProtocol13):
    """Replaces tornado's own protocol, which would parse every frame."""

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        channel = cast(ChannelHandler, handler)
        try:
            await channel.join()
        except ReplError as error:
            channel.refusal = CLOSE_NOT_RUNNING, error.message[:100]
            await super().accept_connection(handler)
