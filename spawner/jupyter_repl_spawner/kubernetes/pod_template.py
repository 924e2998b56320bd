"""What the pods of a language are made of, and their specification as plain data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.pod import RUNNER_PORT, SYNC_PORT

from . import names, quantities
from .overrides import merge

UID = 1000
TEMPORARY_PATH = "/tmp"  # noqa: S108 - the container's own
GONE_SECONDS = 30
"""For which an unreachable node keeps its pods."""

DEFAULT = "*"
"""The template of languages that have none of their own."""

Manifest = dict[str, Any]
_WORK = {"name": "work", "mountPath": pod.WORK}
_MARKS = {"name": "marks", "mountPath": pod.MARKS}


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


def pod_template(template: PodTemplate, labels: Mapping[str, str]) -> Manifest:
    """With the admin's overrides. Raises InvalidRequest where they don't fit."""
    annotations = {names.KEY: pod.key_id(template.public_key)} if template.public_key else {}
    made = {"metadata": {"labels": dict(labels), "annotations": annotations}, "spec": pod_spec(template)}
    return dict(merge(made, template.overrides))


def pod_spec(template: PodTemplate) -> Manifest:
    """Sync as a native sidecar with what it alone may see, and the runner with nothing but the files."""
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
        "initContainers": [_sync(template)],
        "containers": [_runner(template)],
        "volumes": _volumes(template),
    }
    return {**spec, **({"runtimeClassName": template.runtime_class} if template.runtime_class else {})}


def _sync(template: PodTemplate) -> Manifest:
    return {
        **_common(template),
        "name": "sync",
        "args": ["sync", "--pod"],
        "restartPolicy": "Always",
        "env": [
            {"name": pod.UID_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": pod.KEY_VARIABLE, "value": template.public_key},
            {"name": "TMPDIR", "value": pod.INDEX},
        ],
        "ports": [{"name": "sync", "containerPort": SYNC_PORT}],
        "resources": {
            "requests": {"cpu": "50m", "memory": "128Mi"},
            "limits": {"memory": template.sync_memory},
        },
        "volumeMounts": [
            _WORK,
            _MARKS,
            {"name": "private", "mountPath": pod.PRIVATE},
            {"name": "index", "mountPath": pod.INDEX},
        ],
    }


def _runner(template: PodTemplate) -> Manifest:
    # Above what the volumes may hold: their own limits are to be met first, which say what is full.
    room = 2 * (quantities.parse(template.disk) + quantities.parse(template.temporary))
    return {
        **_common(template),
        "name": "runner",
        "args": ["serve", "--pod"],
        "env": [{"name": pod.DISK_VARIABLE, "value": str(quantities.parse(template.disk))}],
        "ports": [{"name": "runner", "containerPort": RUNNER_PORT}],
        "resources": {
            "requests": {"cpu": template.cpu_request, "memory": template.memory_request},
            "limits": {"cpu": template.cpu, "memory": template.memory, "ephemeral-storage": str(room)},
        },
        "volumeMounts": [_WORK, {**_MARKS, "readOnly": True}, {"name": "temporary", "mountPath": TEMPORARY_PATH}],
    }


def _volumes(template: PodTemplate) -> list[Manifest]:
    return [
        {"name": "work", "emptyDir": {"sizeLimit": template.disk}},
        {"name": "temporary", "emptyDir": {"sizeLimit": template.temporary}},
        {"name": "index", "emptyDir": {"sizeLimit": "512Mi"}},
        {"name": "marks", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "private", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]


def _common(template: PodTemplate) -> Manifest:
    """Of both containers."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    return {"image": template.image, "imagePullPolicy": template.image_pull_policy, "securityContext": security}
