"""Projects on S3: killed at each request of a creation, large templates, and faults of the way."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
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
MAX_REQUESTS = 30
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


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_killed_after_each_request_it_is_finished_by_the_next(minio: S3Server, verb: str) -> None:
    def attempt(fatal: int) -> bool:
        store = minio.store(f"killed-{verb}-{fatal}/")
        try:
            asyncio.run(prepare(store))
            if verb == "delete":
                asyncio.run(make(store).create(REF, "python"))
            code = subprocess.run(
                [sys.executable, __file__, store.settings.endpoint, store.settings.prefix, verb, str(fatal)],
                timeout=60, check=False,
            ).returncode  # fmt: skip
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
                while await keys(store, "code/"):  # the list has begun to finish it; whoever comes next does
                    with suppress(FileNotFound):
                        await projects.get(REF)
                    await asyncio.sleep(0.1)
            await make(store).create(REF, "python")
        else:
            assert await keys(store, "code/") == {"abc/main.py", "abc/a", "abc/d/b", "abc/d/c"}, fatal

    with ThreadPoolExecutor(4) as pool:
        killed = list(pool.map(attempt, range(1, MAX_REQUESTS)))
    assert 6 <= killed.count(True) < len(killed), "the walk did not reach the requests"


def test_a_template_of_5000_objects(store: S3Store) -> None:
    async def check() -> None:
        await prepare(store)
        names = [f"d{n % 50}/f{n}" for n in range(5000)]
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


if __name__ == "__main__":
    _, endpoint, prefix, verb, fatal = sys.argv
    store = S3Store(S3Settings("bucket", prefix, endpoint, path_style=True), CREDENTIALS)
    kill_after(store, int(fatal))
    projects = make(store)
    asyncio.run(projects.create(REF, "python") if verb == "create" else projects.delete(REF))  # type: ignore[arg-type]
    os._exit(0)


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
