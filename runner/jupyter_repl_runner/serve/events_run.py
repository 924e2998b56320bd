"""Events about runs. The console of a run is a terminal."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jupyter_repl_runner.contract.messages import field, optional
from jupyter_repl_runner.contract.settings import KEYS, check_settings

from .context import Context, Handler
from .events_terminal import size_of

MAX_PROBLEMS = 50


async def run(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    started = await context.room.program.start(optional(data, "path", str), size_of(data))
    context.room.broadcast("runStarted", started.to_json())
    return started.to_json()


async def stop_run(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    context.room.program.stop(field(data, "run", int))
    return {}


async def check(context: Context, data: Mapping[str, Any]) -> dict[str, Any]:
    problems = check_settings(field(data, "content", str))
    return {
        "problems": [asdict(problem) for problem in problems[:MAX_PROBLEMS]],
        "keys": [{"name": name, "help": text} for name, text in KEYS.items()],
    }


EVENTS: dict[str, Handler] = {"run": run, "stopRun": stop_run, "checkSettings": check}
