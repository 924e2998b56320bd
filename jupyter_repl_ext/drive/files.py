"""The port to a project's files, for the drive. Its adapters are `stored`, for the store, and `live`, for the runner.

Each call of the manager chooses one of them. Paths are relative to the project; errors are ReplErrors.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime

from jupyter_repl_runner.contract.paths import parent


@dataclass(frozen=True)
class Row:
    """`size` in bytes, `mtime` in seconds since the epoch; both are 0 for a folder that is only a prefix."""

    path: str
    is_folder: bool
    size: int = 0
    mtime: float = 0.0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Files(ABC):
    """The files of one project."""

    @abstractmethod
    async def rows(self, folder: str) -> list[Row]:
        """Returns the entries directly in a folder ("" is the root); an empty list if there is no such folder."""

    @abstractmethod
    async def read(self, path: str) -> bytes:
        """Raises FileNotFound, FileTooLarge."""

    @abstractmethod
    async def write(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all; creates missing folders."""

    @abstractmethod
    async def make_folder(self, path: str) -> None:
        """Raises FileExists."""

    @abstractmethod
    async def move(self, path: str, to: str) -> None:
        """Move a file or a whole folder. Raises FileNotFound or FileExists."""

    @abstractmethod
    async def delete(self, path: str) -> None:
        """Move a file or a whole folder to the trash. Raises FileNotFound."""

    async def find(self, path: str) -> Row | None:
        """Returns None if nothing is at `path`. The root always exists."""
        if not path:
            return Row("", is_folder=True)
        return next((row for row in await self.rows(parent(path)) if row.path == path), None)


def when(mtime: float) -> datetime:
    """Returns `mtime` as contents models need it; the epoch if a datetime can't hold it, as after the year 9999."""
    try:
        return datetime.fromtimestamp(int(mtime), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
