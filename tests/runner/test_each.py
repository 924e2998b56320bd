"""Several calls at once."""

import asyncio

import pytest

from jupyter_repl_runner.store.each import each, together


async def fail() -> None:
    raise OSError("no")


def test_the_first_failure_ends_the_rest_and_nothing_of_it_stays() -> None:
    ended = []

    async def slow() -> None:
        try:
            await asyncio.Event().wait()  # for ever
        finally:
            ended.append(True)

    async def body() -> None:
        task = asyncio.current_task()
        assert task is not None
        for _ in range(3):
            with pytest.raises(OSError, match="no"):
                await together(slow(), fail())
            assert task.cancelling() == 0  # else no timeout works with Debian 12's Python
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()  # for ever

    asyncio.run(body())
    assert ended == [True] * 3


def test_a_cancelled_caller_ends_them_all() -> None:
    begun, ended = asyncio.Event(), []

    async def slow(_: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()  # for ever
        finally:
            ended.append(True)

    async def body() -> None:
        task = asyncio.create_task(each("abcd", slow, 3))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(body())
    assert len(ended) == 3
