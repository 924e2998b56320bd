"""What of a project is not saved: the usual rubbish, dependencies that can be installed again, and `.replignore`.

Never `.gitignore`: what git need not know, such as `.env`, is often just what must not be lost.
"""

from collections.abc import Iterable
from logging import getLogger

RULES_FILE = ".replignore"
MAX_RULES, MAX_RULE = 1000, 4096
"""Lines, and characters of a line: what is beyond is not read."""
DEPENDENCIES = {"node_modules": "npm install", ".venv": "python3 -m venv .venv", "venv": "python3 -m venv venv"}
"""Folders of dependencies, with what brings them back."""
_FOLDERS = frozenset({*DEPENDENCIES, "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_DEFAULTS = (*(f"{name}/" for name in sorted(_FOLDERS)), ".git/**/*.lock", ".git/*.lock")

log = getLogger(__name__)


class Rules:
    """`own`: the lines of RULES_FILE, which come last, so that `!venv/` takes something in again."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        lines = [_utf8(line) for line in own if line.strip() and not line.startswith("#")]
        # Without rules of its own, which is usual, a project of many files is not worth a search by patterns.
        self._spec = _Patterns(lines) if lines else None

    @property
    def unwatched(self) -> frozenset[str]:
        """Names of folders in which nothing can matter."""
        return _FOLDERS if self._spec is None else frozenset()

    def is_ignored(self, path: str, is_folder: bool) -> bool:
        """Whether `path` itself is; what lies below an ignored folder is never asked about."""
        if self._spec is not None:
            return self._spec.match(path + "/" if is_folder else path)
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


class _Patterns:
    """RE2 matches all patterns in one pass: Python's own expressions take exponential time for `*a*a*a*a*b`, and the
    patterns of an imported project are a stranger's."""

    def __init__(self, lines: list[str]) -> None:
        from pathspec import GitIgnoreSpec  # 50 ms that a start without patterns does not wait for

        def is_rule(line: str) -> bool:
            try:
                GitIgnoreSpec.from_lines([line], backend="re2")
            except Exception:  # of several types; a mistake in one line must not stop all saving
                return False
            return True

        rules = [line for line in lines[:MAX_RULES] if len(line) <= MAX_RULE and is_rule(line)]
        try:
            self._spec = GitIgnoreSpec.from_lines([*_DEFAULTS, *rules], backend="re2")
        except Exception as error:  # of RE2's own type: patterns that are too large together
            log.warning("%s is too large, so it is not used: %s", RULES_FILE, error)
            self._spec = GitIgnoreSpec.from_lines(_DEFAULTS, backend="re2")

    def match(self, path: str) -> bool:
        return self._spec.match_file(_utf8(path))


def _utf8(text: str) -> str:
    """Without the lone surrogates that stand for bytes of other encodings, which RE2 does not take."""
    return text if text.isascii() else text.encode(errors="surrogateescape").decode(errors="replace")
