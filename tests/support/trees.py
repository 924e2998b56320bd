"""Folders as people do not make them, and programs do."""

import os
from pathlib import Path


def make_deep(folder: Path, name: str, levels: int) -> None:
    """Folders in each other, also where their path is longer than the system takes at once."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=descriptor)
        inner = os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
