"""The WebSocket of a channel. Tornado routes the request and checks the token; then we take over the connection."""

import asyncio
from typing import Any, cast

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.messages import MAX_FRAME, SUBPROTOCOL, build_event, is_subprotocol_in

from .auth import RunnerHandler
from .channel import Channel
from .framing import (
    BINARY,
    CLOSE,
    NORMAL,
    PING,
    PONG,
    TEXT,
    FramingError,
    Message,
    Parser,
    accept_key,
    build_close,
    build_frame,
)
from .room import Room

MAX_BACKLOG = 32 << 20
"""The most bytes that may wait for a client that does not read. A client within its credit stays far below."""
ALIVE_SECONDS, SILENT_SECONDS = 10.0, 120.0
"""How often a client is sent a sign of life, and how long it may be silent itself: a busy client is not dead."""
CLOSE_SECONDS = 5.0
"""How long a client may take to answer a close."""
TOO_SLOW = 4008
ALIVE = build_frame(PING, b"") + build_frame(TEXT, build_event("alive", {}).encode())


class ChannelHandler(RunnerHandler):
    """Hands the connection of a request for `/channel` over to a `Connection`."""

    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._room: Room = shared["room"]

    async def get(self) -> None:
        headers = self.request.headers
        is_offered = is_subprotocol_in(headers.get("Sec-WebSocket-Protocol", ""))
        if headers.get("Upgrade", "").lower() != "websocket" or not is_offered:
            self.set_status(400)
            self.finish({"code": "InvalidRequest", "message": f"Use a WebSocket with {SUBPROTOCOL}.", "hint": ""})
            return
        self.set_status(101)
        self.clear_header("Content-Type")
        self.set_header("Upgrade", "websocket")
        self.set_header("Connection", "Upgrade")
        self.set_header("Sec-WebSocket-Accept", accept_key(headers.get("Sec-WebSocket-Key", "")))
        self.set_header("Sec-WebSocket-Protocol", SUBPROTOCOL)
        self.finish()
        visitor = self.visitor
        stream = self.detach()
        socket = stream.socket.dup()
        stream.close()
        await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(self._room, visitor), socket)


class Connection(asyncio.Protocol):
    """One WebSocket and its channel, after the handshake."""

    def __init__(self, room: Room, visitor: str = "") -> None:
        self._channel = Channel(room, self, visitor=visitor)
        self._parser = Parser(MAX_FRAME)
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._is_open = True

    # -- for the channel

    def send(self, message: str | bytes) -> None:
        """Send a message. A client with more than MAX_BACKLOG unread bytes is cut off; it can reconnect and resume."""
        if not self._is_open:
            return
        if isinstance(message, bytes):
            self._transport.write(build_frame(BINARY, message))
        else:
            self._transport.write(build_frame(TEXT, message.encode()))
        if self._transport.get_write_buffer_size() > MAX_BACKLOG:
            self._close(TOO_SLOW, "the client does not read")

    @property
    def is_flushed(self) -> bool:
        return self._transport.get_write_buffer_size() == 0

    # -- for the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._opening = tasks.spawn(self._channel.open(), "channel opens")
        self._timer = self._loop.call_later(ALIVE_SECONDS, self._say_alive)

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            return  # read and dropped: closing a socket with unread bytes could discard our close
        try:
            for message in self._parser.feed(data):
                self._take(message)
        except FramingError as error:
            self._close(error.code, error.reason)
        self._heard = self._loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_open = False
        self._timer.cancel()
        self._opening.cancel()
        self._channel.close()

    def _take(self, message: Message) -> None:
        kind, payload = message
        if kind == BINARY:
            self._channel.receive_bytes(payload)
        elif kind == TEXT:
            self._channel.receive_text(payload.decode())
        elif kind == PING:
            self._transport.write(build_frame(PONG, payload))
        elif kind == CLOSE:
            self._close(NORMAL, "")
            self._transport.close()

    def _say_alive(self) -> None:
        if self._loop.time() - self._heard > SILENT_SECONDS:
            self._transport.abort()
        elif self._is_open:
            self._transport.write(ALIVE)
            self._timer = self._loop.call_later(ALIVE_SECONDS, self._say_alive)

    def _close(self, code: int, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self._transport.write(build_close(code, reason))
            self._timer.cancel()
            self._timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)
