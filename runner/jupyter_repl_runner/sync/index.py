"""What the store and the volume last agreed on, path by path: the base of every comparison. SQLite, in a place that the
runner can't write.

A row is written after the store has acknowledged it, or after a file from it lies in the volume; so a crash loses rows
and never invents one. All calls block.
"""

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_repl_runner.contract.errors import Unavailable

from .found import Found, Row

PAGE = 1000
_COLUMNS = "path, kind, mode, size, mtime_ns, ctime_ns, inode, target, tag, hash"
_MARKS = ",".join("?" * 11)
_VERSION = "2"
"""Of the schema: an index of another one is begun anew."""
_SCHEMA = """
create table if not exists row (path blob primary key, kind text, mode integer, size integer, mtime_ns integer,
    ctime_ns integer, inode integer, target blob, tag text, hash text, parent blob) without rowid;
create index if not exists row_parent on row (parent);
create index if not exists row_size on row (size) where kind = 'file' and tag != '';
create table if not exists attempt (path blob, hash text, primary key (path, hash)) without rowid;
create table if not exists boot (id text primary key) without rowid;
create table if not exists about (name text primary key, value text) without rowid;
"""


class Index:
    """`about`: which project and store it is for. An index of another one, or one that can't be read, is begun anew."""

    def __init__(self, path: Path, about: Mapping[str, str]) -> None:
        self._path = path
        about = {**about, "schema": _VERSION}
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = self._open()
            is_ours = dict(self._database.execute("select name, value from about")) == dict(about)
        except OSError as error:
            raise _unavailable(error) from error
        except sqlite3.DatabaseError as error:  # no database, a damaged one, or one of an earlier schema
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise _unavailable(error) from error  # a full disk, say: what is noted there holds
            is_ours = False
        if not is_ours:
            self._begin(about)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        # Losing the last rows in a power cut costs work, never data.
        database.executescript("pragma journal_mode = wal; pragma synchronous = off;" + _SCHEMA)
        return database

    def _begin(self, about: Mapping[str, str]) -> None:
        try:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            self._database = self._open()
            self._database.executemany("insert into about values (?, ?)", list(about.items()))
        except (OSError, sqlite3.Error) as error:
            raise _unavailable(error) from error

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        """Raises Unavailable; then the changes of the block are rolled back."""
        with self._lock:
            try:
                yield self._database
            except (sqlite3.Error, OverflowError) as error:
                if self._database.in_transaction:
                    with suppress(sqlite3.Error):
                        self._database.rollback()
                raise _unavailable(error) from error

    def forget_earlier(self, boot: str) -> None:
        """Delete the rows of an earlier boot of the machine; `boot` names this one."""
        with self._held() as database:
            known = {name for (name,) in database.execute("select id from boot")}
            if known != {boot}:
                database.execute("begin")
                database.execute("delete from boot")
                database.execute("insert into boot values (?)", (boot,))
                database.execute("delete from row")
                database.execute("commit")

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def get(self, path: str) -> Row | None:
        return next(self._select("where path = ?", os.fsencode(path)), None)

    def all(self) -> dict[str, Row]:
        return {row.found.path: row for row in self._select("")}

    def at(self, path: str) -> dict[str, Row]:
        """The row of `path` and those of all below it; for the root, all."""
        if not path:
            return self.all()
        raw = os.fsencode(path)
        rows = self._select("where path = ? or (path > ? and path < ?)", raw, raw + b"/", raw + b"0")
        return {row.found.path: row for row in rows}

    def twin(self, digest: str, mode: int, mtime_ns: int) -> Row | None:
        """A file that the store has with just this content, mode and time."""
        where = "where hash = ? and mode = ? and mtime_ns = ? and tag != '' limit 1"
        return next(self._select(where, digest, mode, mtime_ns), None)

    def children(self, folder: str) -> set[str]:
        """The paths right in `folder` that have a row."""
        with self._held() as database:
            found = database.execute("select path from row where parent = ?", (os.fsencode(folder),))
            return {os.fsdecode(path) for (path,) in found}

    def structure(self) -> tuple[list[Row], Counter[str]]:
        """The rows of links and folders, and how many rows there are right in each folder."""
        others = list(self._select("where kind != 'file'"))
        with self._held() as database:
            found = database.execute("select parent, count(*) from row group by parent")
            return others, Counter({os.fsdecode(parent): count for parent, count in found})

    def small_files(self, limit: int) -> Iterator[Row]:
        """Those of at most `limit` bytes that the store has, the smallest first; read a page at a time."""
        size, path = -1, b""
        where = "where kind = 'file' and tag != '' and size <= ? and (size > ? or (size = ? and path > ?))"
        while page := list(self._select(f"{where} order by size, path limit {PAGE}", limit, size, size, path)):
            yield from page
            size, path = page[-1].found.size, os.fsencode(page[-1].found.path)

    def attempt(self, path: str, digest: str) -> None:
        """We are about to send a file with this content: if the store has it, it is from us, acknowledged or not."""
        with self._held() as database:
            database.execute("insert or ignore into attempt values (?, ?)", (os.fsencode(path), digest))

    def attempts(self, path: str) -> set[str]:
        """What was sent and not acknowledged."""
        with self._held() as database:
            found = database.execute("select hash from attempt where path = ?", (os.fsencode(path),))
            return {digest for (digest,) in found}

    def attempted(self) -> set[str]:
        """Paths of which something was sent and not acknowledged, so that the store may have it without a row here."""
        with self._held() as database:
            return {os.fsdecode(path) for (path,) in database.execute("select distinct path from attempt")}

    def change(self, rows: Iterable[Row] = (), gone: Iterable[str] = ()) -> None:
        """Write and delete rows, all or none."""
        values = [(*_values(row.found), row.tag, row.hash, _parent(row.found.path)) for row in rows]
        forgotten = [(os.fsencode(path),) for path in gone]
        settled = [(value[0],) for value in values] + forgotten
        with self._held() as database:
            database.execute("begin")
            database.executemany("delete from row where path = ?", forgotten)
            database.executemany(f"insert or replace into row ({_COLUMNS}, parent) values ({_MARKS})", values)  # noqa: S608 - names of ours
            database.executemany("delete from attempt where path = ?", settled)
            database.execute("commit")

    def _select(self, where: str, *values: bytes | str | int) -> Iterator[Row]:
        with self._held() as database:
            found = database.execute(f"select {_COLUMNS} from row {where}", values).fetchall()  # noqa: S608 - names of ours
        for path, kind, mode, size, mtime_ns, ctime_ns, inode, target, tag, digest in found:
            what = Found(os.fsdecode(path), kind, mode, size, mtime_ns, ctime_ns, inode, os.fsdecode(target))
            yield Row(what, tag, digest)


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"What is saved can't be noted: {error}.", hint="Is the disk full? It is tried again.")


def _parent(path: str) -> bytes:
    return os.fsencode(path.rpartition("/")[0])


def _values(found: Found) -> tuple[object, ...]:
    path, target = os.fsencode(found.path), os.fsencode(found.target)
    return path, found.kind, found.mode, found.size, found.mtime_ns, found.ctime_ns, found.inode, target
