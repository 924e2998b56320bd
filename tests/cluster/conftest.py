"""A namespace and a bucket's prefix for each test, on a real node."""

from collections.abc import Iterator

import pytest
from support.kubernetes import Space, World


@pytest.fixture
def space(world: World) -> Iterator[Space]:
    space = world.space()
    yield space
    space.close()
