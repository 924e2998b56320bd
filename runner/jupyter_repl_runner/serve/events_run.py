"""Events about runs. The console of a run is a terminal."""

from collections.abc import Mapping
from typing import Any

from jupyter_repl_runner.contract.messages import field, optional

from .context import Context, Handler
from .events_terminal import size_of


async def run(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    started = await context.hub.program.start(optional(data, "path", str), size_of(data))
    context.hub.broadcast("runStarted", started.to_json())
    return started.to_json()


async def stop_run(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    context.hub.program.stop(field(data, "run", int))
    return {}


EVENTS: dict[str, Handler] = {"run": run, "stopRun": stop_run}
