"""Names of a REPL's objects, and the labels and annotations that they carry. Pure.

A name is always valid (a DNS label of at most 63 characters) and no two REPLs share one: whatever is readable in it is
cut, and a hash of owner and id follows.
"""

import hashlib
import re

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef

DOMAIN = "jupyter-repl"
ID = f"{DOMAIN}/id"
STATE = f"{DOMAIN}/state"
TEMPLATE, POOL = f"{DOMAIN}/template", f"{DOMAIN}/pool"
MANAGED_BY = "app.kubernetes.io/managed-by"
OWNER, REPL = f"{DOMAIN}/owner", f"{DOMAIN}/repl"
"""Annotations of the Lease: whose it is. OWNER is a label of all objects too, where there is an owner."""
OWNER_NAME = f"{DOMAIN}/owner-name"
"""An annotation of the Lease: the true name of the owner, for people."""
GENERATION, POD, DEADLINE, FAILURE = (f"{DOMAIN}/{name}" for name in ("generation", "pod", "deadline", "failure"))
ASSIGNMENT, ATTEMPT, LOST, STOPPING = (f"{DOMAIN}/{name}" for name in ("assignment", "attempt", "lost", "stopping"))
LEFT = f"{DOMAIN}/left"
"""Annotations of the Lease; see `state`."""
CLAIMED_AT = f"{DOMAIN}/claimed-at"
"""An annotation of a claimed pod."""
GROWN_AT = f"{DOMAIN}/grown-at"
"""An annotation of a pool's Deployment: when a server wanted it as large as it is, or larger."""
KEY = f"{DOMAIN}/key"
"""An annotation of each pod: the id of the servers' key that it was made with."""

WARM, CLAIMED, COLD = "warm", "claimed", "cold"
"""What STATE says of a pod. WARM ones wait in a pool for anybody; a COLD one is made for one REPL, and claimed too."""

_READABLE = 40
_HASH = 16


def slug(ref: ProjectRef) -> str:
    """The name of each of its objects, and the value of ID."""
    readable = re.sub(r"[^a-z0-9]+", "-", f"{ref.owner}-{ref.repl_id}".lower()).strip("-")[:_READABLE].strip("-")
    digest = hashlib.sha256(f"{ref.owner}\0{ref.repl_id}".encode()).hexdigest()[:_HASH]
    return f"repl-{readable}-{digest}" if readable else f"repl-{digest}"


def pool(template: str, digest: str) -> str:
    """The name of a pool's Deployment: another for each version of the template, so that the old one is drained."""
    readable = re.sub(r"[^a-z0-9]+", "-", template.lower()).strip("-")[:_READABLE].strip("-")
    return f"repl-pool-{readable}-{digest[:_HASH]}"


def ref_of(annotations: dict[str, str]) -> ProjectRef | None:
    """Whose object it is, or None for one that is not ours."""
    if REPL not in annotations:
        return None
    try:
        return ProjectRef(annotations.get(OWNER, ""), annotations[REPL])
    except ReplError:  # an id that somebody wrote by hand
        return None
