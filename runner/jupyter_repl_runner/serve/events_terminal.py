"""Events about terminals; their bytes travel in binary frames (`viewers`)."""

import asyncio
from collections.abc import Mapping
from typing import Any

from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable
from jupyter_repl_runner.contract.frames import MAX_OFFSET
from jupyter_repl_runner.contract.messages import bounded, field, optional
from jupyter_repl_runner.contract.paths import check_path
from jupyter_repl_runner.terminal.session import Session

from .context import Context, Handler

MAX_ROWS, MAX_COLUMNS = 1000, 2000
MAX_VIEWER_NAME = 64


def size_of(data: Mapping[str, Any]) -> tuple[int, int]:
    return bounded(data, "rows", 1, MAX_ROWS, 24), bounded(data, "cols", 1, MAX_COLUMNS, 80)


async def request_terminal(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    size, text = size_of(data), field(data, "text", bool, False)
    name, number = optional(data, "viewer", str), optional(data, "terminal", int)
    start = None if data.get("from") is None else bounded(data, "from", 0, MAX_OFFSET)
    if name is not None and not 0 < len(name) <= MAX_VIEWER_NAME:
        raise InvalidRequest("The name of the viewer is empty or too long.", hint=f"At most {MAX_VIEWER_NAME}.")
    terminals = context.room.terminals
    session = await _open(context, size, data) if number is None else terminals.get(number)
    try:
        viewer, reply = context.viewers.attach(session, name, size, start, text)
    except Unavailable:
        if number is None:
            terminals.close(session.number)  # nobody will ever know of it
        raise
    context.after_reply.append(lambda: session.show(viewer))
    return reply


async def _open(context: Context, size: tuple[int, int], data: Mapping[str, Any]) -> Session:
    """Open one in `folder` of the project, or where the program in terminal `beside` is now, which may be outside."""
    beneath, terminals = context.room.beneath, context.room.terminals
    beside = optional(data, "beside", int)
    if beside is not None:
        session = terminals.get(beside)
        return await terminals.open(size, folder=await asyncio.to_thread(lambda: session.folder))
    folder = check_path(data.get("folder", ""), root_allowed=True)
    with beneath.folder(folder):
        pass  # raises where it is none of the project's
    return await terminals.open(size, folder=beneath.root / folder)


async def terminal_data(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    session, viewer = context.viewers.get(field(data, "terminal", int))
    session.type(viewer, None, field(data, "data", str).encode("utf-8", "replace"))
    return {}


async def resize_terminal(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    session, viewer = context.viewers.get(field(data, "terminal", int))
    session.resize(viewer, size_of(data))
    return {}


async def clear_terminal(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    session, _ = context.viewers.get(field(data, "terminal", int))
    session.clear()
    return {}


async def close_terminal(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    number = field(data, "terminal", int)
    context.viewers.detach(number)
    context.room.terminals.close(number)
    return {}


EVENTS: dict[str, Handler] = {
    "requestTerminal": request_terminal,
    "terminalData": terminal_data,
    "resizeTerminal": resize_terminal,
    "clearTerminal": clear_terminal,
    "closeTerminal": close_terminal,
}
