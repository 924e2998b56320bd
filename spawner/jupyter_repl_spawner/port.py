"""The spawner port. The extension's `lifecycle` runs only one start or stop per ref at a time, but only within its own
process: other servers may call with the same ref at any moment. So every method must be safe across processes.

Errors are ReplErrors with messages for people.
"""

import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials, Grant
from jupyter_repl_runner.contract.phases import Phase
from jupyter_repl_runner.contract.refs import ProjectRef

Progress = Callable[[str], None]
"""Called when a step of a start begins, with its description for people."""


@dataclass(frozen=True)
class Folders:
    """Where a project's files are on this machine, and where its deleted files go, on the same disk."""

    workdir: Path
    trash: Path


class Leaving(StrEnum):
    """What a stop may leave unsaved: nothing; only what can never be saved, such as a too large file; anything."""

    NOTHING = "nothing"
    UNSAVABLE = "unsavable"
    ANYTHING = "anything"

    def covers(self, other: "Leaving") -> bool:
        """Returns True if this value allows everything that `other` allows."""
        return list(Leaving).index(self) >= list(Leaving).index(other)


class Unsaved(Unavailable):
    """The stop was refused because not everything is saved. The REPL keeps running."""


class Granter(Protocol):
    """Issues grants if projects are in a store and not on the runner's disk. The extension implements it."""

    async def grant(self, ref: ProjectRef) -> Grant:
        """Returns a grant with a new generation, which fences off every earlier runner. Raises Unavailable."""

    async def credentials(self, ref: ProjectRef) -> Credentials:
        """Returns new credentials for a project that already has a grant. Raises Unavailable."""


@dataclass(frozen=True)
class SpawnerContext:
    """The input for making a spawner. An entry point of the group `jupyter_repl.spawners` names a callable that takes
    it and returns a Spawner. The callable raises ValueError for invalid settings."""

    folders: Callable[[ProjectRef], Folders]
    granter: Granter | None
    """None if the runner works in the project's own folder on this machine."""
    data_dir: Path
    """Jupyter's data folder, for files that must outlive the server."""
    settings: Mapping[str, Any]
    """All settings of `ReplExtension`, by their names."""
    config: Any
    """The server's traitlets configuration, for your own classes of settings (`Configurable(config=...)`)."""


@dataclass(frozen=True)
class Address:
    """Where a runner listens: `unix:` and the path of a socket, or the base URL of its routes. Only the extension's
    `runners/client` interprets it. The token, and the `headers` for a proxy on the way, never appear in a log."""

    url: str
    token: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class Spawner(ABC):
    """Starts, stops, polls and lists runners, and returns their addresses. Use it as an async context manager."""

    ends_with_server = True
    """Whether REPLs stop with the server that started them. If so, use of a REPL counts as use of the server."""

    async def __aenter__(self) -> Self:
        """Called once, when the server starts. Cleans up after earlier servers. A failed cleanup must not raise."""
        return self

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Self]:
        """Replaces `__aenter__` in a command that runs beside the servers: `poll`, `list` and `address` work. Nothing
        is cleaned up, started or stopped."""
        yield self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Called once, when the server shuts down. Flushes and stops the REPLs that do not outlive this server."""
        return

    async def hand_over(self) -> None:
        """Called before the server shuts down, if other servers go on: they take over the starts that are cancelled
        from now on. By default such a start leaves nothing behind, like any other that is cancelled."""
        return

    @abstractmethod
    async def start(self, assignment: Assignment, progress: Progress) -> None:
        """Returns when a runner for `assignment.ref` listens: a new one, or one that is already running. Idempotent.

        Cancellable: a cancelled start leaves nothing behind. Raises Unavailable with the reason.
        """

    @abstractmethod
    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        """Returns when the runner has saved and nothing of it is left. Idempotent: it is no error if none runs.

        Raises Unsaved if the stop would lose more than `leaving` allows.
        """

    @abstractmethod
    async def poll(self, ref: ProjectRef) -> Phase:
        """Returns the current phase, as the system that runs the REPL reports it. Cheap enough for a list of REPLs."""

    @abstractmethod
    async def list(self) -> list[ProjectRef]:
        """Returns the refs that have a runner, or remains of one."""

    @abstractmethod
    async def forget(self, ref: ProjectRef) -> None:
        """Deletes all copies of the files of a deleted project, whose runner is stopped. Idempotent."""

    @abstractmethod
    async def address(self, ref: ProjectRef) -> Address:
        """Returns where the runner listens. Raises Unavailable if none runs."""
