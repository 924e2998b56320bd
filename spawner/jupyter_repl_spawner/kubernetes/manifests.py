"""The objects of a REPL as plain data, from plain data. Pure: a real API server's dry run judges them in the tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_repl_runner.contract.refs import ProjectRef

from . import names

RUNNER_PORT, SYNC_PORT, APP_PORT = 3001, 3002, 3000
UID = 1000
TEMPORARY_PATH = "/tmp"  # noqa: S108 - the container's own
GRACE_SECONDS = 60
GONE_SECONDS = 30
"""For which an unreachable node keeps its pods."""

Manifest = dict[str, Any]


@dataclass(frozen=True)
class PodTemplate:
    """What pods of a language are made of. Sizes in Kubernetes' own words; `overrides`: see `overrides`."""

    language: str
    image: str
    cpu: str = "1"
    cpu_request: str = "100m"
    memory: str = "1Gi"
    memory_request: str = "256Mi"
    disk: str = "2Gi"
    temporary: str = "512Mi"
    runtime_class: str = ""
    image_pull_policy: str = "IfNotPresent"
    overrides: Mapping[str, Any] = field(default_factory=dict)


def lease(ref: ProjectRef, namespace: str, holder: str, now: str) -> Manifest:
    """The anchor: whoever creates it starts the REPL; all else is owned by it. `now` as Kubernetes writes times."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": names.slug(ref),
            "namespace": namespace,
            "labels": _labels(ref),
            "annotations": {names.OWNER: ref.owner, names.REPL: ref.repl_id},
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
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(template)},
        },
    }


def pool(template: PodTemplate, digest: str, namespace: str, size: int) -> Manifest:
    """Warm pods of a template; a claimed one leaves the selector, and another takes its place."""
    labels = {names.MANAGED_BY: names.DOMAIN, names.TEMPLATE: template.language, names.STATE: names.WARM}
    name = names.pool(template.language, digest)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": size,
            "revisionHistoryLimit": 0,
            "selector": {"matchLabels": {f"{names.DOMAIN}/pool": name, names.STATE: names.WARM}},
            "template": {
                "metadata": {"labels": {**labels, f"{names.DOMAIN}/pool": name}},
                "spec": pod_spec(template),
            },
        },
    }


def pod_spec(template: PodTemplate) -> Manifest:
    """Sync as a native sidecar with what it alone may see, and the runner with nothing but the files."""
    work, marks = {"name": "work", "mountPath": "/work"}, {"name": "marks", "mountPath": "/run/repl"}
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    common = {"image": template.image, "imagePullPolicy": template.image_pull_policy, "securityContext": security}
    small = {"cpu": "50m", "memory": "128Mi"}
    sync = {
        **common,
        "name": "sync",
        "args": ["sync"],
        "restartPolicy": "Always",
        "ports": [{"name": "sync", "containerPort": SYNC_PORT}],
        "resources": {"requests": small, "limits": {"memory": "512Mi"}},
        "volumeMounts": [
            work,
            marks,
            {"name": "private", "mountPath": "/private"},
            {"name": "index", "mountPath": "/index"},
        ],
    }
    runner = {
        **common,
        "name": "runner",
        "args": ["serve"],
        "ports": [{"name": "runner", "containerPort": RUNNER_PORT}],
        "resources": {
            "requests": {"cpu": template.cpu_request, "memory": template.memory_request},
            "limits": {"cpu": template.cpu, "memory": template.memory},
        },
        "volumeMounts": [work, {**marks, "readOnly": True}, {"name": "temporary", "mountPath": TEMPORARY_PATH}],
    }
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
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


def claim(uid: str, state: str, ref: ProjectRef, anchor: Manifest) -> list[Manifest]:
    """A JSON Patch that makes a candidate pod this REPL's, or fails with 422: it is judged against the pod as it is, so
    that status writes of the kubelet are no conflict. A pod that is about to go can't be claimed."""
    escaped = names.STATE.replace("/", "~1")
    labels, annotations = "/metadata/labels", "/metadata/annotations"
    return [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/metadata/deletionTimestamp", "value": None},
        {"op": "test", "path": f"{labels}/{escaped}", "value": state},
        {"op": "replace", "path": f"{labels}/{escaped}", "value": names.CLAIMED},
        {"op": "add", "path": f"{labels}/{names.ID.replace('/', '~1')}", "value": names.slug(ref)},
        {"op": "add", "path": "/metadata/ownerReferences", "value": [_owner(anchor)]},
        {"op": "add", "path": annotations, "value": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
    ]


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
