"""One operation per project at a time: what overtakes what, and who waits for whom."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.lifecycle import Lifecycle
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Conflict, FileNotFound, Unavailable
from jupyter_repl_runner.contract.phases import RUNNING, STOPPED, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.directory import DirectoryStore
from jupyter_repl_spawner.port import Address, Leaving, Progress, Spawner, Unsaved

REF = ProjectRef("", "abc")


class Held(Spawner):
    """Stops when it is let go, and notes what it was asked."""

    def __init__(self) -> None:
        self.running, self.asked = False, list[str]()
        self.stopping, self.let_go = asyncio.Event(), asyncio.Event()
        self.unsaved = False

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        self.asked.append("start")
        self.running = True

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        self.asked.append(f"stop, leaving {leaving}")
        self.stopping.set()
        await self.let_go.wait()
        if self.unsaved and leaving is Leaving.NOTHING:
            raise Unsaved("Not everything is saved.", "Stop it again.")
        self.running = False

    async def poll(self, ref: ProjectRef) -> Phase:
        return RUNNING if self.running else STOPPED

    async def list(self) -> list[ProjectRef]:
        return [REF] if self.running else []

    async def forget(self, ref: ProjectRef) -> None:
        self.asked.append("forget")

    async def address(self, ref: ProjectRef) -> Address:
        raise Unavailable("no address")


def check(tmp_path: Path, body: Callable[[Lifecycle, Held, Projects], Awaitable[None]]) -> None:
    async def run() -> None:
        store = DirectoryStore(tmp_path)
        catalog = Catalog(store, lambda program: True)
        await catalog.publish()
        projects, spawner = Projects(store, catalog), Held()
        await projects.create(REF, "python")
        lifecycle = Lifecycle(spawner, projects, 1 << 20)
        try:
            await body(lifecycle, spawner, projects)
        finally:
            await lifecycle.close()

    asyncio.run(run())


async def started(lifecycle: Lifecycle) -> None:
    await lifecycle.start(REF)
    async with asyncio.timeout(5):
        async for _ in lifecycle.events(REF):
            pass


def test_nothing_starts_what_is_being_deleted(tmp_path: Path) -> None:
    async def body(lifecycle: Lifecycle, spawner: Held, projects: Projects) -> None:
        await started(lifecycle)
        deletion = asyncio.ensure_future(lifecycle.delete(REF))
        await spawner.stopping.wait()
        with pytest.raises(Conflict) as caught:
            await lifecycle.start(REF)
        assert caught.value.status == 409
        again = asyncio.ensure_future(lifecycle.delete(REF))
        spawner.let_go.set()
        await asyncio.gather(deletion, again)
        assert spawner.asked == ["start", *["stop, leaving anything"] * 2, "forget"]
        with pytest.raises(FileNotFound):
            await lifecycle.start(REF)

    check(tmp_path, body)


@pytest.mark.parametrize("moment", ["before the record says so", "after"])
def test_what_another_server_starts_is_deleted_too(tmp_path: Path, moment: str) -> None:
    """A start on one server during a deletion on another leaves no REPL without a project."""

    class Late(Held):
        """Lets a deletion come between the record that was read and the start."""

        def __init__(self) -> None:
            super().__init__()
            self.started = asyncio.Event()

        async def start(self, assignment: Assignment, progress: Progress) -> None:
            self.stopping.set()
            await self.let_go.wait()
            await super().start(assignment, progress)
            self.started.set()

    async def body(lifecycle: Lifecycle, spawner: Held, projects: Projects) -> None:
        spawner.let_go.set()
        late = Late()
        other = Lifecycle(late, projects, 1 << 20)
        try:
            await other.start(REF)
            await late.stopping.wait()
            if moment == "after":
                await lifecycle.delete(REF)
            else:
                delete = projects.delete

                async def let_go_first(ref: ProjectRef, stop: Callable[[], Awaitable[None]]) -> None:
                    late.let_go.set()
                    await late.started.wait()
                    spawner.running = True  # what runs is the same for both
                    await delete(ref, stop)  # type: ignore[arg-type]

                projects.delete = let_go_first  # type: ignore[assignment, method-assign]
                await lifecycle.delete(REF)
                late.running = spawner.running
            late.let_go.set()
            async for _ in other.events(REF):
                pass
            assert not late.running
        finally:
            await other.close()

    check(tmp_path, body)


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_deletion_that_is_cut_short_forgets_what_is_here_once_nobody_gets_it_back(
    tmp_path: Path, is_begun: bool
) -> None:
    async def body(lifecycle: Lifecycle, spawner: Held, projects: Projects) -> None:
        spawner.let_go.set()
        begin = projects.delete

        async def away(ref: ProjectRef, stop: Callable[[], Awaitable[None]]) -> None:
            async def fails() -> None:
                raise Unavailable("The store is away.")

            if not is_begun:
                raise Unavailable("The store is away.")
            await begin(ref, fails)

        projects.delete = away  # type: ignore[assignment, method-assign]
        with pytest.raises(Unavailable):
            await lifecycle.delete(REF)
        assert ("forget" in spawner.asked) is is_begun

    check(tmp_path, body)


def test_a_stop_that_is_refused_says_why_and_one_that_may_lose_it_overtakes(tmp_path: Path) -> None:
    async def body(lifecycle: Lifecycle, spawner: Held, projects: Projects) -> None:
        await started(lifecycle)
        spawner.unsaved = True
        spawner.let_go.set()
        with pytest.raises(Unsaved):
            await lifecycle.stop_and_wait(REF)
        assert (await lifecycle.phase(REF)).reason == "Not everything is saved."
        spawner.let_go.clear()
        await lifecycle.stop(REF)
        await spawner.stopping.wait()
        await lifecycle.stop(REF, Leaving.ANYTHING)
        await lifecycle.stop(REF)  # changes nothing: more is allowed already
        spawner.let_go.set()
        await lifecycle.stop_and_wait(REF, Leaving.ANYTHING)
        assert spawner.asked[-1] == "stop, leaving anything"
        assert (await lifecycle.phase(REF)) == STOPPED

    check(tmp_path, body)


def test_a_start_waits_for_those_who_read_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(lifecycle: Lifecycle, spawner: Held, projects: Projects) -> None:
        async with lifecycle.without_runner(REF):
            start = asyncio.ensure_future(lifecycle.start(REF))
            await asyncio.wait({start}, timeout=0.3)
            assert not start.done()
        assert (await start).name == "starting"
        await started(lifecycle)
        spawner.let_go.set()
        await lifecycle.stop_and_wait(REF)
        monkeypatch.setattr("jupyter_repl_ext.repls.lifecycle.READERS_SECONDS", 0.1)
        async with lifecycle.without_runner(REF):
            with pytest.raises(Unavailable):
                await lifecycle.start(REF)

    check(tmp_path, body)
