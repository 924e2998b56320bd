"""A real JupyterHub, the shared service and its users, on this machine."""

from collections.abc import Iterator

import pytest
from support.hub import Browser, Hub, Service


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    started = Hub(tmp_path_factory.mktemp("hub")).start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def service(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("service") / "home", hub)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def anna(hub: Hub) -> Browser:
    return Browser(hub, "anna").login()


@pytest.fixture(scope="session")
def bert(hub: Hub) -> Browser:
    return Browser(hub, "bert").login()
