"""What the two containers of a pod and the server agree on. Pure.

The volume `work` holds the project, its trash and the person's home. The volume `marks` holds the marks of sync and,
once the pod is assigned, the record; only sync writes it, and the runner reads it. Only sync mounts `private` and
`index`.

The server signs its orders to sync with Ed25519, because every program in the pod can reach sync's port, and none has
the key. Sync's answers carry a proof (see `proof`), because a program may take over the port while sync is down.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from .assignment import Assignment
from .grant import Grant
from .json_text import parse_json

RUNNER_PORT, SYNC_PORT, APP_PORT = 3001, 3002, 3000

GRACE_SECONDS = 60
"""Between a pod's first signal and SIGKILL. Sync is a sidecar, so it gets SIGTERM only after the runner has ended."""

WORK, MARKS, PRIVATE, INDEX = "/repl", "/run/repl", "/private", "/index"
PROJECT, TRASH, HOME = f"{WORK}/project", f"{WORK}/trash", f"{WORK}/home"
ASSIGNED_FILE = "assigned.json"
"""In PRIVATE: the order that sync has accepted. Sync reads it if it is started again after it was killed."""

SIGNATURE_HEADER = "X-Jupyter-Repl-Signature"
"""`{key id}:{signature in hexadecimal}`."""
UID_VARIABLE, KEY_VARIABLE = "JUPYTER_REPL_POD", "JUPYTER_REPL_PUBLIC_KEY"
"""Environment variables of sync's container: the pod's uid, and the servers' public key in hexadecimal."""
DISK_VARIABLE = "JUPYTER_REPL_DISK"
"""Environment variable of the runner's container: how many bytes WORK may hold."""

ASSIGN, PROGRESS, CREDENTIALS, STATUS, FLUSH = "/assign", "/progress", "/credentials", "/status", "/flush"
"""The answers to ASSIGN and PROGRESS have one line for each step of the restore."""


def signed(pod_uid: str, path: str, nonce: str, body: bytes) -> bytes:
    """Returns the bytes to sign. They bind an order to one pod and one path and, by the nonce, to one question."""
    return f"jupyter-repl\n{pod_uid}\n{path}\n{nonce}\n".encode() + body


def key_id(public_key: str) -> str:
    """Returns the id of a key pair of the servers. `public_key`: its public half in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]


@dataclass(frozen=True)
class Order:
    """The body of ASSIGN: assigns the pod to one REPL for good. It is sent once, to a pod in which no program has run
    yet. `token`: the runner's token. `secret`: sync's key in hexadecimal, with which it proves its answers."""

    assignment: Assignment
    grant: Grant
    token: str = field(repr=False)
    secret: str = field(repr=False)

    def to_json(self) -> str:
        fields = {"assignment": self.assignment.to_json(), "grant": self.grant.to_json()}
        return json.dumps({**fields, "token": self.token, "secret": self.secret})

    @classmethod
    def from_json(cls, text: str) -> "Order":
        """Raises ValueError, KeyError or TypeError."""
        fields = parse_json(text)
        assignment, grant = Assignment.from_json(fields["assignment"]), Grant.from_json(fields["grant"])
        return cls(assignment, grant, fields["token"], fields["secret"])


@dataclass(frozen=True)
class Renewal:
    """The body of CREDENTIALS. `sealed`: the credentials as JSON, encrypted for the sync of this generation alone, in
    hexadecimal. Sync takes them only if they expire later than those in use."""

    generation: int
    sealed: str

    def to_json(self) -> str:
        return json.dumps({"generation": self.generation, "sealed": self.sealed})

    @classmethod
    def from_json(cls, text: str) -> "Renewal":
        """Raises ValueError, KeyError or TypeError."""
        fields = parse_json(text)
        return cls(int(fields["generation"]), str(fields["sealed"]))


SEAL_NONCE_BYTES = 12
"""The length of the AES-GCM nonce, which precedes the encrypted text of a renewal."""


def renewal_key(secret: str) -> bytes:
    """Returns the AES-256-GCM key for renewals. It is derived from sync's secret, so it is not the key of the
    proofs."""
    return hmac.digest(bytes.fromhex(secret), b"jupyter-repl renewals", "sha256")


def renewal_context(pod_uid: str, generation: int) -> bytes:
    """Returns the associated data (AES-GCM) that binds a renewal to one pod and one generation."""
    return f"{pod_uid}\n{generation}".encode()
