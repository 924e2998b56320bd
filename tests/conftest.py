"""Fixtures for all: a server of one's own, and what must never be left behind."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import node as nodes
from support.channel import Client
from support.kubernetes import World
from support.lab import Lab
from support.node import Node
from support.pod_lab import in_pods
from support.processes import repl_processes
from support.s3 import SERVERS, S3Server

IN_PODS = ("test_channel", "test_runs", "test_flow", "test_screens")
BROWSER = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come last: they take longest, and Playwright keeps an event loop in this thread."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if "world" in getattr(item, "fixturenames", ()) or re.search(r"[\[-](kubernetes|pod)\b", item.nodeid):
            item.add_marker(pytest.mark.cluster)
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What a channel and terminals do is the same wherever the runner is."""
    is_for_pods = metafunc.module.__name__.rpartition(".")[2] in IN_PODS
    if is_for_pods and "shared_lab" in metafunc.fixturenames:
        metafunc.parametrize("shared_lab", ["local", "pod"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def shared_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server for all tests of a module that don't kill it. For those of IN_PODS once with local runners and once
    with pods."""
    if getattr(request, "param", "local") == "pod":
        with in_pods(request.getfixturevalue("world"), tmp_path_factory.mktemp("shared") / "home") as pods:
            yield pods
        return
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


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A real Kubernetes: the one that was named or kept, else one for this session."""
    if reason := nodes.missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    if (nodes.KEPT / "admin.kubeconfig").exists():
        yield Node(nodes.KEPT / "admin.kubeconfig", nodes.IMAGE, nodes.KEPT)
        return
    made = nodes.up(tmp_path_factory.mktemp("node") / "state")
    yield made
    if made.state is not None:
        nodes.down(made.state)


@pytest.fixture(scope="session")
def world(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The node, with a MinIO that its pods can reach."""
    server = SERVERS["minio"](tmp_path_factory.mktemp("world") / "data", host=nodes.HOST).start()
    yield World(node, server, tmp_path_factory.mktemp("keys") / "key")
    server.stop()


def _served(kind: type[S3Server], factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = kind(factory.mktemp(kind.name) / "data").start()
    yield server
    server.stop()
