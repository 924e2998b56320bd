"""The manifest: what objects can't hold of a project, namely links, and folders that are empty or have an unusual mode.
Pure.

It is one object per project, `meta/{replId}/manifest.json`. Only the listing decides whether a file exists: if the
manifest disagrees (after a crash between two writes), the file wins.
"""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.paths import is_mode, is_path, is_target

USUAL_MODE = 0o755
VERSION = 1
MAX_LINKS = 40
MAX_MANIFEST = 64 << 20


@dataclass(frozen=True)
class Manifest:
    """`links`: target by path. `folders`: mode by path. `left_out`: folders of dependencies that are not saved."""

    links: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        # ASCII, so that names which are not UTF-8 survive.
        return json.dumps(
            {
                "version": VERSION,
                "links": dict(sorted(self.links.items())),
                "folders": {path: f"{mode:o}" for path, mode in sorted(self.folders.items())},
                "leftOut": list(self.left_out),
            }
        ).encode()

    def follow(self, path: str) -> str | None:
        """Returns `path` with all links resolved; None if a link leads out of the project, or if the links form a
        loop."""
        for _ in range(MAX_LINKS):
            parts = path.split("/")
            at = next((end for end in range(1, len(parts) + 1) if "/".join(parts[:end]) in self.links), 0)
            if not at:
                return path
            target = self.links["/".join(parts[:at])]
            if target.startswith("/"):
                return None
            path = posixpath.normpath("/".join([*parts[: at - 1], target, *parts[at:]]))
            if path == ".." or path.startswith("../"):
                return None
        return None

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Manifest":
        """Raises InvalidRequest. Ignores fields of a later version, and paths and modes that no disk can have."""
        try:
            found = parse_json(raw)
            links = {path: target for path, target in found["links"].items() if is_path(path) and is_target(target)}
            modes = {path: int(mode, 8) for path, mode in found["folders"].items() if is_path(path)}
            folders = {path: mode for path, mode in modes.items() if is_mode(mode)}
            return cls(links, folders, tuple(path for path in found.get("leftOut", ()) if is_path(path)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                "The project's manifest can't be read.", hint="Delete meta/{name}/manifest.json. This loses links."
            ) from error
