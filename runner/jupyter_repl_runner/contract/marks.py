"""What sync reports of its work, to the spawner (while a REPL starts) and to the tab: MARKS_FILE, as JSON."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

from .json_text import check_fields, parse_json

MARKS_FILE = "marks.json"
MAX_PATHS = 100

Item = TypeVar("Item")
State = Literal["restoring", "saved", "saving", "away", "fenced", "gone", "failed"]
"""`away`: the store can't be reached, all goes on and is saved later. `fenced`: another runner has the project. `gone`:
the volume was emptied or unmounted. `failed`: it can't begin."""


@dataclass(frozen=True)
class Marks:
    """`when`: the store's last acknowledgement, in seconds since the epoch. `pending`: how many paths it has not yet;
    `paths` are some of them. `uploaded`: the files it took last, with their etags. `reports`: what can't be saved, and
    why. `left_out`: folders of dependencies that are not saved; `missing`: those that were there in another volume and
    must be installed again, with what does that."""

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
    """Restored so far, of `total_files`; the same in bytes."""
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
        """Raises ValueError or TypeError. Fields of a later version are left out."""
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
        """With the beginning of each list, as much of it as takes `most` bytes of JSON."""
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
        """A restore in words."""
        if not self.total_files:
            return "Looking for the files"
        return f"Restoring files: {self.files} of {self.total_files}, {_size(self.bytes)} of {_size(self.total_bytes)}"


def within(items: Iterable[Item], most: int) -> Iterator[Item]:
    """The first ones, as many as take `most` bytes of JSON."""
    for item in items:
        most -= len(json.dumps(item))
        if most < 0:
            return
        yield item


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
