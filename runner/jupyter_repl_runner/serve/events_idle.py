"""Idle REPLs: the server warns before it stops one, and a person who is there keeps it."""

from collections.abc import Mapping
from typing import Any

from jupyter_repl_runner.contract.messages import bounded, optional

from .context import Context, Handler

MAX_SECONDS = 86_400


async def keep(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    """That it was asked is what keeps it: a request is use."""
    return {}


async def tell_idle(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    """The server's: warn every tab that it stops in `seconds` (0: not after all), or is `asleep` from now on."""
    seconds = bounded(data, "seconds", 0, MAX_SECONDS, 0)
    context.room.broadcast("idle", {"seconds": seconds, "asleep": bool(optional(data, "asleep", bool))})
    return {}


EVENTS: dict[str, Handler] = {"keep": keep}
SERVER_EVENTS: dict[str, Handler] = {"idle": tell_idle}
"""No use, and no business of a tab's."""
