"""The channel: one WebSocket, its table of events, and what it owns until it closes."""

import asyncio
from logging import getLogger
from typing import Any

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from jupyter_repl_runner.contract import frames, messages
from jupyter_repl_runner.contract.errors import FileTooLarge, InvalidRequest, ReplError, Unavailable, from_os_error
from jupyter_repl_runner.files.tree import list_folder

from . import events_files, events_run, events_terminal
from .auth import RunnerHandler
from .context import Context, Handler
from .events_files import PAGE
from .hub import Hub
from .viewers import Send, Viewers

EVENTS: dict[str, Handler] = {**events_files.EVENTS, **events_terminal.EVENTS, **events_run.EVENTS}

MAX_REQUESTS = 128
"""Requests of one channel under way at once; more are refused, not queued."""
MAX_PENDING = 32 << 20
"""Bytes that may wait for a client that does not read; credit keeps honest ones far below."""
CLOSE_TOO_SLOW = 4008
_FAILURE = Unavailable("Something went wrong in the runner.", hint="Its log says more.")

log = getLogger(__name__)


class ChannelSession:
    """A channel without its transport. No message can raise out of `receive_*`."""

    def __init__(self, hub: Hub, send: Send) -> None:
        self._hub = hub
        self._send = send
        self._context = Context(hub, Viewers(send))
        self._tasks: set[asyncio.Task[None]] = set()
        self._early: list[str] | None = []

    async def open(self) -> None:
        """Send `loaded` first, then all that happened since its listing was made."""
        self._hub.join(self)
        loaded = await self._loaded()
        self._send(messages.build_event("loaded", loaded))
        early, self._early = self._early or [], None
        for message in early:
            self._send(message)

    async def _loaded(self) -> dict[str, Any]:
        hub = self._hub
        try:
            root, total = await asyncio.to_thread(list_folder, hub.beneath, "", 0, PAGE)
        except ReplError as error:
            log.warning("%s: the project's folder can't be listed: %s", hub.assignment.ref, error.message)
            root, total = [], 0
        return {
            "runner": hub.instance,
            "replId": hub.assignment.ref.repl_id,
            "language": hub.assignment.language,
            "folder": str(hub.beneath.root),
            "main": await asyncio.to_thread(hub.program.main_file),
            "rootContent": [{key: row[key] for key in ("type", "name", "path")} for row in root],
            "rootTotal": total,
            "terminals": hub.terminals.to_json(),
            "runs": hub.program.to_json(),
        }

    def send(self, message: str) -> None:
        """A broadcast."""
        if self._early is None:
            self._send(message)
        else:
            self._early.append(message)

    def receive_text(self, text: str) -> None:
        """Answers in the order of arrival only where the requests are about the same file or terminal."""
        self._hub.activity.touch()
        try:
            request = messages.parse_request(text)
            handler = EVENTS.get(request.event)
            if handler is None:
                raise InvalidRequest(f"There is no event {request.event[:40]}.", hint="See docs/protocol.md.")
            if len(self._tasks) >= MAX_REQUESTS:
                raise Unavailable("Too many requests at once.", hint="Wait for replies.")
        except ReplError as error:
            self._send(messages.build_error(messages.request_id(text), error))
            return
        task = asyncio.get_running_loop().create_task(self._answer(request, handler), name=request.event)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def receive_bytes(self, data: bytes) -> None:
        try:
            self._context.viewers.receive(frames.unpack(data))
        except ReplError as error:
            self._send(messages.build_error(None, error))
        except Exception:
            log.exception("%s: a frame failed", self._hub.assignment.ref)
            self._send(messages.build_error(None, _FAILURE))

    def close(self) -> None:
        """Leave; requests under way come to their end, so that a save that was sent is a save."""
        self._hub.leave(self)
        self._context.viewers.detach_all()

    async def _answer(self, request: messages.Request, handler: Handler) -> None:
        context = Context(self._context.hub, self._context.viewers)
        try:
            reply = messages.build_reply(request.id, await handler(context, request.data))
            if len(reply) > messages.MAX_MESSAGE:  # a text of which much is escaped
                raise FileTooLarge("The answer is too large for a message.", hint="Read it from file/.")
        except ReplError as error:
            reply = messages.build_error(request.id, error)
        except OSError as error:
            reply = messages.build_error(request.id, from_os_error(error, str(request.data.get("path", ""))[:200]))
        except Exception:
            log.exception("%s: the event %s failed", self._hub.assignment.ref, request.event)
            reply = messages.build_error(request.id, _FAILURE)
        if request.id is not None or '"error"' in reply:
            self._send(reply)
        for call in context.after_reply:
            call()


class ChannelHandler(RunnerHandler, WebSocketHandler):
    """The transport of a ChannelSession."""

    def initialize(self, **shared: Any) -> None:
        super().initialize(**shared)
        self._hub: Hub = shared["hub"]
        self._pending = 0
        self._session: ChannelSession | None = None

    def check_origin(self, origin: str) -> bool:
        return True  # no browser comes here: the token is the check, and the extension has checked the origin

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return messages.SUBPROTOCOL if messages.SUBPROTOCOL in subprotocols else None

    async def open(self, *_: str) -> None:
        if self.selected_subprotocol is None:
            self.close(1002, f"subprotocol {messages.SUBPROTOCOL} wanted")
            return
        self.set_nodelay(True)
        self._session = ChannelSession(self._hub, self._queue)
        await self._session.open()

    def on_message(self, message: str | bytes) -> None:
        if self._session is None:
            return
        if isinstance(message, bytes):
            self._session.receive_bytes(message)
        else:
            self._session.receive_text(message)

    def on_close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _queue(self, message: str | bytes) -> "asyncio.Future[None]":
        """Never blocks; a client that lets MAX_PENDING pile up is cut off, and resumes when it comes back."""
        size = len(message)
        if self._pending + size > MAX_PENDING:
            self.close(CLOSE_TOO_SLOW, "the client does not read")
            return _done()
        try:
            flushed = self.write_message(message, binary=isinstance(message, bytes))
        except WebSocketClosedError:
            return _done()
        self._pending += size

        def on_flushed(future: "asyncio.Future[None]") -> None:
            self._pending -= size
            if not future.cancelled():
                future.exception()  # a closed connection: on_close has said so already

        flushed.add_done_callback(on_flushed)
        return flushed


def _done() -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future
