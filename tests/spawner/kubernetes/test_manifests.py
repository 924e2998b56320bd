"""Whole objects, compared with files: a change of any field is seen in review. `REPL_TEST_UPDATE=1` writes new ones."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import manifests, patches, pod_template
from jupyter_repl_spawner.kubernetes.manifests import Hosts
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate

GOLDEN = Path(__file__).parent.parent.parent / "fixtures/kubernetes"
REF = ProjectRef("ann", "quiet-otter-42")
ANCHOR = manifests.lease(REF, "repls", "server-1", "2026-01-02T03:04:05.000000Z", {})
ANCHOR["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555"
TEMPLATE = PodTemplate(
    "python",
    "example/runner:1",
    runtime_class="gvisor",
    public_key="ab" * 32,
    overrides={"metadata": {"annotations": {"example.com/team": "a"}}},
)

OBJECTS: dict[str, Callable[[], Any]] = {
    "lease": lambda: manifests.lease(REF, "repls", "server-1", "2026-01-02T03:04:05.000000Z", {"jupyter-repl/pod": ""}),
    "service": lambda: manifests.service(REF, ANCHOR),
    "ingress": lambda: manifests.ingress(REF, ANCHOR, Hosts("{name}.apps.example.org", "nginx")),
    "deployment": lambda: manifests.deployment(REF, ANCHOR, TEMPLATE),
    "pool": lambda: manifests.pool(TEMPLATE, "repls", 3),
    "claim": lambda: patches.claim(
        "66666666-7777-8888-9999-000000000000", "warm", REF, ANCHOR, "2026-01-02T03:04:05Z", has_annotations=False
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_as_it_was(name: str) -> None:
    path, made = GOLDEN / f"{name}.json", OBJECTS[name]()
    if os.environ.get("REPL_TEST_UPDATE"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(made, indent=2) + "\n")
    assert made == json.loads(path.read_text())


def test_the_runner_sees_no_credentials() -> None:
    spec = pod_template.pod_spec(TEMPLATE)
    (runner,), (sync,) = spec["containers"], spec["initContainers"]
    assert {mount["name"] for mount in runner["volumeMounts"]} == {"work", "marks", "temporary"}
    assert next(mount for mount in runner["volumeMounts"] if mount["name"] == "marks")["readOnly"]
    assert {"private", "index"} <= {mount["name"] for mount in sync["volumeMounts"]}
    assert spec["automountServiceAccountToken"] is False
    assert spec["shareProcessNamespace"] is False


def test_projects_of_many_files_can_be_given_more_memory_to_save() -> None:
    (sync,) = pod_template.pod_spec(replace(TEMPLATE, sync_memory="2Gi"))["initContainers"]
    assert sync["resources"]["limits"] == {"memory": "2Gi"}
