"""Concurrent calls: the first failure cancels the other calls, and is raised as it is, not in an ExceptionGroup."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any


async def each(items: Iterable[str], call: Callable[[str], Awaitable[object]], at_once: int) -> None:
    """Await `call(item)` for each item, begun in order, at most `at_once` at a time."""
    todo = iter(list(items))

    async def work() -> None:
        for item in todo:
            await call(item)

    await together(*(work() for _ in range(at_once)))


async def together(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run the calls concurrently, and return their results in the same order.

    This is not a TaskGroup: before Python 3.13, a TaskGroup with a failed child can leave its parent task marked as
    cancelled. With Debian 12's Python 3.11.2, no timeout in that task works afterwards.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
