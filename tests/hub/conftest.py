"""Users of the hub on this machine."""

import pytest
from support.hub import Browser, Hub


@pytest.fixture(scope="session")
def adam(hub: Hub) -> Browser:
    return Browser(hub.url, "adam").login()


@pytest.fixture(scope="session")
def berta(hub: Hub) -> Browser:
    return Browser(hub.url, "berta").login()
