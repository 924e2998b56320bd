"""The channel without its transport: the table of events, and what it owns until it closes."""

import asyncio
from logging import getLogger
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract import frames, messages
from jupyter_repl_runner.contract.errors import FileTooLarge, InvalidRequest, ReplError, Unavailable, from_os_error
from jupyter_repl_runner.files.tree import list_folder

from . import events_files, events_idle, events_run, events_terminal
from .context import Context, Handler
from .events_files import PAGE
from .room import Room
from .viewers import Transport, Viewers

EVENTS: dict[str, Handler] = {
    name: handler
    for family in (events_files, events_terminal, events_run, events_idle)
    for name, handler in family.EVENTS.items()
}

MAX_REQUESTS = 128
"""Requests of one channel under way at once; more are refused, not queued."""
_FAILURE = Unavailable("Something went wrong in the runner.", hint="Its log says more.")

log = getLogger(__name__)


class Channel:
    """No message can raise out of `receive_*`."""

    def __init__(self, room: Room, transport: Transport) -> None:
        self._room = room
        self._send = transport.send
        self._context = Context(room, Viewers(transport))
        self._tasks: set[asyncio.Task[None]] = set()
        self._early: list[str] | None = []

    async def open(self) -> None:
        """Send `loaded` first, then all that happened since its listing was made."""
        self._room.join(self)
        loaded = await self._loaded()
        self._send(messages.build_event("loaded", loaded))
        early, self._early = self._early or [], None
        for message in early:
            self._send(message)

    async def _loaded(self) -> dict[str, Any]:
        room = self._room
        try:
            root, total = await asyncio.to_thread(list_folder, room.beneath, "", 0, PAGE)
        except ReplError as error:
            log.warning("%s: the project's folder can't be listed: %s", room.assignment.ref, error.message)
            root, total = [], 0
        return {
            "runner": room.instance,
            "replId": room.assignment.ref.repl_id,
            "language": room.assignment.language,
            "folder": str(room.beneath.root),
            "main": await asyncio.to_thread(room.program.main_file),
            "rootContent": [{key: row[key] for key in ("type", "name", "path")} for row in root],
            "rootTotal": total,
            "terminals": room.terminals.to_json(),
            "runs": room.program.to_json(),
            "synced": room.synced,
            "disk": room.disk.to_json() if room.disk else None,
        }

    def send(self, message: str) -> None:
        """A broadcast."""
        if self._early is None:
            self._send(message)
        else:
            self._early.append(message)

    def receive_text(self, text: str) -> None:
        """Answers in the order of arrival only where the requests are about the same file or terminal."""
        self._room.activity.touch()
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
        task = tasks.spawn(self._answer(request, handler), request.event)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def receive_bytes(self, data: bytes) -> None:
        try:
            self._context.viewers.receive(frames.unpack(data))
        except ReplError as error:
            self._send(messages.build_error(None, error))
        except Exception:
            log.exception("%s: a frame failed", self._room.assignment.ref)
            self._send(messages.build_error(None, _FAILURE))

    def close(self) -> None:
        """Leave; requests under way come to their end, so that a save that was sent is a save."""
        self._room.leave(self)
        self._context.viewers.close()

    async def _answer(self, request: messages.Request, handler: Handler) -> None:
        context = Context(self._context.room, self._context.viewers)
        reply = await answer(context, request, handler)
        if request.id is not None or '"error"' in reply:
            self._send(reply)
        for call in context.after_reply:
            call()


async def answer(context: Context, request: messages.Request, handler: Handler) -> str:
    """The reply of an event, or its error; raises nothing."""
    try:
        reply = messages.build_reply(request.id, await handler(context, request.data))
        if len(reply) > messages.MAX_MESSAGE:  # a text of which much is escaped
            raise FileTooLarge("The answer is too large for a message.", hint="Read it from file/.")
    except ReplError as error:
        reply = messages.build_error(request.id, error)
    except OSError as error:
        reply = messages.build_error(request.id, from_os_error(error, str(request.data.get("path", ""))[:200]))
    except Exception:
        log.exception("%s: the event %s failed", context.room.assignment.ref, request.event)
        reply = messages.build_error(request.id, _FAILURE)
    return reply
