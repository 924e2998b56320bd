"""What a runner's sync is given so that it may work on one project in S3. It travels by a socket, never by an
environment."""

import json
from dataclasses import asdict, dataclass, field

from .json_text import parse_json
from .refs import ProjectRef

MAX_FILE_BYTES = 512 << 20


@dataclass(frozen=True)
class S3Settings:
    """Where a bucket is and how to talk to it. `prefix` is empty or ends with a slash; all else may be empty: boto3's
    own settings hold then. `single_server`: nobody else writes, so a lock file may stand in for conditions."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    profile: str = ""
    ca_bundle: str = ""
    path_style: bool = False
    single_server: bool = False


@dataclass(frozen=True)
class Credentials:
    """Keys of S3; `expires` in seconds since the epoch, 0: never. They appear in no log."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: float = 0.0


@dataclass(frozen=True)
class Grant:
    """The right to write a project's files. `generation` and `holder` are what the store says as long as it lasts;
    `project` distinguishes this project from an earlier one of its name. `credentials` None: sync finds its own,
    as boto3 does. `conditions`: what the store was found to honour, on PUT, DELETE and COPY. Files over
    `max_file_bytes` are reported, not saved."""

    ref: ProjectRef
    generation: int
    holder: str
    project: str
    store: S3Settings
    credentials: Credentials | None = None
    conditions: tuple[bool, bool, bool] = (True, False, False)
    max_file_bytes: int = MAX_FILE_BYTES

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Grant":
        """Raises ValueError, KeyError or TypeError."""
        fields = parse_json(text)
        keys = fields["credentials"]
        fields |= {"store": S3Settings(**fields["store"]), "credentials": Credentials(**keys) if keys else None}
        return cls(**{**fields, "ref": ProjectRef(**fields["ref"]), "conditions": tuple(fields["conditions"])})
