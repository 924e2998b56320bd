"""Users of the hub on this machine."""

import pytest
from support.hub import Browser, Hub


@pytest.fixture(scope="session")
def anna(hub: Hub) -> Browser:
    return Browser(hub.url, "anna").login()


@pytest.fixture(scope="session")
def bert(hub: Hub) -> Browser:
    return Browser(hub.url, "bert").login()
