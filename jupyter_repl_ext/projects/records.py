"""The record of a project, `meta/{replId}.json`: what it holds, and how it is read and written."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from jupyter_repl_runner.contract.errors import (
    FileExists,
    FileIsADirectory,
    FileNotFound,
    FileTooLarge,
    ReplError,
    Unavailable,
)
from jupyter_repl_runner.contract.json_text import check_fields, parse_json
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.port import Store, read_all


@dataclass(frozen=True)
class ProjectRecord:
    """The content of `meta/{replId}.json`.

    `source`: "template" or "archive". Only the worker of an archive has its files, so no other can finish that project.
    `worker`: the id of the worker that creates or deletes the project. `beat`: the number of its heartbeats.
    """

    language: str
    title: str
    created: str
    state: str
    run: str = ""
    main: str = ""
    source: str = "template"
    worker: str = ""
    beat: int = 0

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "ProjectRecord":
        """Ignores fields of later versions. Raises ValueError or TypeError if `raw` is not a record."""
        fields = parse_json(raw)
        record = cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name in fields})
        check_fields(record)
        datetime.fromisoformat(record.created)
        return record


@dataclass(frozen=True)
class Project:
    """`refusal`: why the store refuses to return the record, or why an unfinished project can't be finished now. In the
    first case, `record` is a placeholder."""

    ref: ProjectRef
    record: ProjectRecord
    refusal: ReplError | None = None

    def to_json(self) -> dict[str, Any]:
        record = self.record
        return {
            "replId": self.ref.repl_id,
            "language": record.language,
            "title": record.title or self.ref.repl_id,
            "created": record.created,
        }


class Unreadable(Unavailable):
    """The object is not a valid record: it is damaged, or another program wrote it."""


class Records:
    """All records of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, ref: ProjectRef) -> tuple[ProjectRecord, str]:
        """Returns the record and its etag. Raises FileNotFound, and Unreadable if the object is not a valid record."""
        try:
            raw, etag = await read_all(self._store, ref.meta)
            return ProjectRecord.from_bytes(raw), etag
        except FileNotFound:
            raise missing(ref) from None
        except (FileIsADirectory, FileTooLarge, ValueError, TypeError) as error:
            raise Unreadable(f"The record of {ref.repl_id} can't be read.", hint=f"Check {ref.meta}.") from error

    async def create(self, ref: ProjectRef, record: ProjectRecord) -> str:
        """Returns the etag. Raises FileExists if the project has a record already."""
        return (await self._store.put(ref.meta, record.to_bytes(), if_none_match=True)).etag

    async def replace(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> str:
        """Returns the new etag. Raises Conflict if the record no longer has `etag`."""
        return (await self._store.put(ref.meta, record.to_bytes(), if_match=etag)).etag

    async def delete(self, ref: ProjectRef, etag: str) -> None:
        """Raises Conflict if the record no longer has `etag`."""
        await self._store.delete(ref.meta, if_match=etag)


def missing(ref: ProjectRef) -> FileNotFound:
    return FileNotFound(f"There is no project {ref.repl_id}.", hint="It may have been deleted.")


def taken(ref: ProjectRef) -> FileExists:
    return FileExists(f"The name {ref.repl_id} is taken.", hint="Choose another, or open it.")
