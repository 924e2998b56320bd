"""Several calls at once: the first failure ends the rest, and is raised as it is."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any


async def each(items: Iterable[str], call: Callable[[str], Awaitable[object]], at_once: int) -> None:
    """Call for each item, in order, `at_once` at a time."""
    todo = iter(list(items))

    async def work() -> None:
        for item in todo:
            await call(item)

    await together(*(work() for _ in range(at_once)))


async def together(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Their results, in the same order."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
