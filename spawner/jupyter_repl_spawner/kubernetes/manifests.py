"""The objects of a REPL as plain data, from plain data. Pure: a real API server's dry run judges them in the tests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.pod import APP_PORT, RUNNER_PORT, SYNC_PORT
from jupyter_repl_runner.contract.refs import ProjectRef

from . import names, quantities
from .overrides import merge

UID = 1000
TEMPORARY_PATH = "/tmp"  # noqa: S108 - the container's own
GONE_SECONDS = 30
"""For which an unreachable node keeps its pods."""

_NOT_TO_EVICT = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}

DEFAULT = "*"
"""The template of languages that have none of their own."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class PodTemplate:
    """What pods of a language are made of; `language` is a label's value. Sizes in Kubernetes' own words; `public_key`:
    of the servers, see `contract.pod`; `overrides`: merged over the Deployments' pod template, see `overrides`."""

    language: str
    image: str
    cpu: str = "1"
    cpu_request: str = "100m"
    memory: str = "1Gi"
    memory_request: str = "256Mi"
    disk: str = "2Gi"
    temporary: str = "512Mi"
    sync_memory: str = "512Mi"
    runtime_class: str = ""
    image_pull_policy: str = "IfNotPresent"
    public_key: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)


def lease(ref: ProjectRef, namespace: str, holder: str, now: str, annotations: Mapping[str, str]) -> Manifest:
    """The anchor: whoever creates it starts the REPL; all else is owned by it. `now` as Kubernetes writes times."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": names.slug(ref),
            "namespace": namespace,
            "labels": _labels(ref),
            "annotations": {names.OWNER: ref.owner, names.REPL: ref.repl_id, **annotations},
        },
        "spec": {"holderIdentity": holder, "acquireTime": now, "renewTime": now},
    }


def service(ref: ProjectRef, anchor: Manifest) -> Manifest:
    """For those who want one stable name; nothing waits for it."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _owned(ref, anchor),
        "spec": {
            "selector": {names.ID: names.slug(ref)},
            "ports": [
                {"name": "runner", "port": RUNNER_PORT, "targetPort": RUNNER_PORT},
                {"name": "app", "port": APP_PORT, "targetPort": APP_PORT},
            ],
        },
    }


@dataclass(frozen=True)
class Hosts:
    """A host for each REPL's app: `pattern` holds `{name}`, as `{name}.apps.example.org`; `ingress_class` empty: the
    cluster's default."""

    pattern: str
    ingress_class: str = ""


def ingress(ref: ProjectRef, anchor: Manifest, hosts: Hosts) -> Manifest:
    """The way to what the person's program serves on APP_PORT; never to the runner."""
    name = names.slug(ref)
    backend = {"service": {"name": name, "port": {"name": "app"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec: Manifest = {"rules": [{"host": hosts.pattern.replace("{name}", name), "http": {"paths": [path]}}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _owned(ref, anchor),
        "spec": {**spec, **({"ingressClassName": hosts.ingress_class} if hosts.ingress_class else {})},
    }


def deployment(ref: ProjectRef, anchor: Manifest, template: PodTemplate) -> Manifest:
    """A cold start's own: one pod, and another one where that is lost."""
    labels = {**_labels(ref), names.STATE: names.COLD}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _owned(ref, anchor),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": {names.ID: names.slug(ref)}},
            "template": pod_template(template, labels),
        },
    }


def pool(template: PodTemplate, namespace: str, size: int) -> Manifest:
    """Warm pods of a template; a claimed one leaves the selector, and another takes its place."""
    labels = {names.MANAGED_BY: names.DOMAIN, names.TEMPLATE: template.language, names.STATE: names.WARM}
    name = pool_name(template)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": size,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": {names.POOL: name, names.STATE: names.WARM}},
            "template": pod_template(template, {**labels, names.POOL: name}),
        },
    }


def pool_name(template: PodTemplate) -> str:
    """Another for each version of a template."""
    made = json.dumps(pod_template(template, {}), sort_keys=True)
    return names.pool(template.language, hashlib.sha256(made.encode()).hexdigest())


def pod_template(template: PodTemplate, labels: Mapping[str, str]) -> Manifest:
    """With the admin's overrides. Raises InvalidRequest where they don't fit."""
    annotations = {names.KEY: pod.key_id(template.public_key)} if template.public_key else {}
    made = {"metadata": {"labels": dict(labels), "annotations": annotations}, "spec": pod_spec(template)}
    return dict(merge(made, template.overrides))


def pod_spec(template: PodTemplate) -> Manifest:
    """Sync as a native sidecar with what it alone may see, and the runner with nothing but the files."""
    work, marks = {"name": "work", "mountPath": pod.WORK}, {"name": "marks", "mountPath": pod.MARKS}
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    common = {"image": template.image, "imagePullPolicy": template.image_pull_policy, "securityContext": security}
    # Above what the volumes may hold: their own limits are to be met first, which say what is full.
    room = 2 * (quantities.parse(template.disk) + quantities.parse(template.temporary))
    small = {"cpu": "50m", "memory": "128Mi"}
    sync = {
        **common,
        "name": "sync",
        "args": ["sync", "--pod"],
        "restartPolicy": "Always",
        "env": [
            {"name": pod.UID_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": pod.KEY_VARIABLE, "value": template.public_key},
            {"name": "TMPDIR", "value": pod.INDEX},
        ],
        "ports": [{"name": "sync", "containerPort": SYNC_PORT}],
        "resources": {"requests": small, "limits": {"memory": template.sync_memory}},
        "volumeMounts": [
            work,
            marks,
            {"name": "private", "mountPath": pod.PRIVATE},
            {"name": "index", "mountPath": pod.INDEX},
        ],
    }
    runner = {
        **common,
        "name": "runner",
        "args": ["serve", "--pod"],
        "env": [{"name": pod.DISK_VARIABLE, "value": str(quantities.parse(template.disk))}],
        "ports": [{"name": "runner", "containerPort": RUNNER_PORT}],
        "resources": {
            "requests": {"cpu": template.cpu_request, "memory": template.memory_request},
            "limits": {"cpu": template.cpu, "memory": template.memory, "ephemeral-storage": str(room)},
        },
        "volumeMounts": [work, {**marks, "readOnly": True}, {"name": "temporary", "mountPath": TEMPORARY_PATH}],
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": pod.GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{key}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": GONE_SECONDS,
            }
            for key in ("not-ready", "unreachable")
        ],
        "initContainers": [sync],
        "containers": [runner],
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": template.disk}},
            {"name": "temporary", "emptyDir": {"sizeLimit": template.temporary}},
            {"name": "index", "emptyDir": {"sizeLimit": "512Mi"}},
            {"name": "marks", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "private", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        ],
    }
    return {**spec, **({"runtimeClassName": template.runtime_class} if template.runtime_class else {})}


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
    owner = [{"op": "add", "path": "/metadata/ownerReferences", "value": [_owner(anchor)]}]
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


def _labels(ref: ProjectRef) -> dict[str, str]:
    return {names.MANAGED_BY: names.DOMAIN, names.ID: names.slug(ref)}


def _owned(ref: ProjectRef, anchor: Manifest) -> Manifest:
    return {
        "name": names.slug(ref),
        "namespace": anchor["metadata"]["namespace"],
        "labels": _labels(ref),
        "ownerReferences": [_owner(anchor)],
    }


def _owner(anchor: Manifest) -> Manifest:
    return {
        "apiVersion": anchor["apiVersion"],
        "kind": anchor["kind"],
        "name": anchor["metadata"]["name"],
        "uid": anchor["metadata"]["uid"],
    }
