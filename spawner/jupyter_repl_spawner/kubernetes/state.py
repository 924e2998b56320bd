"""What a Lease says, and what a REPL is doing by it and its pods. Pure: nothing of it is stored twice.

A Lease with a deadline is being worked on by its holder (a start, or a stop), who moves the deadline on as long as it
lives. One without is settled: it has failed, or was stopped and left something unsaved, or its pod runs, or its pod was
lost and somebody must start it again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.phases import RUNNING, STOPPED, STOPPING, Phase

from . import names, reasons

Object = dict[str, Any]


@dataclass(frozen=True)
class Anchor:
    """A Lease, read. `deadline` and `renewed` in seconds since the epoch; a deadline of 0: nobody works on it."""

    name: str
    namespace: str
    uid: str
    holder: str
    said_deadline: str
    deadline: float
    pod: str
    generation: int
    attempt: int
    failure: str
    lost: str
    left: str
    stopping: str
    assignment: str
    renewed: float

    @classmethod
    def of(cls, lease: Object) -> "Anchor":
        metadata, spec = lease["metadata"], lease.get("spec") or {}
        said = metadata.get("annotations") or {}
        deadline = said.get(names.DEADLINE, "")
        return cls(
            name=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
            holder=spec.get("holderIdentity", ""),
            said_deadline=deadline,
            deadline=seconds(deadline),
            pod=said.get(names.POD, ""),
            generation=_number(said.get(names.GENERATION, "")),
            attempt=_number(said.get(names.ATTEMPT, "")),
            failure=said.get(names.FAILURE, ""),
            lost=said.get(names.LOST, ""),
            left=said.get(names.LEFT, ""),
            stopping=said.get(names.STOPPING, ""),
            assignment=said.get(names.ASSIGNMENT, ""),
            renewed=seconds(spec.get("renewTime") or ""),
        )

    @property
    def is_stopping(self) -> bool:
        return bool(self.stopping)

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nobody works on it: it only says how it ended."""
        return bool(self.failure or self.left) and not self.deadline

    @property
    def reference(self) -> Object:
        """As much of the Lease as an owner reference needs."""
        metadata = {"name": self.name, "namespace": self.namespace, "uid": self.uid}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}

    @property
    def to_do(self) -> Assignment | None:
        """None if the annotation is no assignment."""
        try:
            return Assignment.from_json(self.assignment)
        except (ReplError, ValueError, KeyError, TypeError):
            return None

    def is_worked_on(self, now: float) -> bool:
        return self.deadline > now

    def is_abandoned(self, now: float) -> bool:
        """Whether its holder has died while it worked on it."""
        return bool(self.deadline) and self.deadline <= now

    def has_lost(self, pods: Sequence[Object]) -> bool:
        """Whether nobody works on it, it ran, and its pod is gone."""
        return not self.is_over and not self.deadline and self.pod_of(pods) is None

    def pod_of(self, pods: Sequence[Object]) -> Object | None:
        """The pod that it names, alive."""
        return next((pod for pod in pods if pod["metadata"]["uid"] == self.pod and is_alive(pod)), None)


def _number(text: str) -> int:
    """0 for an empty text, and for one that is no number: annotations can be written by hand."""
    try:
        return int(text)
    except ValueError:
        return 0


def _said(text: str) -> tuple[str, str]:
    """Reason and hint of FAILURE or LEFT."""
    try:
        found = parse_json(text)
        return str(found["reason"]), str(found["hint"])
    except (ValueError, KeyError, TypeError):
        return text, ""


def is_alive(pod: Object) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and pod.get("status", {}).get("phase") not in (
        "Failed",
        "Succeeded",
    )


def may_still_save(pod: Object, now: float) -> bool:
    """Whether it was claimed once, and is on its way out within its grace period."""
    metadata = pod["metadata"]
    until = metadata.get("deletionTimestamp")
    is_claimed = metadata.get("labels", {}).get(names.STATE) == names.CLAIMED
    is_over = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
    return is_claimed and bool(until) and not is_over and seconds(until) > now


def phase(lease: Object | None, pods: Sequence[Object]) -> Phase:
    """`pods`: those with the REPL's label."""
    if lease is None:
        return STOPPED
    anchor = Anchor.of(lease)
    if anchor.failure:
        reason, hint = _said(anchor.failure)
        return Phase("failed", cause="start-failed", reason=reason, hint=hint)
    if anchor.is_stopping:
        return STOPPING
    if anchor.left:
        reason, hint = _said(anchor.left)
        return replace(STOPPED, cause="unsaved", reason=reason, hint=hint)
    pod = anchor.pod_of(pods)
    if not anchor.deadline and pod is not None:
        if unsaving := reasons.unsaving(pod):
            return replace(RUNNING, reason=unsaving.sentence, hint=unsaving.hint)
        reason = reasons.restarted(pod) or anchor.lost
        return replace(RUNNING, reason=reason) if reason else RUNNING
    return Phase("starting", step=step(anchor, pods))


def step(anchor: Anchor, pods: Sequence[Object]) -> str:
    """What a start waits for, in words."""
    if anchor.pod_of(pods) is not None:
        return "Restoring files"
    newer = [pod for pod in pods if is_alive(pod)]
    said = reasons.waiting_for(newer[-1]).text if newer else "Looking for a pod"
    return f"{anchor.lost} {said}" if anchor.lost else said


def loss(pod: Object | None, events: Sequence[Object]) -> str:
    """Why the pod that a Lease named is no more."""
    reason = reasons.lost_by(pod, events) if pod is not None else None
    return reason.sentence if reason else "The pod was lost."


def words(reason: str, hint: str) -> str:
    """The value of FAILURE or LEFT."""
    return json.dumps({"reason": reason, "hint": hint})


def stamp(moment: float) -> str:
    """As Kubernetes writes times, from seconds since the epoch."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str) -> float:
    """The reverse of `stamp`; 0 for an empty text, and for one that is no time."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
