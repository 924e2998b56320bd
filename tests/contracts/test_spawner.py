"""The Spawner's contract, run on every adapter with real runners."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.kubernetes import World

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.phases import RUNNING
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.port import read_all
from jupyter_repl_spawner.local.spawner import LocalSpawner
from jupyter_repl_spawner.port import Folders, Spawner

REF, OTHER = ProjectRef("", "abc"), ProjectRef("", "abc-pro")
Make = Callable[[], Spawner]


@dataclass(frozen=True)
class Kind:
    """`make` makes spawners that see the same REPLs, as two servers on one store do; `spoil` takes the project REF
    away, and puts it back."""

    make: Make
    spoil: Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(params=["local", "kubernetes"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    yield from _local(tmp_path) if request.param == "local" else _kubernetes(request.getfixturevalue("world"))


@pytest.fixture
def make(kind: Kind) -> Make:
    return kind.make


def _local(tmp_path: Path) -> Iterator[Kind]:
    for ref in (REF, OTHER):
        (tmp_path / "code" / ref.repl_id).mkdir(parents=True)
    runtime = Path(f"/tmp/jrt-contract-{abs(hash(tmp_path)) % 10**8}")

    def folders(ref: ProjectRef) -> Folders:
        return Folders(tmp_path / "code" / ref.repl_id, tmp_path / "trash" / ref.repl_id)

    @asynccontextmanager
    async def spoil() -> AsyncIterator[None]:
        folder = tmp_path / "code" / REF.repl_id
        folder.rmdir()
        yield
        folder.mkdir()

    yield Kind(lambda: LocalSpawner(folders, str(runtime)), spoil)
    shutil.rmtree(runtime, ignore_errors=True)


def _kubernetes(world: World) -> Iterator[Kind]:
    space = world.space()
    asyncio.run(space.make(REF.repl_id, OTHER.repl_id))

    @asynccontextmanager
    async def spoil() -> AsyncIterator[None]:
        store = space.store()
        raw, _ = await read_all(store, REF.meta)
        await store.delete(REF.meta)
        yield
        await store.put(REF.meta, raw)
        store.close()

    yield Kind(space.spawner, spoil)
    space.close()


def check(spawner: Spawner, body: Callable[[Spawner], Awaitable[None]]) -> None:
    async def run() -> None:
        async with spawner:
            await body(spawner)

    asyncio.run(run())


def start(spawner: Spawner, ref: ProjectRef = REF) -> Awaitable[None]:
    return spawner.start(Assignment(ref, "python"), lambda step: None)


def test_start_poll_list_address_stop(make: Make) -> None:
    async def body(spawner: Spawner) -> None:
        assert (await spawner.poll(REF)).name == "stopped"
        assert await spawner.list() == []
        await start(spawner)
        assert await spawner.poll(REF) == RUNNING
        assert await spawner.list() == [REF]
        address = await spawner.address(REF)
        assert address.token not in repr(address)
        await spawner.stop(REF)
        assert (await spawner.poll(REF)).name == "stopped"
        assert await spawner.list() == []

    check(make(), body)


def test_every_verb_may_be_repeated(make: Make) -> None:
    async def body(spawner: Spawner) -> None:
        await spawner.stop(REF)
        await start(spawner)
        address = await spawner.address(REF)
        await start(spawner)
        assert await spawner.address(REF) == address
        await spawner.stop(REF)
        await spawner.stop(REF)

    check(make(), body)


def test_what_does_not_run_has_no_address(make: Make) -> None:
    async def body(spawner: Spawner) -> None:
        with pytest.raises(Unavailable):
            await spawner.address(REF)

    check(make(), body)


def test_names_that_begin_alike_are_kept_apart(make: Make) -> None:
    async def body(spawner: Spawner) -> None:
        await asyncio.gather(start(spawner), start(spawner, OTHER))
        assert await spawner.list() == [REF, OTHER]
        assert await spawner.address(REF) != await spawner.address(OTHER)
        await spawner.stop(REF)
        assert await spawner.list() == [OTHER]

    check(make(), body)


def test_two_servers_attach_to_one_runner(make: Make) -> None:
    async def body(first: Spawner) -> None:
        async with make() as second:
            await asyncio.gather(*(start(spawner) for spawner in (first, second) for _ in range(5)))
            assert await first.address(REF) == await second.address(REF)
            await asyncio.gather(second.stop(REF), first.stop(REF))
            assert await first.list() == await second.list() == []

    check(make(), body)


def test_a_cancelled_start_leaves_nothing(make: Make) -> None:
    async def body(spawner: Spawner) -> None:
        begun = asyncio.Event()
        task = asyncio.ensure_future(spawner.start(Assignment(REF, "python"), lambda step: begun.set()))
        async with asyncio.timeout(10):
            await begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await spawner.poll(REF)).name == "stopped"
        assert await spawner.list() == []
        await start(spawner)
        assert await spawner.poll(REF) == RUNNING

    check(make(), body)


def test_a_start_that_fails_says_why_until_the_next(kind: Kind) -> None:
    async def body(spawner: Spawner) -> None:
        async with kind.spoil():
            with pytest.raises(ReplError, match=r"gone|no project"):
                await start(spawner)
            assert (await spawner.poll(REF)).name in ("stopped", "failed")
        await start(spawner)
        assert await spawner.poll(REF) == RUNNING

    check(kind.make(), body)
