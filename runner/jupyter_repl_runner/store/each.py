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
    """Their results, in the same order.

    Not by a TaskGroup: before Python 3.13 one whose child has failed can leave its task marked as cancelled, and with
    Debian 12's 3.11.2 no timeout in that task works any more.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
