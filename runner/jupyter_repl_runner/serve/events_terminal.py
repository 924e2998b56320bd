"""Events about terminals; their bytes travel in streams (`terminal_stream`)."""

import asyncio
import secrets
from typing import Any

from jupyter_repl_runner.contract.errors import FileNotFound, InvalidRequest, NoPermissions, Unavailable
from jupyter_repl_runner.contract.frames import MAX_OFFSET
from jupyter_repl_runner.contract.messages import bounded, field, optional
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.terminal.session import Session

from .call import Call, Data, Event
from .room import Room
from .streams import Streams, Transport
from .terminal_stream import BinarySink, TerminalStream, TextSink

MAX_ROWS, MAX_COLUMNS = 1000, 2000
MAX_VIEWER_NAME = 64


def size_of(data: Data) -> tuple[int, int]:
    return bounded(data, "rows", 1, MAX_ROWS, 24), bounded(data, "cols", 1, MAX_COLUMNS, 80)


class TerminalEvents:
    def __init__(self, room: Room, streams: Streams, transport: Transport) -> None:
        self._room = room
        self._streams = streams
        self._transport = transport
        self._default_name = secrets.token_hex(8)
        self.events = {
            "requestTerminal": Event(self.request, is_for_visitors=True),
            "terminalData": Event(self.type),
            "resizeTerminal": Event(self.resize),
            "clearTerminal": Event(self.clear),
            "closeTerminal": Event(self.close),
        }

    async def request(self, call: Call, data: Data) -> dict[str, Any]:
        size, number = size_of(data), optional(data, "terminal", int)
        name, start, is_text = _viewer_of(data)
        terminals, is_visitor = self._room.terminals, self._streams.is_read_only
        if number is None and is_visitor:
            raise NoPermissions("You may only look at this REPL.", hint="Its terminals are in `loaded`.")
        session = await self._open(size, data) if number is None else terminals.get(number)
        try:
            self._streams.check_open()  # the connection may have gone while a shell was opened for it
        except Unavailable:
            if number is None:
                terminals.close(session.number)  # no client will ever know its number
            raise
        self._streams.close(session.number)
        sink = TextSink(self._transport) if is_text else BinarySink(self._transport)
        viewer, reply = session.attach(name or self._default_name, sink, size, start, is_visitor=is_visitor)
        if isinstance(sink, TextSink):
            sink.flushed = lambda offset: session.acknowledge(viewer, offset)
        self._streams.add(session.number, TerminalStream(session, viewer))
        call.after_reply.append(lambda: session.show(viewer))
        return reply

    async def _open(self, size: tuple[int, int], data: Data) -> Session:
        """Open a terminal in `folder` of the project, or in the working directory of the program in terminal `beside`,
        which may be outside the project."""
        beneath, terminals = self._room.beneath, self._room.terminals
        beside = optional(data, "beside", int)
        if beside is not None:
            session = terminals.get(beside)
            return await terminals.open(size, folder=await asyncio.to_thread(lambda: session.folder))
        folder = check_path(data.get("folder", ""), root_allowed=True)
        with beneath.folder(folder):
            pass  # raises if it is not a folder of the project
        return await terminals.open(size, folder=beneath.root / folder)

    async def type(self, call: Call, data: Data) -> dict[str, Any]:
        terminal = self._terminal(data)
        terminal.session.type(terminal.viewer, None, field(data, "data", str).encode("utf-8", "replace"))
        return {}

    async def resize(self, call: Call, data: Data) -> dict[str, Any]:
        terminal = self._terminal(data)
        terminal.session.resize(terminal.viewer, size_of(data))
        return {}

    async def clear(self, call: Call, data: Data) -> dict[str, Any]:
        self._terminal(data).session.clear()
        return {}

    async def close(self, call: Call, data: Data) -> dict[str, Any]:
        number = field(data, "terminal", int)
        self._streams.close(number)
        self._room.terminals.close(number)
        return {}

    def _terminal(self, data: Data) -> TerminalStream:
        """Raises FileNotFound if this client is not at that terminal."""
        number = field(data, "terminal", int)
        stream = self._streams.get(number)
        if not isinstance(stream, TerminalStream):
            raise FileNotFound(f"There is no terminal {number}.", hint="Open a new one.")
        return stream


def _viewer_of(data: Data) -> tuple[str | None, int | None, bool]:
    """Returns the viewer's name, the offset of the first output that it wants, and True if it wants text."""
    name, is_text = optional(data, "viewer", str), field(data, "text", bool, False)
    start = None if data.get("from") is None else bounded(data, "from", 0, MAX_OFFSET)
    if name is not None and not 0 < len(name) <= MAX_VIEWER_NAME:
        raise InvalidRequest("The name of the viewer is empty or too long.", hint=f"At most {MAX_VIEWER_NAME}.")
    return name, start, is_text
