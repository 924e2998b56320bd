"""Fixtures for all: a server of one's own, and what must never be left behind."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.channel import Client
from support.lab import Lab
from support.processes import repl_processes
from support.s3 import SERVERS, S3Server

BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: they take longest, and Playwright keeps an event loop in this thread."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: BROWSER in item.path.parents)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    """A server, and at the end the proof that it took everything with it."""
    server = Lab(home).start()
    yield server
    server.stop()
    left = repl_processes(server)
    shutil.rmtree(server.runtime_dir, ignore_errors=True)
    assert not left, f"processes were left: {left}"


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while Client.opened:
        Client.opened.pop().close()


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server for all tests of a module that don't kill it."""
    server = Lab(tmp_path_factory.mktemp("shared") / "home").start()
    yield server
    server.stop()
    shutil.rmtree(server.runtime_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A MinIO for all tests that don't kill it; each test has a prefix of its own."""
    yield from _served(SERVERS["minio"], tmp_path_factory)


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _served(SERVERS["versitygw"], tmp_path_factory)


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _served(SERVERS["rclone"], tmp_path_factory)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _served(SERVERS["moto"], tmp_path_factory)


def _served(kind: type[S3Server], factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = kind(factory.mktemp(kind.name) / "data").start()
    yield server
    server.stop()
