"""Encodes our keys as object names that S3 accepts, and decodes these. Pure.

A file's name may be any bytes, but S3 requires UTF-8, and some S3-compatible servers reject more characters. A
component that could be rejected becomes RAW and its bytes in hexadecimal. A component that begins with RAW already is
encoded, too, so that no two keys collide.
"""

from contextlib import suppress

from jupyter_repl_runner.contract.errors import InvalidRequest, ReplError
from jupyter_repl_runner.contract.paths import check_path

RAW = ".jupyter-repl-raw-"
MAX_KEY_BYTES = 1024
MAX_PART_BYTES = 255
"""The limit of a component, because of servers that store objects as files. Some answer with 400, some with 500."""
_REFUSED = frozenset("\\") | {chr(code) for code in (*range(32), 127)}


def encode(prefix: str, key: str) -> str:
    """Returns `prefix` and the encoded `key` (a file's or, with a slash at its end, a prefix). Raises NoPermissions if
    the key is absolute or contains `..`, and InvalidRequest if it is too long."""
    is_prefix = key.endswith("/")
    path = check_path(key[:-1] if is_prefix else key, root_allowed=True)
    parts = [_escape(part) for part in path.split("/")]
    name = prefix + "/".join(parts) + "/" * is_prefix
    if len(name.encode()) > MAX_KEY_BYTES:
        raise InvalidRequest("The name is too long for S3.", hint=f"The limit, with folders, is {MAX_KEY_BYTES} bytes.")
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise InvalidRequest("The name is too long for S3.", hint="Special characters make it twice as long there.")
    return name


def decode(prefix: str, name: str) -> tuple[str, bool]:
    """Returns the key, and True if `encode` makes this name of it. A name that another program chose is used as the key
    itself, without `prefix`."""
    path = name.removeprefix(prefix)
    with suppress(ValueError, ReplError):
        key = "/".join(_unescape(part) for part in path.split("/"))
        if encode(prefix, key) == name:
            return key, True
    return path, False


def _escape(part: str) -> str:
    raw = part.encode("utf-8", "surrogateescape")
    is_plain = not part.startswith(RAW) and not _REFUSED.intersection(part)
    try:
        part.encode()
    except UnicodeEncodeError:
        is_plain = False
    return part if is_plain else RAW + raw.hex()


def _unescape(part: str) -> str:
    if not part.startswith(RAW):
        return part
    return bytes.fromhex(part.removeprefix(RAW)).decode("utf-8", "surrogateescape")
