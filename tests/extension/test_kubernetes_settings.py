"""What an administrator says of pods, and what is said to them if it can't be meant."""

from pathlib import Path
from typing import Any, cast

import pytest

from jupyter_repl_ext.app import ReplExtension
from jupyter_repl_ext.settings.kubernetes import KubernetesTraits, make_spawner, read_templates
from jupyter_repl_runner.contract.errors import InvalidRequest
from jupyter_repl_spawner.kubernetes.pool import Bounds
from jupyter_repl_spawner.port import Folders, Granter, SpawnerContext


def test_a_language_has_what_is_for_all_and_its_own_over_it() -> None:
    templates, pools = read_templates(
        {"*": {"memory": "2Gi", "pool_max": 3}, "python": {"cpu": "4", "pool_min": 1}}, "example/runner:1"
    )
    assert (templates["*"].memory, templates["*"].cpu, templates["*"].image) == ("2Gi", "1", "example/runner:1")
    assert (templates["python"].memory, templates["python"].cpu) == ("2Gi", "4")
    assert pools == {"*": Bounds(0, 3), "python": Bounds(1, 3)}


@pytest.mark.parametrize(
    ("template", "kind", "words"),
    [
        ({"ram": "2Gi"}, ValueError, "there is no ram"),
        ({"public_key": "ab"}, ValueError, "there is no public_key"),
        ({"memory": "2 GB", "disk": "much"}, InvalidRequest, "'much' is no size"),
        ({"overrides": {"spec": {"containers": {}}}}, InvalidRequest, "containers is an object, and a list is wanted"),
    ],
)
def test_what_can_not_be_meant_is_an_error_at_the_start(
    template: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        read_templates({"python": template}, "example/runner:1")


def test_pods_need_projects_in_s3(tmp_path: Any) -> None:
    extension = ReplExtension(spawner="kubernetes", store_url=f"file:{tmp_path}")
    with pytest.raises(ValueError, match="set store_url to s3://"):
        extension.make_services({})


def test_a_host_for_all_is_no_host_for_each() -> None:
    settings = {name: trait.default_value for name, trait in KubernetesTraits.class_traits(config=True).items()}
    settings["kubernetes_ingress_host"] = "apps.example.org"
    granter = cast(Granter, object())
    context = SpawnerContext(
        lambda ref: Folders(Path(), Path()), granter, Path(), {**settings, "kubernetes_templates": {}}, None
    )
    with pytest.raises(ValueError, match=r"\{name\} is missing"):
        make_spawner(context)
