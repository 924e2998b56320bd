"""Makes folders that only programs make, not people."""

import os
from pathlib import Path


def make_deep(folder: Path, name: str, levels: int) -> None:
    """Make nested folders, even if their path is longer than the system accepts in one call."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
