"""Grants: the permission of a runner's sync to work on one project in S3. A grant is sent through a socket, never in
environment variables."""

import json
from dataclasses import asdict, dataclass, field

from .json_text import parse_json
from .refs import ProjectRef

MAX_FILE_BYTES = 512 << 20


@dataclass(frozen=True)
class S3Settings:
    """Where a bucket is and how to reach it. `prefix` is empty or ends with a slash. Other fields may be empty: then
    boto3's own settings apply. `single_server`: no other machine writes, so a lock file may replace conditions."""

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
    """The permission to write a project's files. It is valid as long as the store holds this `generation` and `holder`.
    `project` distinguishes this project from an earlier one with its name. `credentials` None: boto3 finds them itself.
    `conditions`: whether the store honours conditions on PUT, DELETE and COPY. Files over `max_file_bytes` are
    reported, not saved."""

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
