"""The channel without its transport: requests and their answers, and the streams that it owns until it closes."""

import asyncio
from collections.abc import Callable, Iterable
from logging import getLogger
from typing import Any

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract import frames, messages
from jupyter_repl_runner.contract.errors import (
    FileTooLarge,
    InvalidRequest,
    NoPermissions,
    ReplError,
    Unavailable,
    from_os_error,
)
from jupyter_repl_runner.files.tree import list_folder

from .call import Call, Event, Family
from .events_files import PAGE
from .families import families_of
from .room import Room
from .streams import Streams, Transport

CANCEL = "cancel"
"""The event by which a client cancels one of its requests. That request is then answered with an error."""
MAX_REQUESTS = 128
"""Requests of one channel under way at once; more are refused, not queued."""
_CANCELLED = Unavailable("The request was cancelled.")
_FAILURE = Unavailable("Something went wrong in the runner.", hint="Its log says more.")

log = getLogger(__name__)


class Channel:
    """`receive_*` never raise, whatever the message. `families` creates the families of events of this channel.
    `visitor`: the name of somebody who may look and change nothing; empty for the owner."""

    def __init__(
        self,
        room: Room,
        transport: Transport,
        families: Callable[[Room, Streams, Transport], Iterable[Family]] = families_of,
        visitor: str = "",
    ) -> None:
        self._room = room
        self._visitor = visitor
        self._send = transport.send
        self._streams = Streams(is_read_only=bool(visitor))
        self._events: dict[str, Event] = {}
        for family in families(room, self._streams, transport):
            self._events.update(family.events)
        self._tasks: set[asyncio.Task[None]] = set()
        self._cancellable: dict[int, asyncio.Task[None]] = {}
        """The tasks that a client may cancel, by the id of the request."""
        self._early: list[str] | None = []

    async def open(self) -> None:
        """Send `loaded` first, then all that happened since its listing was made."""
        self._room.join(self, self._visitor)
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
            "protocol": messages.PROTOCOL,
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
            "readOnly": bool(self._visitor),
            "visitors": room.visitors,
        }

    def send(self, message: str) -> None:
        """Send a broadcast; one that comes before `loaded` waits until that is sent."""
        if self._early is None:
            self._send(message)
        else:
            self._early.append(message)

    def receive_text(self, text: str) -> None:
        """Handle a request. Only requests about the same file or terminal are answered in the order of arrival."""
        if not self._visitor:
            self._room.activity.touch()
        try:
            request = messages.parse_request(text)
            if request.event == CANCEL:
                self._cancel(messages.field(request.data, "request", int))
                return
            event = self._events.get(request.event)
            if event is None:
                raise InvalidRequest(f"There is no event {request.event[:40]}.", hint="See docs/protocol.md.")
            if self._visitor and not event.is_for_visitors:
                raise NoPermissions("You may only look at this REPL.", hint="Its owner can change it.")
            if len(self._tasks) >= MAX_REQUESTS:
                raise Unavailable("Too many requests at once.", hint="Wait for replies.")
        except ReplError as error:
            self._send(messages.build_error(messages.request_id(text), error))
            return
        task = tasks.spawn(self._answer(request, event), request.event)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if event.is_cancellable and request.id is not None:
            self._cancellable[request.id] = task
            task.add_done_callback(lambda done: self._forget(request.id, done))

    def _cancel(self, ident: int) -> None:
        """Cancel a request. One that can't be cancelled, or is done, gets its usual answer."""
        task = self._cancellable.get(ident)
        if task is not None:
            task.cancel()

    def _forget(self, ident: int | None, task: "asyncio.Task[None]") -> None:
        if ident is not None and self._cancellable.get(ident) is task:
            del self._cancellable[ident]
        if task.cancelled():  # before its first step, so `_answer` has sent nothing
            self._send(messages.build_error(ident, _CANCELLED))

    def receive_bytes(self, data: bytes) -> None:
        try:
            self._streams.receive(frames.unpack(data))
        except ReplError as error:
            self._send(messages.build_error(None, error))
        except Exception:
            log.exception("%s: a frame failed", self._room.assignment.ref)
            self._send(messages.build_error(None, _FAILURE))

    def close(self) -> None:
        """Leave the room, and cancel the requests that can be cancelled. The others run to their end, so that a save
        that was sent is done."""
        self._room.leave(self)
        for task in list(self._cancellable.values()):
            task.cancel()
        self._streams.close_all()

    async def _answer(self, request: messages.Request, event: Event) -> None:
        call = Call(lambda data: self._send(messages.build_part(request.id, data)))
        try:
            reply = await answer(self._room, call, request, event)
        except asyncio.CancelledError:
            reply = messages.build_error(request.id, _CANCELLED)
        if request.id is not None or '"error"' in reply:
            self._send(reply)
        for each in call.after_reply:
            each()


async def answer(room: Room, call: Call, request: messages.Request, event: Event) -> str:
    """Handle an event. Returns its reply, or its error, as a message. Raises nothing but CancelledError."""
    try:
        reply = messages.build_reply(request.id, await event.handle(call, request.data))
        if len(reply) > messages.MAX_MESSAGE:  # a text with many characters that JSON escapes
            raise FileTooLarge("The answer is too large for a message.", hint="Read it from file/.")
    except ReplError as error:
        reply = messages.build_error(request.id, error)
    except OSError as error:
        reply = messages.build_error(request.id, from_os_error(error, str(request.data.get("path", ""))[:200]))
    except Exception:
        log.exception("%s: the event %s failed", room.assignment.ref, request.event)
        reply = messages.build_error(request.id, _FAILURE)
    return reply
