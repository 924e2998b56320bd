"""What the two containers of a pod and the server agree on. Pure.

The volume `work` holds the project, its trash and the person's home; `marks` is written by sync alone and read by the
runner: the record, once the pod was assigned, and the marks of sync. `private` and `index` are sync's own.

The server's orders to sync are signed by Ed25519: whatever runs in the pod can reach that port, and holds no key.
Sync's answers carry a proof, see `proof`: whatever runs in the pod may hold that port while sync is away.
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
"""Between a pod's first signal and SIGKILL. Sync, a sidecar, gets its SIGTERM when the runner has ended."""

WORK, MARKS, PRIVATE, INDEX = "/repl", "/run/repl", "/private", "/index"
PROJECT, TRASH, HOME = f"{WORK}/project", f"{WORK}/trash", f"{WORK}/home"
ASSIGNED_FILE = "assigned.json"
"""In PRIVATE: the order that sync has taken, for a sync that was killed and started again."""

SIGNATURE_HEADER = "X-Jupyter-Repl-Signature"
"""`{key id}:{signature in hexadecimal}`."""
UID_VARIABLE, KEY_VARIABLE = "JUPYTER_REPL_POD", "JUPYTER_REPL_PUBLIC_KEY"
"""Of sync's container: the pod's uid, and the key of the servers in hexadecimal."""
DISK_VARIABLE = "JUPYTER_REPL_DISK"
"""Of the runner's: bytes that WORK may hold."""

ASSIGN, PROGRESS, CREDENTIALS, STATUS, FLUSH = "/assign", "/progress", "/credentials", "/status", "/flush"
"""ASSIGN and PROGRESS are answered with a line for each step of the restore."""


def signed(pod_uid: str, path: str, nonce: str, body: bytes) -> bytes:
    """What a signature is made of: an order is for one pod and one path, and its answer for one question."""
    return f"jupyter-repl\n{pod_uid}\n{path}\n{nonce}\n".encode() + body


def key_id(public_key: str) -> str:
    """The name of a servers' key, from its public half in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]


@dataclass(frozen=True)
class Order:
    """The body of ASSIGN: whose pod it is from now on, and for good. It is sent once, to a pod in which no program has
    run yet. `token`: the runner's; `secret`: sync's, in hexadecimal, of which the proofs of its answers are made."""

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
    hexadecimal. Those that expire earlier than the ones in use are not taken."""

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
"""Of AES-GCM, before the encrypted text of a renewal."""


def renewal_key(secret: str) -> bytes:
    """What renewals are encrypted with (AES-256-GCM), of sync's secret: proofs are made of another key."""
    return hmac.digest(bytes.fromhex(secret), b"jupyter-repl renewals", "sha256")


def renewal_context(pod_uid: str, generation: int) -> bytes:
    """What a renewal is bound to."""
    return f"{pod_uid}\n{generation}".encode()
