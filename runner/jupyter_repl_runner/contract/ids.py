"""The rule for the name of a REPL, stated once and quoted in every error about it."""

import re

from .errors import InvalidRequest

MAX_ID_LENGTH = 48
ID_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
ID_RULE = (
    "lower-case letters and digits, with single hyphens between them, "
    f"at most {MAX_ID_LENGTH} characters (for example quiet-otter-42)"
)

_ID = re.compile(ID_PATTERN.strip("^$"))


def check_id(value: object, what: str = "name") -> str:
    """Return `value` if it follows the rule for ids, else raise InvalidRequest, which quotes the rule."""
    if isinstance(value, str) and len(value) <= MAX_ID_LENGTH and _ID.fullmatch(value):
        return value
    raise InvalidRequest(f"This {what} can't be used.", hint=f"Use {ID_RULE}.")
