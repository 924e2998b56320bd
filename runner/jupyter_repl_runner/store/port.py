"""The store port. Called by the extension (for projects, and for files while no runner has them) and by sync.

Only `contract.refs` makes keys, from a ProjectRef or a language. A prefix ends with a slash, so that `code/abc/` never
matches `code/abc-pro/`. Errors are ReplErrors. The adapter puts a bound on every call.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_repl_runner.contract.errors import FileTooLarge

MAX_SMALL = 1 << 20
"""The most bytes of a record, a generation or a template's settings."""


@dataclass(frozen=True)
class Entry:
    """One object. `size` in bytes, `mtime` in seconds since the epoch, `mode` the permission bits.

    `tag` is the store's own version of the content: every write changes it. A listing of S3 has neither the mode nor
    the file's own time; `head` and `get` return them.
    """

    key: str
    size: int
    mtime: float
    mode: int = 0o644
    tag: str = ""


@dataclass(frozen=True)
class Head:
    """An object with its etag, without quotes (see `files.content`). `digest`: its sha256, also if the etag is not a
    sha256; empty if the store does not know it."""

    entry: Entry
    etag: str
    digest: str = ""


@dataclass(frozen=True)
class Honoured:
    """Whether a store honours conditions or ignores them, for each of PUT, DELETE and COPY."""

    put: bool = True
    delete: bool = True
    copy: bool = True


class Blob:
    """An object that is open for reading: its head, and its bytes in chunks. Use it as an async context manager, or a
    connection or descriptor leaks."""

    head: Head

    def chunks(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yields the bytes from `start` to `end` (exclusive)."""
        raise NotImplementedError

    async def __aenter__(self) -> "Blob":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release the connection or the descriptor."""


class Store(ABC):
    """Verbs over keys. `list`, `children`, `head` and `get` read; `put`, `copy_prefix` and `delete` may be repeated."""

    @abstractmethod
    def list(self, prefix: str, *, deep: bool = True) -> AsyncIterator[Entry]:
        """Yields every object under `prefix`. Reads in pages, so objects created or deleted meanwhile may be missed.

        `deep` False: only objects directly under `prefix` (a listing with a delimiter).
        """

    @abstractmethod
    async def children(self, prefix: str) -> Sequence[str]:
        """Returns the sorted names of the folders directly under `prefix` (a listing with a delimiter). Leaves out
        names that begin with a dot."""

    async def folder(self, prefix: str) -> tuple[Sequence[Entry], Sequence[str]]:
        """Returns the objects directly under `prefix`, and the names of the folders there as in `children`."""
        return [entry async for entry in self.list(prefix, deep=False)], await self.children(prefix)

    @abstractmethod
    async def head(self, key: str) -> Head | None:
        """Returns None if there is no such object."""

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
        """Write the object whole or not at all. Raises Conflict if its etag is not `if_match` or its tag is not
        `if_tag`, and FileExists if `if_none_match` is set and the object exists. `mode` None: the mode of the old
        object, or the default. `mtime` None: now."""

    @abstractmethod
    async def copy_prefix(self, source: str, target: str, *, leave_out: frozenset[str] = frozenset()) -> int:
        """Copy the objects under `source` that are not yet under `target`; returns the number under `target`
        afterwards.

        `leave_out`: names directly under `source` that are not copied. Overwrites nothing, so any process may repeat it
        after it was interrupted.
        """

    @abstractmethod
    async def copy(self, source: str, target: str) -> None:
        """Copy an object with its mode and time; overwrites `target`. Raises FileNotFound."""

    @abstractmethod
    async def put_folder(self, folder: Path, target: str, manifest: str) -> int:
        """Store the content of a local folder under the prefix `target`; returns the number of objects there
        afterwards. Raises FileExists if `target` is not empty. The folder lies in a `scratch` of this store, and the
        store takes it over: the caller does not use it afterwards.

        `manifest`: the key of the manifest, for what objects can't hold; a store on a file system ignores it.
        """

    @abstractmethod
    async def delete(self, key: str, *, if_match: str | None = None) -> None:
        """Delete an object or, if `key` is a prefix, all objects under it. A missing object is no error. Raises
        Conflict if the etag is not `if_match`."""

    async def probe(self) -> "Honoured":
        """Returns which conditions this store honours; tests that once. Raises Unavailable with the reason if the store
        can't be used."""
        return Honoured()

    async def check(self) -> None:
        """Raises Unavailable if the store can't be reached now."""
        await self.head("meta/.none")

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a local folder for files that are to be stored; it is deleted after the block."""
        with TemporaryDirectory(prefix="jupyter-repl-") as folder:
            yield Path(folder)

    def local_path(self, prefix: str) -> Path | None:
        """Returns the folder that holds `prefix` if the store is on a local disk, else None."""
        return None


async def read_all(store: Store, key: str, limit: int = MAX_SMALL) -> tuple[bytes, str]:
    """Returns `(content, etag)` of an object of at most `limit` bytes. Raises FileNotFound. Raises FileTooLarge without
    holding more than `limit` bytes in memory, because other programs can write objects of any size to the store."""
    async with await store.get(key) as blob:
        chunks, left = list[bytes](), limit
        async for chunk in blob.chunks():
            left -= len(chunk)
            if left < 0:
                raise FileTooLarge(f"{key} is larger than {limit} bytes.", hint="Check which program wrote it.")
            chunks.append(chunk)
        return b"".join(chunks), blob.head.etag
