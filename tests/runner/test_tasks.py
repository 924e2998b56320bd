"""Background tasks are heard and stopped; a transfer that is cancelled is whole or nothing."""

import asyncio
import logging
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.lab import elapse

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.files import content, writing
from jupyter_repl_runner.files.containment import Beneath
from jupyter_repl_runner.store.checkout import fetch
from jupyter_repl_runner.store.directory import DirectoryStore

CANCELS = int(os.environ.get("REPL_TEST_CANCELS", "1000"))
AT_ONCE = 8
CHUNKS, CHUNK = 4, 4096
LONGEST_PAUSE = 0.01


async def fails() -> None:
    raise ValueError("broken")


async def ends() -> None:
    return


@pytest.mark.parametrize(
    ("work", "lasting", "said"),
    [(fails, False, "a name has failed"), (ends, True, "a name has ended, which nobody asked for"), (ends, False, "")],
)
def test_no_end_goes_unheard(
    caplog: pytest.LogCaptureFixture, work: Callable[[], Any], lasting: bool, said: str
) -> None:
    async def run() -> None:
        task = tasks.spawn(work(), "a name", lasting=lasting)
        await asyncio.wait({task})
        await tasks.stop(task, None)

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert [record.message for record in caplog.records] == ([said] if said else [])


def test_who_is_stopped_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        cleared, begun = [], asyncio.Semaphore(0)

        async def lasts() -> None:
            begun.release()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.to_thread(time.monotonic)
                cleared.append(True)

        owner = tasks.Tasks()
        owner.spawn(lasts(), "one")
        lasting = tasks.spawn(lasts(), "two", lasting=True)
        await begun.acquire()
        await begun.acquire()
        await owner.stop()
        await tasks.stop(lasting)
        assert cleared == [True, True]

    asyncio.run(run())
    assert not caplog.records


def test_who_is_cancelled_waits_for_its_thread() -> None:
    async def run() -> None:
        begun, go, done = threading.Event(), threading.Event(), []

        def work() -> None:
            begun.set()
            go.wait(5)
            done.append(True)

        task = asyncio.ensure_future(tasks.in_thread(work))
        await asyncio.to_thread(begun.wait, 5)
        for _ in range(3):  # however often
            task.cancel()
            await asyncio.wait({task}, timeout=0.01)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done

    asyncio.run(run())


def bytes_of(name: str) -> bytes:
    return (name.encode() * CHUNK)[: CHUNK * CHUNKS]


async def transfer(store: DirectoryStore, beneath: Beneath, name: str) -> None:
    """Up into the store and down into the folder."""

    async def body() -> AsyncIterator[bytes]:
        data = bytes_of(name)
        for start in range(0, len(data), CHUNK):
            yield data[start : start + CHUNK]

    await store.put(name, body())
    await fetch(store, name, beneath, name)


def test_a_cancelled_transfer_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor stays open, and no file ever holds a byte of another's."""
    seed = int(os.environ.get("REPL_TEST_SEED", time.time_ns() % 1_000_000))
    print(f"REPL_TEST_SEED={seed}")
    chance = random.Random(seed)
    write = writing.Writer.write

    def slow(self: writing.Writer, data: bytes) -> None:
        elapse(chance.uniform(0, LONGEST_PAUSE))  # a slow disk, in the thread that writes
        write(self, data)

    monkeypatch.setattr(writing.Writer, "write", slow)
    places = [tmp_path / "store", tmp_path / "volume"]
    store, beneath = DirectoryStore(places[0]), Beneath(places[1])
    places[1].mkdir()

    async def cancelled(number: int, turn: asyncio.Semaphore) -> None:
        async with turn:
            task = asyncio.ensure_future(transfer(store, beneath, f"{number:05}"))
            await asyncio.wait({task}, timeout=chance.uniform(0, LONGEST_PAUSE * CHUNKS))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run() -> None:
        turn = asyncio.Semaphore(AT_ONCE)
        await transfer(store, beneath, "first")
        before = set(os.listdir("/proc/self/fd"))
        await asyncio.gather(*(cancelled(number, turn) for number in range(CANCELS)))
        assert len(os.listdir("/proc/self/fd")) <= len(before)

    asyncio.run(run())
    found = [path for place in places for path in place.iterdir() if path.is_file()]
    assert 2 < len(found) < 2 * CANCELS, "some were cancelled and some were not"
    for path in found:
        assert path.read_bytes() == bytes_of(path.name), path


def test_an_error_in_the_thread_is_raised_as_it_is(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(ReplError):
            await tasks.in_thread(content.stat, Beneath(tmp_path), "none")

    asyncio.run(run())
