"""JSON Patches by which servers agree: each tests what it has seen, so it is a compare-and-swap. Pure."""

from collections.abc import Mapping

from jupyter_repl_runner.contract.refs import ProjectRef

from . import names
from .manifests import owner_reference
from .pod_template import Manifest

_NOT_TO_EVICT = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def claim(
    uid: str, state: str, ref: ProjectRef, anchor: Manifest, now: str, *, has_annotations: bool
) -> list[Manifest]:
    """A JSON Patch that makes a candidate pod this REPL's, or fails with 422: it is judged against the pod as it is, so
    that status writes of the kubelet are no conflict. A pod that is about to go can't be claimed.

    Annotations of others stay: a CNI may keep the pod's network in them. `has_annotations`: as it was seen; a pod that
    has got its first one since can't be claimed by this patch.

    A warm one gets the Lease as its owner. A cold one keeps its ReplicaSet, which the Lease owns: with two owners it
    would outlive either.
    """
    owner = [{"op": "add", "path": "/metadata/ownerReferences", "value": [owner_reference(anchor)]}]
    labels, annotations = "/metadata/labels", "/metadata/annotations"
    ours = {names.CLAIMED_AT: now, **_NOT_TO_EVICT}
    noting = [{"op": "test", "path": annotations, "value": None}, {"op": "add", "path": annotations, "value": ours}]
    if has_annotations:
        noting = [_annotate(name, value) for name, value in ours.items()]
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/metadata/deletionTimestamp", "value": None},
        {"op": "test", "path": f"{labels}/{_escaped(names.STATE)}", "value": state},
        {"op": "replace", "path": f"{labels}/{_escaped(names.STATE)}", "value": names.CLAIMED},
        {"op": "add", "path": f"{labels}/{_escaped(names.ID)}", "value": names.slug(ref)},
        *([{"op": "add", "path": f"{labels}/{_escaped(names.OWNER)}", "value": ref.owner}] if ref.owner else ()),
        *(owner if state == names.WARM else ()),
        *noting,
    ]


def note(uid: str, holder: str, changes: Mapping[str, str], now: str = "") -> list[Manifest]:
    """A JSON Patch of a Lease's annotations, or 422 if it is another Lease, or somebody else's by now. Without a value
    is the same as empty. `now`: somebody works with it."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/holderIdentity", "value": holder},
        *(_annotate(name, value) for name, value in changes.items()),
        *([{"op": "add", "path": "/spec/renewTime", "value": now}] if now else []),
    ]


def take_over(uid: str, holder: str, deadline: str, new_holder: str, changes: Mapping[str, str]) -> list[Manifest]:
    """A JSON Patch that makes a Lease that was seen with `holder` and `deadline` the new holder's; 422 if it is not
    so any more."""
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/spec/holderIdentity", "value": holder},
        {"op": "test", "path": f"/metadata/annotations/{_escaped(names.DEADLINE)}", "value": deadline},
        {"op": "replace", "path": "/spec/holderIdentity", "value": new_holder},
        *(_annotate(name, value) for name, value in changes.items()),
    ]


def _annotate(name: str, value: str) -> Manifest:
    return {"op": "add", "path": f"/metadata/annotations/{_escaped(name)}", "value": value}


def _escaped(name: str) -> str:
    return name.replace("/", "~1")
