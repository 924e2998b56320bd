"""Projects on S3: killed at each request of a creation, large templates, and faults of the way."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

sys.path.append(os.path.join(os.path.dirname(__file__), ".."))  # as a program of its own it finds `support` there
from support.s3 import CREDENTIALS, S3Server

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_runner.contract.errors import FileExists, FileNotFound
from jupyter_repl_runner.contract.grant import S3Settings
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.each import each
from jupyter_repl_runner.store.s3 import S3Store

REF = ProjectRef("", "abc")
KILLED = -signal.SIGKILL
AT_ONCE = 4
LARGE = int(os.environ.get("REPL_TEST_LARGE", 1200))
"""Objects of a large template: a listing's page has 1000."""
pytestmark = pytest.mark.timeout(400)


def make(store: S3Store) -> Projects:
    return Projects(store, Catalog(store, lambda program: True))


def kill_after(store: S3Store, fatal: int) -> None:
    """SIGKILL to this process once the `fatal`-th request to S3 was answered."""
    ask, left = store._ask, fatal

    async def killing(verb: str, key: str | None, **request: Any) -> Any:
        nonlocal left
        answer = await ask(verb, key, **request)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    store._ask = killing  # type: ignore[method-assign]


@pytest.fixture
def store(minio: S3Server) -> Iterator[S3Store]:
    store = minio.store()
    yield store
    store.close()


async def prepare(store: S3Store) -> None:
    await Catalog(store, lambda program: True).publish()
    for name in ("a", "d/b", "d/c"):
        await store.put(f"base/python/{name}", name.encode())


async def keys(store: S3Store, prefix: str) -> set[str]:
    return {entry.key.removeprefix(prefix) async for entry in store.list(prefix)}


@pytest.fixture(scope="module")
def victims() -> Iterator[Callable[..., int]]:
    """Runs what is to be killed in a process of its own, forked from one that has loaded everything: the exit code."""
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin
        assert parent.stdout
        asking = threading.Lock()

        def run(*arguments: str) -> int:
            with asking:
                print(*arguments, file=parent.stdin, flush=True)
                return int(parent.stdout.readline())

        yield run
        parent.stdin.close()


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_killed_after_each_request_it_is_finished_by_the_next(
    minio: S3Server, victims: Callable[..., int], verb: str
) -> None:
    def attempt(fatal: int) -> bool:
        store = minio.store(f"killed-{verb}-{fatal}/")
        try:
            asyncio.run(prepare(store))
            if verb == "delete":
                asyncio.run(make(store).create(REF, "python"))
            code = victims(store.settings.endpoint, store.settings.prefix, verb, str(fatal))
            assert code in (0, KILLED)
            if code == KILLED:
                asyncio.run(check(store, fatal))
            return bool(code == KILLED)
        finally:
            store.close()

    async def check(store: S3Store, fatal: int) -> None:
        projects, left = make(store), []
        await projects.list("")  # which waits for nobody
        with suppress(FileNotFound):
            left = [(await projects.get(REF)).ref]
        if verb == "create":
            assert left in ([], [REF]), fatal
            if not left:
                await make(store).create(REF, "python")
            assert await keys(store, "code/") == {"abc/main.py", "abc/a", "abc/d/b", "abc/d/c"}, fatal
            with pytest.raises(FileExists):
                await make(store).create(REF, "python")
        elif not left:
            async with asyncio.timeout(40):
                while await keys(store, "code/"):  # the list has begun to finish it; the next caller does
                    with suppress(FileNotFound):
                        await projects.get(REF)
                    await asyncio.sleep(0.1)
            await make(store).create(REF, "python")
        else:
            assert await keys(store, "code/") == {"abc/main.py", "abc/a", "abc/d/b", "abc/d/c"}, fatal

    killed, fatal = [], 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while all(killed):  # as long as there is a request to be killed after
            killed += pool.map(attempt, range(fatal, fatal + AT_ONCE))
            fatal += AT_ONCE
    assert killed.count(True) >= 6, "the walk did not reach the requests"


def test_a_template_of_many_objects(store: S3Store) -> None:
    async def check() -> None:
        await prepare(store)
        names = [f"d{n % 50}/f{n}" for n in range(LARGE)]
        await each(names, lambda name: store.put(f"base/large/{name}", b"x"), 16)
        await make(store).create(REF, "large")
        assert await keys(store, "code/abc/") == set(names)

    asyncio.run(check())


def test_of_many_creations_one_wins_and_no_neighbour_is_touched(store: S3Store) -> None:
    async def check() -> None:
        await prepare(store)
        longer = ProjectRef("", "abc-pro")
        await make(store).create(longer, "python")
        done = await asyncio.gather(*(make(store).create(REF, "python") for _ in range(6)), return_exceptions=True)
        assert sum(not isinstance(each, FileExists) for each in done) == 1, done
        await make(store).delete(REF)
        assert await keys(store, longer.code()) == {"main.py", "a", "d/b", "d/c"}
        assert await keys(store, "meta/") == {"abc-pro.json"}

    asyncio.run(check())


def carry_out(endpoint: str, prefix: str, verb: str, fatal: str) -> None:
    """Killed by itself on the way, if it has so many requests."""
    store = S3Store(S3Settings("bucket", prefix, endpoint, path_style=True), CREDENTIALS)
    kill_after(store, int(fatal))
    projects = make(store)
    asyncio.run(projects.create(REF, "python") if verb == "create" else projects.delete(REF))  # type: ignore[arg-type]


if __name__ == "__main__":
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            carry_out(*line.split())
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def test_a_list_reads_only_what_has_changed(store: S3Store) -> None:
    asyncio.run(_list_twice(store))


async def _list_twice(store: S3Store) -> None:
    await prepare(store)
    projects, others = make(store), make(store)
    for name in ("a", "b", "c"):
        await projects.create(ProjectRef("", name), "python")
    ask, asked = store._ask, list[str]()

    async def noting(verb: str, key: str | None, **request: Any) -> Any:
        asked.append(f"{verb} {key or ''}".strip())
        return await ask(verb, key, **request)

    store._ask = noting  # type: ignore[method-assign]
    first = await projects.list("")
    asked.clear()
    assert await projects.list("") == first
    assert asked == ["list_objects_v2"]
    await others.rename(ProjectRef("", "b"), "Another title")
    await others.delete(ProjectRef("", "c"))
    asked.clear()
    assert {each.ref.repl_id: each.record.title for each in await projects.list("")} == {"a": "a", "b": "Another title"}
    assert len(asked) == 2
