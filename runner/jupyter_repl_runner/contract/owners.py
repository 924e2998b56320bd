"""The owner of projects: a user's name, escaped so that store keys, labels, paths and policies of S3 can hold it."""

import hashlib
import re

from .errors import InvalidRequest

MAX_OWNER_LENGTH = 48
SINGLE_USER = ""
"""The owner where a Jupyter server has one user, as on a laptop."""

_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DIGEST_LENGTH = 20
_ESCAPED = re.compile(rf"(.*-)?[0-9a-f]{{{_DIGEST_LENGTH}}}")


def owner_of_name(name: str) -> str:
    """The owner for a user's `name`: the name itself where it fits, else a readable part and a digest of the name.

    No two names have one owner: a name that looks like an escaped one is escaped too. Raises InvalidRequest for an
    empty name, which would be a single user's owner.
    """
    if not name:
        raise InvalidRequest("A user without a name can't own projects.")
    if len(name) <= MAX_OWNER_LENGTH and _PLAIN.fullmatch(name) and not _ESCAPED.fullmatch(name):
        return name
    # A name may hold what UTF-8 can't, as a lone surrogate.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    room = MAX_OWNER_LENGTH - _DIGEST_LENGTH - 1
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:room].strip("-")
    return f"{readable}-{digest}" if readable else digest


def check_owner(value: object) -> str:
    """Return `value` if it is SINGLE_USER or what `owner_of_name` may give, else raise InvalidRequest."""
    if value == SINGLE_USER or (isinstance(value, str) and len(value) <= MAX_OWNER_LENGTH and _PLAIN.fullmatch(value)):
        return value
    raise InvalidRequest("This owner can't be used.", hint="An owner is a user's name as the store has it.")
