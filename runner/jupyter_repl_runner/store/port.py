"""The store port. Called by the extension (projects, files with no runner) and, in pods, by sync.

Keys are made by `contract.refs` alone, from a ProjectRef or a language; a prefix ends with a slash, so that
`code/abc/` never matches `code/abc-pro/`. Errors are ReplErrors; every call is bounded by the adapter.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_repl_runner.contract.errors import FileTooLarge

MAX_SMALL = 1 << 20
"""Of a record, a number or a template's settings, in bytes."""


@dataclass(frozen=True)
class Entry:
    """One object. `size` in bytes, `mtime` in seconds since the epoch, `mode` the permission bits.

    `tag` is the store's own version
    of the content: every write changes it. A listing of S3 knows neither mode
    nor the file's own time: they come with `head` and `get`.
    """

    key: str
    size: int
    mtime: float
    mode: int = 0o644
    tag: str = ""


@dataclass(frozen=True)
class Head:
    """An object with its etag (see `files.content`), quoted nowhere. `digest`: its sha256, also where the etag is none;
    empty if the store does not know it."""

    entry: Entry
    etag: str
    digest: str = ""


@dataclass(frozen=True)
class Honoured:
    """Which conditions a store takes into account, rather than ignoring them: on PUT, DELETE and COPY."""

    put: bool = True
    delete: bool = True
    copy: bool = True


class Blob:
    """An object being read: its head, and its bytes in chunks. An async context manager, or it leaks."""

    head: Head

    def chunks(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to `end` (exclusive)."""
        raise NotImplementedError

    async def __aenter__(self) -> "Blob":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release what reading holds."""


class Store(ABC):
    """Verbs over keys. `list`, `children`, `head` and `get` read; `put`, `copy_prefix` and `delete` may be repeated."""

    @abstractmethod
    def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        """Every object under `prefix`, in pages inside; objects made or deleted meanwhile may be missed.

        `deep` False: only those right under it (a listing with a delimiter).
        """

    @abstractmethod
    async def children(self, prefix: str) -> Sequence[str]:
        """The names of the folders right under `prefix`, sorted (a listing with a delimiter)."""

    async def folder(self, prefix: str) -> tuple[Sequence[Entry], Sequence[str]]:
        """The objects right under `prefix`, and the names of the folders there."""
        return [entry async for entry in self.list(prefix, deep=False)], await self.children(prefix)

    @abstractmethod
    async def head(self, key: str) -> Head | None:
        """None if there is no such object."""

    @abstractmethod
    async def get(self, key: str) -> Blob:
        """Raises FileNotFound."""

    @abstractmethod
    async def put(
        self,
        key: str,
        data: bytes | AsyncIterator[bytes],
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        if_tag: str | None = None,
        mode: int | None = None,
        mtime: float | None = None,
    ) -> Head:
        """Write whole or not at all. Raises Conflict (`if_match` is no longer the etag, or `if_tag` the tag of an
        entry) or FileExists. `mode` and `mtime` None: as they were, else the usual ones and now."""

    @abstractmethod
    async def copy_prefix(self, source: str, target: str, *, leave_out: frozenset[str] = frozenset()) -> int:
        """Copy what is under `source` and not yet under `target`; the number of objects there afterwards.

        `leave_out`: names right under `source` that stay behind. Overwrites nothing, so it may be repeated after
        it was killed, by anybody.
        """

    @abstractmethod
    async def copy(self, source: str, target: str) -> None:
        """Copy an object, with its mode and time, over whatever is there. Raises FileNotFound."""

    @abstractmethod
    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        """Put what a folder of this machine holds under the prefix `target`, where nothing is yet; the number of
        objects there afterwards. The folder lies in a `scratch` of this store and is given away. Raises FileExists.

        `manifest`: the key for what objects can't hold, on a store that is no file system (see `manifest`).
        """

    @abstractmethod
    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete an object or, if `key` is a prefix, all under it. Nothing there is no error."""

    async def probe(self) -> "Honoured":
        """What this store honours, found out once. Raises Unavailable with the reason if it can't be used."""
        return Honoured()

    async def check(self) -> None:
        """Raises Unavailable if the store can't be reached now."""
        await self.head("meta/.none")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder of this machine for what is on its way into the store; it is gone after the block."""
        with TemporaryDirectory(prefix="jupyter-repl-") as folder:
            yield Path(folder)

    def local_path(self, prefix: str) -> Path | None:
        """The folder that holds `prefix` where the store is a disk of this machine, else None."""
        return None


async def read_all(store: Store, key: str, limit: int = MAX_SMALL) -> tuple[bytes, str]:
    """`(content, etag)` of an object of at most `limit` bytes. Raises FileNotFound, and FileTooLarge without keeping
    more than that: whatever writes to the store decides how large it is."""
    async with await store.get(key) as blob:
        chunks, left = list[bytes](), limit
        async for chunk in blob.chunks():
            left -= len(chunk)
            if left < 0:
                raise FileTooLarge(f"{key} is larger than {limit} bytes.", hint="It is not ours: look at it.")
            chunks.append(chunk)
        return b"".join(chunks), blob.head.etag
