"""Background tasks and threads: each has a name and an owner that stops it, and no failure goes unnoticed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from logging import getLogger
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

log = getLogger(__name__)


def spawn(work: Coroutine[Any, Any, Result], name: str, *, lasting: bool = False) -> "asyncio.Task[Result]":
    """Start a task that its owner passes to `stop`, or that ends by itself. Logs its failure. If the task is `lasting`,
    also logs any other end that is not a cancellation."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_tell_the_end if lasting else _tell_failure)
    return task


def awaited(work: Coroutine[Any, Any, Result], name: str) -> "asyncio.Task[Result]":
    """Start a task whose owner awaits it, and so gets its exception."""
    return asyncio.get_running_loop().create_task(work, name=name)


async def stop(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel the tasks, and return when all have ended, with any result. Skips the task that calls this."""
    ours = [task for task in tasks if task is not None and task is not asyncio.current_task()]
    for task in ours:
        task.cancel()
    await asyncio.gather(*ours, return_exceptions=True)


class Tasks:
    """The tasks of one owner that end by themselves. `stop` cancels those that still run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Result], name: str) -> "asyncio.Task[Result]":
        task = spawn(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """Cancel them, and return when they have ended."""
        await stop(*self._tasks)


async def in_thread(call: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
    """Like `asyncio.to_thread`, but never returns before the thread has ended, see `to_the_end`."""
    return await to_the_end(asyncio.to_thread(call, *arguments, **named))


async def to_the_end(work: Awaitable[Result]) -> Result:
    """Await `work` to its end, even if this task is cancelled meanwhile. Raises the CancelledError only after that.

    A thread can't be cancelled. The owner of a descriptor waits here for the thread that uses it: once the descriptor
    is closed, its number may belong to another file.
    """
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()  # retrieved, so that asyncio does not log it: the cancellation is raised instead
        raise


def _tell_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has failed", task.get_name(), exc_info=error)


def _tell_the_end(task: "asyncio.Task[Any]") -> None:
    _tell_failure(task)
    if not task.cancelled() and task.exception() is None:
        log.error("%s has ended, which nobody asked for", task.get_name())
