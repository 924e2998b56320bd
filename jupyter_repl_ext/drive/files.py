"""The port of a project's files as the drive needs them: from the store, or by the runner that has them now.

Chosen once per call of the manager. Paths are relative to the project; errors are ReplErrors.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime

from jupyter_repl_runner.contract.paths import parent


@dataclass(frozen=True)
class Row:
    """`size` in bytes, `mtime` in seconds since the epoch; both 0 of a folder that is only a prefix."""

    path: str
    is_folder: bool
    size: int = 0
    mtime: float = 0.0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Files(ABC):
    """Of one project."""

    @abstractmethod
    async def rows(self, folder: str) -> list[Row]:
        """What lies right in a folder, "" for the root; empty where there is no such folder."""

    @abstractmethod
    async def read(self, path: str) -> bytes:
        """Raises FileNotFound, FileTooLarge."""

    @abstractmethod
    async def write(self, path: str, data: bytes) -> None:
        """Whole or not at all; missing folders are made."""

    @abstractmethod
    async def make_folder(self, path: str) -> None:
        """Raises FileExists."""

    @abstractmethod
    async def move(self, path: str, to: str) -> None:
        """A file or a whole folder; raises FileNotFound, FileExists."""

    @abstractmethod
    async def delete(self, path: str) -> None:
        """A file or a whole folder, into the trash. Raises FileNotFound."""

    async def find(self, path: str) -> Row | None:
        """None if there is nothing at `path`. The root is always there."""
        if not path:
            return Row("", is_folder=True)
        return next((row for row in await self.rows(parent(path)) if row.path == path), None)


def when(mtime: float) -> datetime:
    """As models of contents have it; for what is no date of theirs, such as one after the year 9999, the epoch."""
    try:
        return datetime.fromtimestamp(int(mtime), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
