"""A namespace and a bucket's prefix for each test, on a real node."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kubernetes import Space, World
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
