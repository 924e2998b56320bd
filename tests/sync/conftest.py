"""A store with a prefix of its own on a real server, and syncs that end with their test."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.faults import FaultyProxy
from support.s3 import CREDENTIALS, S3Server
from support.syncing import Sync

from jupyter_repl_runner.store.s3 import S3Store


@pytest.fixture
def store(minio: S3Server) -> Iterator[S3Store]:
    store = minio.store()
    yield store
    store.close()


@pytest.fixture
def make(tmp_path: Path, store: S3Store) -> Iterator[Callable[..., Sync]]:
    """`make(name, **options)`: a sync with a folder of that name, not started yet."""
    made: list[Sync] = []

    def make(name: str = "a", **options: object) -> Sync:
        made.append(Sync(tmp_path / name, options.pop("store", store), **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sync in made:
        sync.kill()


@pytest.fixture
def proxy(minio: S3Server) -> Iterator[FaultyProxy]:
    proxy = FaultyProxy(minio.port)
    yield proxy
    proxy.close()


@pytest.fixture
def faulty(store: S3Store, proxy: FaultyProxy) -> Iterator[S3Store]:
    """The same place by way of the proxy."""
    faulty = S3Store(replace(store.settings, endpoint=proxy.endpoint), CREDENTIALS)
    yield faulty
    faulty.close()
