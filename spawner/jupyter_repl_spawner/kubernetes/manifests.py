"""The objects of a REPL as plain data, from plain data. Pure: a real API server's dry run judges them in the tests."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from jupyter_repl_runner.contract.pod import APP_PORT, RUNNER_PORT
from jupyter_repl_runner.contract.refs import ProjectRef

from . import names
from .pod_template import Manifest, PodTemplate, pod_template


def lease(ref: ProjectRef, namespace: str, holder: str, now: str, annotations: Mapping[str, str]) -> Manifest:
    """The anchor: the server that creates it starts the REPL; it owns all other objects. `now` as Kubernetes writes
    times."""
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


def _labels(ref: ProjectRef) -> dict[str, str]:
    owner = {names.OWNER: ref.owner} if ref.owner else {}
    return {names.MANAGED_BY: names.DOMAIN, names.ID: names.slug(ref), **owner}


def _owned(ref: ProjectRef, anchor: Manifest) -> Manifest:
    return {
        "name": names.slug(ref),
        "namespace": anchor["metadata"]["namespace"],
        "labels": _labels(ref),
        "ownerReferences": [owner_reference(anchor)],
    }


def owner_reference(anchor: Manifest) -> Manifest:
    return {
        "apiVersion": anchor["apiVersion"],
        "kind": anchor["kind"],
        "name": anchor["metadata"]["name"],
        "uid": anchor["metadata"]["uid"],
    }
