"""A real API server for the tests of a module."""

from collections.abc import Iterator

import pytest
from support.api_server import ApiServer


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path_factory.mktemp("cluster") / "state").start()
    yield server
    server.stop()
