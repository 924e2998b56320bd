"""What the two containers of a pod and the server agree on. Pure.

The volume `work` holds the project, its trash and the person's home; `marks` is written by sync alone and read by the
runner: the record, once the pod was assigned, and the marks of sync. `private` and `index` are sync's own.

The server's orders to sync are signed by Ed25519: whatever runs in the pod can reach that port, and holds no key.
"""

import json
from dataclasses import asdict, dataclass, field

from .assignment import Assignment
from .grant import Credentials, Grant

RUNNER_PORT, SYNC_PORT, APP_PORT = 3001, 3002, 3000

GRACE_SECONDS = 60
"""Between a pod's first signal and SIGKILL. Sync, a sidecar, is told when the runner has ended."""

WORK, MARKS, PRIVATE, INDEX = "/repl", "/run/repl", "/private", "/index"
PROJECT, TRASH, HOME = f"{WORK}/project", f"{WORK}/trash", f"{WORK}/home"
ASSIGNED_FILE = "assigned.json"
"""In PRIVATE: the order that sync has taken, for a sync that was killed and started again."""

SIGNATURE_HEADER = "X-Jupyter-Repl-Signature"
UID_VARIABLE, KEY_VARIABLE = "JUPYTER_REPL_POD", "JUPYTER_REPL_PUBLIC_KEY"
"""Of sync's container: the pod's uid, and the key of the servers in hexadecimal."""
DISK_VARIABLE = "JUPYTER_REPL_DISK"
"""Of the runner's: bytes that WORK may hold."""

ASSIGN, CREDENTIALS, STATUS, FLUSH = "/assign", "/credentials", "/status", "/flush"


def signed(pod_uid: str, path: str, body: bytes) -> bytes:
    """What a signature is made of: an order is for one pod and one path."""
    return f"jupyter-repl\n{pod_uid}\n{path}\n".encode() + body


@dataclass(frozen=True)
class Order:
    """The body of ASSIGN: whose pod it is from now on, and for good."""

    assignment: Assignment
    grant: Grant
    token: str = field(repr=False)

    def to_json(self) -> str:
        fields = {"assignment": self.assignment.to_json(), "grant": self.grant.to_json(), "token": self.token}
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> "Order":
        """Raises ValueError, KeyError or TypeError."""
        fields = json.loads(text)
        return cls(Assignment.from_json(fields["assignment"]), Grant.from_json(fields["grant"]), fields["token"])


@dataclass(frozen=True)
class Renewal:
    """The body of CREDENTIALS; those that expire earlier than the ones in use are not taken."""

    generation: int
    credentials: Credentials

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Renewal":
        """Raises ValueError, KeyError or TypeError."""
        fields = json.loads(text)
        return cls(int(fields["generation"]), Credentials(**fields["credentials"]))
