"""What of a project is not saved: the usual rubbish, dependencies that can be installed again, and `.replignore`.

Never `.gitignore`: what git need not know, such as `.env`, is often just what must not be lost.
"""

from collections.abc import Iterable

from pathspec import GitIgnoreSpec

RULES_FILE = ".replignore"
DEPENDENCIES = {"node_modules": "npm install", ".venv": "python3 -m venv .venv", "venv": "python3 -m venv venv"}
"""Folders of dependencies, with what brings them back."""
_FOLDERS = frozenset({*DEPENDENCIES, "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_DEFAULTS = (*(f"{name}/" for name in sorted(_FOLDERS)), ".git/**/*.lock", ".git/*.lock")


class Rules:
    """`own`: the lines of RULES_FILE, which come last, so that `!venv/` takes something in again."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        lines = [line for line in own if line.strip() and not line.startswith("#") and _is_rule(line)]
        # Without rules of its own, which is usual, a project of many files is not worth a search by patterns.
        self._spec = GitIgnoreSpec.from_lines([*_DEFAULTS, *lines]) if lines else None

    @property
    def unwatched(self) -> frozenset[str]:
        """Names of folders in which nothing can matter."""
        return _FOLDERS if self._spec is None else frozenset()

    def is_ignored(self, path: str, is_folder: bool) -> bool:
        """Whether `path` itself is; what lies below an ignored folder is never asked about."""
        if self._spec is not None:
            return self._spec.match_file(path + "/" if is_folder else path)
        if is_folder:
            return path.rpartition("/")[2] in _FOLDERS
        return path.endswith(".lock") and ".git" in path.split("/")[:-1]

    def is_below_ignored(self, path: str) -> bool:
        """Whether `path`, or a folder that it lies in, is ignored."""
        parts = path.split("/")
        return self.is_ignored(path, False) or any(
            self.is_ignored("/".join(parts[:end]), True) for end in range(1, len(parts) + 1)
        )

    @staticmethod
    def is_dependency(path: str) -> bool:
        return path.rpartition("/")[2] in DEPENDENCIES


def _is_rule(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:  # a mistake in one line must not stop all saving
        return False
    return True
