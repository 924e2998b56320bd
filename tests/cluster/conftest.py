"""For each test a namespace on a real node, and a prefix of a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kubernetes import Space, World
from support.node_hub import NodeHub, installed
from support.pod_lab import PodLab


@pytest.fixture
def space(world: World) -> Iterator[Space]:
    space = world.space()
    yield space
    space.close()


@pytest.fixture
def lab(space: Space, tmp_path: Path) -> Iterator[PodLab]:
    server = PodLab(tmp_path / "home", space).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def node_hub(world: World) -> Iterator[NodeHub]:
    """A hub with the service, for all modules that need it: they run in one worker, see support/scheduling.py."""
    with installed(world) as hub:
        yield hub
