"""The assignment: which project a runner serves, and how."""

import json
from dataclasses import asdict, dataclass

from .json_text import check_fields, parse_json
from .refs import ProjectRef

RING_BYTES = 8 << 20


@dataclass(frozen=True)
class Assignment:
    """`run` and `main` are the template's; they apply unless the project's `.repl.toml` sets them. `ring_bytes`: how
    much output of each terminal is retained for tabs that reconnect."""

    ref: ProjectRef
    language: str = ""
    run: str = ""
    main: str = ""
    ring_bytes: int = RING_BYTES
    owner_name: str = ""
    """The true name of the owner, for people; empty on a laptop."""

    def to_json(self) -> str:
        # A runner of an earlier version refuses a field that it does not know: only hubs send this one.
        return json.dumps({name: value for name, value in asdict(self).items() if name != "owner_name" or value})

    @classmethod
    def from_json(cls, text: str) -> "Assignment":
        """Ignores fields of a later version. Raises ValueError, KeyError or TypeError if `text` is not an assignment,
        and InvalidRequest for a bad owner or id."""
        fields = parse_json(text)
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
        found = cls(**{**known, "ref": ProjectRef(**fields["ref"])})
        check_fields(found.ref)
        check_fields(found)
        return found
