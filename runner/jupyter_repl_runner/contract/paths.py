"""Checks paths inside a project as text. `files.containment` checks whether a link leaves the project."""

from .errors import InvalidRequest, NoPermissions, ReplError

MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255
MAX_MODE = 0o7777


def check_path(value: object, *, root_allowed: bool = False) -> str:
    """Return the relative POSIX path `value`, or raise InvalidRequest or NoPermissions.

    `root_allowed`: the empty path (the project's own folder) is valid, too.
    """
    if not isinstance(value, str):
        raise InvalidRequest("The path is missing.", hint="Give a path relative to the project.")
    if value == "" and root_allowed:
        return value
    if _size(value) > MAX_PATH_BYTES:
        raise InvalidRequest(f"The path is longer than {MAX_PATH_BYTES} bytes.", hint="Use shorter names.")
    if value.startswith("/"):
        raise NoPermissions("The path is absolute.", hint="Give a path relative to the project.")
    for name in value.split("/"):
        check_name(name)
    return value


def is_path(value: object) -> bool:
    """Returns True if `value` can be the path of something in a project."""
    try:
        check_path(value)
    except ReplError:
        return False
    return True


def is_target(value: object) -> bool:
    """Returns True if `value` can be the target of a symbolic link."""
    try:
        return isinstance(value, str) and "\0" not in value and 0 < _size(value) < MAX_PATH_BYTES
    except InvalidRequest:
        return False


def is_mode(value: object) -> bool:
    """Returns True if `value` can be the mode of a file or a folder."""
    return type(value) is int and 0 <= value <= MAX_MODE


def check_name(value: object) -> str:
    """Return `value` if it can be one component of a path, else raise InvalidRequest or NoPermissions."""
    if not isinstance(value, str) or value in ("", ".") or "/" in value or "\0" in value:
        raise InvalidRequest("The name is empty or holds a character that a name can't have.")
    if value == "..":
        raise NoPermissions("The path leaves the project.", hint="Give a path without '..'.")
    if _size(value) > MAX_NAME_BYTES:
        raise InvalidRequest(f"The name is longer than {MAX_NAME_BYTES} bytes.", hint="Use a shorter name.")
    return value


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def _size(value: str) -> int:
    """Returns the length of the name on disk, in bytes. Bytes that are not UTF-8 are represented by lone surrogates
    (PEP 383). Raises InvalidRequest for other surrogates, which no name on disk has."""
    try:
        return len(value.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise InvalidRequest("The name contains a character that no name on disk can have.") from error
