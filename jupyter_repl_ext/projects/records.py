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
    """What `meta/{replId}.json` holds. `source`: "template", or "archive", which only its worker has, so that nobody
    can finish for it. `worker` names who creates or deletes, `beat` counts that it lives."""

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
        """Fields of a later version are left out. Raises ValueError or TypeError for what is no record."""
        fields = parse_json(raw)
        record = cls(**{name: fields[name] for name in cls.__dataclass_fields__ if name in fields})
        check_fields(record)
        datetime.fromisoformat(record.created)
        return record


@dataclass(frozen=True)
class Project:
    """`refusal`: why its record can't be read, where the store has one; `record` says nothing then."""

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
    """A record that is none: it was damaged, or written by something else."""


class Records:
    """All records of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, ref: ProjectRef) -> tuple[ProjectRecord, str]:
        """The record and its etag. Raises FileNotFound, and Unreadable for what is no record."""
        try:
            raw, etag = await read_all(self._store, ref.meta)
            return ProjectRecord.from_bytes(raw), etag
        except FileNotFound:
            raise missing(ref) from None
        except (FileIsADirectory, FileTooLarge, ValueError, TypeError) as error:
            raise Unreadable(f"The record of {ref.repl_id} can't be read.", hint=f"Look at {ref.meta}.") from error

    async def create(self, ref: ProjectRef, record: ProjectRecord) -> str:
        """The etag. Raises FileExists if there is one."""
        return (await self._store.put(ref.meta, record.to_bytes(), if_none_match=True)).etag

    async def replace(self, ref: ProjectRef, record: ProjectRecord, etag: str) -> str:
        """The new etag. Raises Conflict unless `etag` is still the record's."""
        return (await self._store.put(ref.meta, record.to_bytes(), if_match=etag)).etag

    async def delete(self, ref: ProjectRef, etag: str) -> None:
        """Raises Conflict unless `etag` is still the record's."""
        await self._store.delete(ref.meta, if_match=etag)


def missing(ref: ProjectRef) -> FileNotFound:
    return FileNotFound(f"There is no project {ref.repl_id}.", hint="It may have been deleted.")


def taken(ref: ProjectRef) -> FileExists:
    return FileExists(f"The name {ref.repl_id} is taken.", hint="Choose another, or open it.")
