"""A store with a prefix of its own on a real server, and syncs that end with their test.

Each test runs with a sync that is a process of this machine, and with one in a pod of a real node: the `place`. A test
that is possible only with a process is marked `process`; a test of what only a pod does is marked `pods`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults import FaultyProxy
from support.kubernetes import Space
from support.s3 import CREDENTIALS, S3Server
from support.syncing import Sync
from support.syncing_pod import PodSync

from jupyter_repl_runner.store.s3 import S3Store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        is_marked = metafunc.definition.get_closest_marker
        places = ["process"] if is_marked("process") else ["pod"] if is_marked("pods") else ["process", "pod"]
        metafunc.parametrize("place", places)


@pytest.fixture(scope="package")
def space(request: pytest.FixtureRequest) -> Iterator[Space]:
    """A namespace for the pods of all tests in this folder."""
    space = request.getfixturevalue("world").space()
    yield space
    space.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, place: str) -> S3Server:
    """An S3 server that the place can reach."""
    server: S3Server = request.getfixturevalue("world").s3 if place == "pod" else request.getfixturevalue("minio")
    return server


@pytest.fixture
def store(server: S3Server) -> Iterator[S3Store]:
    store = server.store()
    yield store
    store.close()


@pytest.fixture
def make(request: pytest.FixtureRequest, place: str, tmp_path: Path, store: S3Store) -> Iterator[Callable[..., Sync]]:
    """`make(name, **options)` returns a sync with a folder of that name, not started yet."""
    made: list[Sync] = []

    def make(name: str = "a", **options: object) -> Sync:
        folder, store_of_it = tmp_path / name, options.pop("store", store)
        if place == "pod":
            made.append(PodSync(folder, store_of_it, request.getfixturevalue("space"), **options))  # type: ignore[arg-type]
        else:
            made.append(Sync(folder, store_of_it, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sync in made:
        sync.kill()


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(server.port, host=server.host)
    yield proxy
    proxy.close()


@pytest.fixture
def faulty(store: S3Store, proxy: FaultyProxy) -> Iterator[S3Store]:
    """The same store through the faulty proxy."""
    faulty = S3Store(replace(store.settings, endpoint=proxy.endpoint), CREDENTIALS)
    yield faulty
    faulty.close()
