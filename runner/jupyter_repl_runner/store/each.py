"""The same for many: a few at a time, in order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def each(items: Iterable[str], call: Callable[[str], Awaitable[object]], at_once: int) -> None:
    """Call for each item, `at_once` at a time; the first failure ends the rest, and is raised."""
    todo = iter(list(items))

    async def work() -> None:
        for item in todo:
            await call(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
