"""Fixtures for all tests: a server for each test, and checks that no process is left behind."""

import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support import failures, scheduling, times
from support import lab as labs
from support import node as nodes
from support.channel import Client
from support.forked import Forks
from support.hub import Hub, Service
from support.kubernetes import World
from support.lab import Lab
from support.node import Node
from support.pod_lab import in_pods
from support.processes import repl_processes
from support.s3 import SERVERS, S3Server

IN_PODS = ("test_channel", "test_runs", "test_flow", "test_screens")
BROWSER = Path(__file__).parent / "browser"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    return scheduling.worker_count(config)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> scheduling.Scheduling:
    return scheduling.Scheduling(config, log)


def pytest_configure_node(node: Any) -> None:
    """Tell each worker the process of its run, because the node that the workers share stops with that."""
    node.workerinput["run"] = os.getpid()


def pytest_configure() -> None:
    if hasattr(os, "pidfd_open"):
        labs.forks = Forks()


def pytest_unconfigure(config: pytest.Config) -> None:
    if labs.forks is not None:
        labs.forks.close()
    if not hasattr(config, "workerinput"):
        nodes.down_if_owned(os.getpid())


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    begun, busy = time.monotonic(), times.busy()
    result = yield
    if (place := os.environ.get("REPL_TEST_TIMES")) and not hasattr(session.config, "workerinput"):
        times.record(Path(place), times.WHOLE, time.monotonic() - begun, times.busy() - busy)
    return result


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")
def pytest_mark_and_shuffle(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Runs before pytest deselects items (also by marks), and before it groups items that share a module's fixtures."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if "world" in getattr(item, "fixturenames", ()) or re.search(r"[\[-](kubernetes|pod)\b", item.nodeid):
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.node)
    config.stash[scheduling.COLLECTED] = list(items)
    if seed := os.environ.get("REPL_TEST_SHUFFLE"):
        random.Random(seed).shuffle(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    scheduling.arrange(config, items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    place = os.environ.get("REPL_TEST_TIMES")
    with times.measured(item.nodeid, Path(place)) if place else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    if report.failed:
        report.sections.append(("kept files", failures.keep(item, call.start, report.longreprtext)))
    return report


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lab(home: Path) -> Iterator[Lab]:
    """A server. At the end this asserts that it has stopped all processes of its REPLs."""
    server = Lab(home).start()
    yield server
    server.stop()
    left = repl_processes(server)
    shutil.rmtree(server.runtime_dir, ignore_errors=True)
    assert not left, f"processes were left behind: {left}"


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    yield
    while Client.opened:
        Client.opened.pop().close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of channels and terminals with local runners and with pods: both must behave the same."""
    is_for_pods = metafunc.module.__name__.rpartition(".")[2] in IN_PODS
    if is_for_pods and "shared_lab" in metafunc.fixturenames:
        metafunc.parametrize("shared_lab", ["local", "pod"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def shared_lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server for all tests of a module that don't kill it. Modules in IN_PODS run once with local runners and once
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
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    """A real Kubernetes: the cluster that REPL_TEST_KUBECONFIG names, else the node of `make cluster-up`, else a node
    that all workers of this run share."""
    if reason := nodes.missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    workerinput = getattr(request.config, "workerinput", {})
    with nodes.shared(run=workerinput.get("run", os.getpid())).proxied() as node:
        yield node


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


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A JupyterHub, whose users are made by their first login."""
    started = Hub(tmp_path_factory.mktemp("hub")).start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def service(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The shared service of that hub."""
    started = Service(tmp_path_factory.mktemp("service") / "home", hub).start()
    yield started
    started.stop()
