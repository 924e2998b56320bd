"""Errors for people: a code of a closed set (VS Code's file errors and four more), a message and a hint.

    ReplError
    ├── FileNotFound        404
    ├── FileExists          409
    ├── FileIsADirectory    400
    ├── FileNotADirectory   400
    ├── NoPermissions       403
    ├── FileTooLarge        413
    ├── Conflict            412   the etag is no longer the one that the client named
    ├── Unavailable         503   not now: starting, stopped, no disk, no interpreter
    │   └── DiskFull        507
    └── InvalidRequest      400

The class name is the code on the wire. Foreign exceptions become one of these in the adapters only.
"""

import errno
from typing import Any


class ReplError(Exception):
    """An error that a person reads; `status` is its HTTP status."""

    status = 500

    def __init__(self, message: str, hint: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if status is not None:
            self.status = status

    @property
    def code(self) -> str:
        return type(self).__name__

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "hint": self.hint}


class FileNotFound(ReplError):
    status = 404


class FileExists(ReplError):
    status = 409


class FileIsADirectory(ReplError):
    status = 400


class FileNotADirectory(ReplError):
    status = 400


class NoPermissions(ReplError):
    status = 403


class FileTooLarge(ReplError):
    status = 413


class Conflict(ReplError):
    status = 412


class Unavailable(ReplError):
    status = 503


class DiskFull(Unavailable):
    """There is no room on the disk. Deleting files for good makes room; moving them to the trash does not."""

    status = 507


class InvalidRequest(ReplError):
    status = 400


CODES: dict[str, type[ReplError]] = {
    cls.__name__: cls
    for cls in (
        FileNotFound,
        FileExists,
        FileIsADirectory,
        FileNotADirectory,
        NoPermissions,
        FileTooLarge,
        Conflict,
        Unavailable,
        DiskFull,
        InvalidRequest,
    )
}

_OS_ERRORS: dict[int, tuple[type[ReplError], str, str]] = {
    errno.ENOENT: (FileNotFound, "There is no {path}.", "It may have been deleted or renamed."),
    errno.EEXIST: (FileExists, "{path} exists already.", "Choose another name."),
    errno.ENOTEMPTY: (FileExists, "{path} exists already.", "Choose another name."),
    errno.EISDIR: (FileIsADirectory, "{path} is a folder.", "Name a file in it."),
    errno.ENOTDIR: (FileNotADirectory, "A part of {path} is a file, not a folder.", "Move that file away."),
    errno.EACCES: (NoPermissions, "{path} may not be changed or read.", "Check its mode: ls -l"),
    errno.EPERM: (NoPermissions, "{path} may not be changed or read.", "Check its mode: ls -l"),
    errno.EROFS: (NoPermissions, "{path} is on a read-only disk.", "Choose another place for it."),
    errno.ELOOP: (NoPermissions, "{path} is a link that goes nowhere.", "Remove the link."),
    errno.ENAMETOOLONG: (InvalidRequest, "The name is too long.", "Use a shorter name."),
    errno.EINVAL: (InvalidRequest, "{path} can't be used here.", "A folder can't move into itself."),
    errno.ENOSPC: (DiskFull, "The disk is full.", "Delete files that you don't need, then save again."),
    errno.EDQUOT: (DiskFull, "The disk quota is used up.", "Delete files that you don't need."),
    errno.EMFILE: (Unavailable, "Too many files are open.", "Close programs or terminals."),
    errno.ENFILE: (Unavailable, "Too many files are open.", "Close programs or terminals."),
}


def from_os_error(error: OSError, path: str) -> ReplError:
    """Returns the ReplError for an OSError about `path` (relative, as the person knows it)."""
    cls, message, hint = _OS_ERRORS.get(
        error.errno or 0, (Unavailable, "{path}: " + (error.strerror or type(error).__name__), "")
    )
    return cls(message.format(path=path or "The project"), hint)


def from_json(error: dict[str, Any], status: int | None = None) -> ReplError:
    """Returns the ReplError that `to_json` described; an unknown code becomes Unavailable."""
    cls = CODES.get(str(error.get("code")), Unavailable)
    return cls(str(error.get("message", "")), str(error.get("hint", "")), status)
