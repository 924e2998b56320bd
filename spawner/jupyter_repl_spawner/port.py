"""The spawner port. Its one caller is the extension's `lifecycle`, which runs one start or stop per ref at a time in
its own process; other servers may call with the same ref at any moment, so every verb is safe between processes.

Errors are ReplErrors, for people to read.
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
"""Called with each step of a start in words, as it begins."""


@dataclass(frozen=True)
class Folders:
    """Where a project's files are on this machine, and on the same disk where its deleted ones go."""

    workdir: Path
    trash: Path


class Leaving(StrEnum):
    """What a stop may leave unsaved: nothing; what can never be saved (a file that is too large, say); anything."""

    NOTHING = "nothing"
    UNSAVABLE = "unsavable"
    ANYTHING = "anything"

    def covers(self, other: "Leaving") -> bool:
        """Whether it allows all that the other one does."""
        return list(Leaving).index(self) >= list(Leaving).index(other)


class Unsaved(Unavailable):
    """A stop was refused and the REPL runs on, since not everything is saved."""


class Granter(Protocol):
    """Gives grants for projects in a store that is not the runner's disk; the extension has one."""

    async def grant(self, ref: ProjectRef) -> Grant:
        """A grant with a new generation, which fences every earlier runner off. Raises Unavailable."""

    async def credentials(self, ref: ProjectRef) -> Credentials:
        """New credentials for a project that has its grant. Raises Unavailable."""


@dataclass(frozen=True)
class SpawnerContext:
    """What a spawner is made from. An entry point of the group `jupyter_repl.spawners` names a callable that takes it
    and returns a Spawner; it raises ValueError for settings that can't be meant."""

    folders: Callable[[ProjectRef], Folders]
    granter: Granter | None
    """None where the runner works in the project's own folder on this machine."""
    data_dir: Path
    """Jupyter's own, for what must outlive the server."""
    settings: Mapping[str, Any]
    """All settings of `ReplExtension`, by their names."""
    config: Any
    """traitlets' configuration of the server, for classes of settings of your own (`Configurable(config=...)`)."""


@dataclass(frozen=True)
class Address:
    """Where a runner listens: `unix:` and a path, or a URL below which its paths are. Opaque to all but
    `runner_client`; the token, and `headers` for a proxy on the way, never appear in a log."""

    url: str
    token: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)


class Spawner(ABC):
    """Start, stop, poll, list, address; an async context manager around them all."""

    ends_with_server = True
    """Whether REPLs end with the server that started them: then their use counts as use of the server."""

    async def __aenter__(self) -> Self:
        """Called once, when the server starts: clean up what an earlier server left. Must not fail for that."""
        return self

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Self]:
        """In place of the above, for a command beside the servers: `poll`, `list` and `address` work, and nothing is
        cleaned up, started or stopped."""
        yield self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Called once, when the server shuts down: what ends with its server is flushed and stopped now."""
        return

    @abstractmethod
    async def start(self, assignment: Assignment, progress: Progress) -> None:
        """Return when a runner for `assignment.ref` listens: a new one, or the one that is there. Idempotent.

        Cancellable: nothing of a cancelled start stays. Raises Unavailable with the reason.
        """

    @abstractmethod
    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        """Return when the runner has saved and everything of it is gone. Idempotent; nothing there is no error.

        Raises Unsaved if more would be left unsaved, for good, than `leaving` says.
        """

    @abstractmethod
    async def poll(self, ref: ProjectRef) -> Phase:
        """What is so now, asked of what runs it; cheap enough to ask for every REPL of a list."""

    @abstractmethod
    async def list(self) -> list[ProjectRef]:
        """The refs that have a runner, or what is left of one."""

    @abstractmethod
    async def forget(self, ref: ProjectRef) -> None:
        """The project is deleted and its runner stopped: keep no copy of its files. Idempotent."""

    @abstractmethod
    async def address(self, ref: ProjectRef) -> Address:
        """Where the runner listens; raises Unavailable if none runs."""
