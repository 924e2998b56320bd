"""From a key of ours to a name that S3 takes, and back. Pure.

S3 wants UTF-8 and some of its servers refuse more; a file's name may be any bytes. A component that can't go as it is
becomes RAW and the hexadecimal form of its bytes; so does one that begins with RAW already, and nothing collides.
"""

from contextlib import suppress

from jupyter_repl_runner.contract.errors import InvalidRequest, ReplError
from jupyter_repl_runner.contract.paths import check_path

RAW = ".jupyter-repl-raw-"
MAX_KEY_BYTES = 1024
MAX_PART_BYTES = 255
"""Of a component: servers that keep objects as files take no more. Some say so with a 400, some with a 500."""
_REFUSED = frozenset("\\") | {chr(code) for code in (*range(32), 127)}


def encode(prefix: str, key: str) -> str:
    """The name of `key` (a file's or, with a slash at its end, a prefix) behind `prefix`. Raises NoPermissions for one
    that leads elsewhere and InvalidRequest for one that is too long."""
    is_prefix = key.endswith("/")
    path = check_path(key[:-1] if is_prefix else key, root_allowed=True)
    parts = [_escape(part) for part in path.split("/")]
    name = prefix + "/".join(parts) + "/" * is_prefix
    if len(name.encode()) > MAX_KEY_BYTES:
        raise InvalidRequest("The name is too long for S3.", hint=f"With all its folders it has {MAX_KEY_BYTES} bytes.")
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise InvalidRequest("The name is too long for S3.", hint="It is not UTF-8, and twice as long there.")
    return name


def decode(prefix: str, name: str) -> tuple[str, bool]:
    """The key, and whether `encode` gives its name again. Names that other programs have given are their own keys."""
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
