"""What a Lease says, and what a REPL is doing by it and its pods. Pure: nothing of it is stored twice.

A Lease with a deadline is being worked on by its holder (a start, or a stop), who moves the deadline on as long as it
lives. One without is settled: it has failed, or its pod runs, or its pod was lost and somebody must start it again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from jupyter_repl_runner.contract.assignment import Assignment
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
    is_stopping: bool
    assignment: str
    renewed: float

    @classmethod
    def of(cls, lease: Object) -> "Anchor":
        metadata, spec = lease["metadata"], lease["spec"]
        said = metadata.get("annotations", {})
        deadline = said.get(names.DEADLINE, "")
        return cls(
            name=metadata["name"],
            namespace=metadata["namespace"],
            uid=metadata["uid"],
            holder=spec.get("holderIdentity", ""),
            said_deadline=deadline,
            deadline=seconds(deadline) if deadline else 0.0,
            pod=said.get(names.POD, ""),
            generation=int(said.get(names.GENERATION) or 0),
            attempt=int(said.get(names.ATTEMPT) or 0),
            failure=said.get(names.FAILURE, ""),
            lost=said.get(names.LOST, ""),
            is_stopping=bool(said.get(names.STOPPING)),
            assignment=said.get(names.ASSIGNMENT, ""),
            renewed=seconds(spec["renewTime"]) if spec.get("renewTime") else 0.0,
        )

    @property
    def reference(self) -> Object:
        """As much of the Lease as its objects want to know of their owner."""
        metadata = {"name": self.name, "namespace": self.namespace, "uid": self.uid}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}

    @property
    def to_do(self) -> Assignment:
        return Assignment.from_json(self.assignment)

    def is_worked_on(self, now: float) -> bool:
        return self.deadline > now

    def is_abandoned(self, now: float) -> bool:
        """Whether its holder has died over it."""
        return bool(self.deadline) and self.deadline <= now

    def has_lost(self, pods: Sequence[Object]) -> bool:
        """Whether it is settled, ran, and its pod is not to be had any more."""
        return not self.failure and not self.deadline and self.pod_of(pods) is None

    def pod_of(self, pods: Sequence[Object]) -> Object | None:
        """The pod that it names, alive."""
        return next((pod for pod in pods if pod["metadata"]["uid"] == self.pod and is_alive(pod)), None)


def is_alive(pod: Object) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and pod.get("status", {}).get("phase") not in (
        "Failed",
        "Succeeded",
    )


def phase(lease: Object | None, pods: Sequence[Object]) -> Phase:
    """`pods`: those with the REPL's label."""
    if lease is None:
        return STOPPED
    anchor = Anchor.of(lease)
    if anchor.failure:
        said = json.loads(anchor.failure)
        return Phase("failed", cause="start-failed", reason=said["reason"], hint=said["hint"])
    if anchor.is_stopping:
        return STOPPING
    pod = anchor.pod_of(pods)
    if not anchor.deadline and pod is not None:
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


def failure(reason: str, hint: str) -> str:
    return json.dumps({"reason": reason, "hint": hint})


def stamp(moment: float) -> str:
    """As Kubernetes writes times, from seconds since the epoch."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str) -> float:
    """The reverse of `stamp`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
