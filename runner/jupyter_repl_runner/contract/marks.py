"""The marks: what sync reports about its work to the spawner (while a REPL starts) and to the tab, as JSON."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

from .json_text import check_fields, parse_json

MARKS_FILE = "marks.json"
MAX_PATHS = 100

Item = TypeVar("Item")
State = Literal["restoring", "saved", "saving", "away", "fenced", "gone", "failed"]
"""`away`: the store can't be reached; the REPL goes on, and changes are saved later. `fenced`: another runner has the
project. `gone`: the volume was emptied or unmounted. `failed`: sync can't begin."""


@dataclass(frozen=True)
class Marks:
    """`when`: the store's last acknowledgement, in seconds since the epoch. `pending`: the number of paths that are not
    saved yet; `paths`: some of them. `uploaded`: the files that were saved last, with their etags. `reports`: paths
    that can't be saved or restored, with the reasons. `left_out`: folders of dependencies, which are not saved.
    `missing`: folders of dependencies that an earlier volume had, with the commands that install them again."""

    state: State
    when: float = 0.0
    pending: int = 0
    paths: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""
    uploaded: tuple[tuple[str, str], ...] = ()
    reports: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    files: int = 0
    """How many of `total_files` are restored so far; `bytes` and `total_bytes` likewise."""
    total_files: int = 0
    bytes: int = 0
    total_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """As the `synced` event has it (docs/protocol.md)."""
        fields = asdict(self)
        return {
            **{name: fields[name] for name in ("state", "when", "pending", "paths", "reason", "hint")},
            "uploaded": [{"path": path, "etag": etag} for path, etag in self.uploaded],
            "reports": [{"path": path, "reason": reason} for path, reason in self.reports],
            "leftOut": list(self.left_out),
            "restored": {
                "files": self.files,
                "totalFiles": self.total_files,
                "bytes": self.bytes,
                "totalBytes": self.total_bytes,
            },
            "missing": [{"path": path, "command": command} for path, command in self.missing],
        }

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> "Marks":
        """Raises ValueError or TypeError. Ignores fields of a later version."""
        found = parse_json(text)
        if not isinstance(found, dict):
            raise TypeError("no object")
        fields = {name: value for name, value in found.items() if name in cls.__dataclass_fields__}
        for name in ("paths", "left_out"):
            fields[name] = tuple(fields.get(name, ()))
        for name in ("uploaded", "reports", "missing"):
            fields[name] = tuple((path, said) for path, said in fields.get(name, ()))
        if type(fields.get("state", "")) is not str:
            raise TypeError("state is of another type")
        marks = cls(**fields)
        check_fields(marks)
        return marks

    def shortened(self, most: int) -> "Marks":
        """Returns marks with each list cut to `most` bytes of JSON; of `uploaded`, the latest entries remain."""
        return replace(
            self,
            paths=tuple(within(self.paths, most)),
            uploaded=tuple(within(reversed(self.uploaded), most))[::-1],
            reports=tuple(within(self.reports, most)),
            left_out=tuple(within(self.left_out, most)),
            missing=tuple(within(self.missing, most)),
        )

    @property
    def progress(self) -> str:
        """The progress of a restore, in words for people."""
        if not self.total_files:
            return "Looking for the files"
        return f"Restoring files: {self.files} of {self.total_files}, {_size(self.bytes)} of {_size(self.total_bytes)}"


def within(items: Iterable[Item], most: int) -> Iterator[Item]:
    """Yields the first items, as many as fit into `most` bytes of JSON."""
    for item in items:
        most -= len(json.dumps(item))
        if most < 0:
            return
        yield item


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
