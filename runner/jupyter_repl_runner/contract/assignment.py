"""What a runner is told when a project becomes its own."""

import json
from dataclasses import asdict, dataclass

from .refs import ProjectRef


@dataclass(frozen=True)
class Assignment:
    """`run` and `main` are the template's, for a project whose `.repl.toml` does not say otherwise."""

    ref: ProjectRef
    language: str = ""
    run: str = ""
    main: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Assignment":
        fields = json.loads(text)
        return cls(**{**fields, "ref": ProjectRef(**fields["ref"])})
