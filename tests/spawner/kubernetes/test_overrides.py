"""What an admin may change of a pod, and what is said of what does not fit."""

import pytest

from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_spawner.kubernetes.overrides import merge
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate, pod_spec

SPEC = pod_spec(PodTemplate("python", "example/runner:1"))


def test_fields_are_merged_and_taken_away() -> None:
    patch = {
        "nodeSelector": {"pool": "repls", "zone": None},
        "securityContext": {"fsGroup": None},
        "containers": [{"name": "runner", "resources": {"limits": {"memory": "4Gi"}}}],
        "volumes": [{"name": "data", "configMap": {"name": "data"}}, {"name": "temporary", "$patch": "delete"}],
        "tolerations": [],
    }
    merged = merge(SPEC, patch)
    assert merged["nodeSelector"] == {"pool": "repls"}
    assert "fsGroup" not in merged["securityContext"]
    assert merged["securityContext"]["runAsNonRoot"] is True
    (runner,) = merged["containers"]
    assert {"cpu": "1", "memory": "4Gi"}.items() <= runner["resources"]["limits"].items()
    assert runner["image"] == "example/runner:1"
    assert [volume["name"] for volume in merged["volumes"]] == ["work", "index", "marks", "private", "data"]
    assert merged["tolerations"] == []
    assert merge(SPEC, {}) == SPEC


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"containers": {"name": "runner"}}, "containers is an object, and a list is wanted"),
        ({"containers": [{"image": "x"}]}, "an entry of containers has no name"),
        ({"containers": [{"name": "runner", "resources": []}]}, "containers.resources is a list, and an object"),
        ({"securityContext": "none"}, "securityContext is a plain value, and an object"),
    ],
)
def test_what_does_not_fit_is_named(patch: object, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        merge(SPEC, patch)
