"""Settings by the environment: every one, below what the configuration says."""

from pathlib import Path
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyter_repl_ext.app import ReplExtension
from jupyter_repl_ext.settings.stores import warn_if_passing
from jupyter_repl_runner.store.directory import DirectoryStore

SAID = {
    "store_url": ("s3://bucket/prefix", "s3://bucket/prefix"),
    "spawner": ("kubernetes", "kubernetes"),
    "start_timeout": ("30", 30.0),
    "terminal_ring": ("65536", 65536),
    "keep_environment": ('["AWS_*", "LANGUAGE"]', ["AWS_*", "LANGUAGE"]),
    "idle_timeout": ('{"*": 3600, "python": 60}', {"*": 3600.0, "python": 60.0}),
    "kubernetes_ingress_host": ("{name}.apps.example.org", "{name}.apps.example.org"),
    "s3_path_style": ("true", True),
    "s3_max_file_mb": ("20", 20),
    "kubernetes_templates": ('{"*": {"memory": "2Gi"}}', {"*": {"memory": "2Gi"}}),
    "kubernetes_reach": ("proxy", "proxy"),
    "kubernetes_node_timeout": ("5.5", 5.5),
}


def settings(**config: Any) -> ReplExtension:
    """As a server has them."""
    extension = ReplExtension()
    extension.load_config_file()
    extension.update_config(Config(ReplExtension=config))
    return extension


@pytest.mark.parametrize("name", SAID)
def test_a_setting_may_come_by_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said, meant = SAID[name]
    assert getattr(settings(), name) != meant
    monkeypatch.setenv(f"JUPYTER_REPL_{name.upper()}", said)
    assert getattr(settings(), name) == meant


def test_the_configuration_goes_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_REPL_TERMINAL_RING", "65536")
    assert settings(terminal_ring=1 << 20).terminal_ring == 1 << 20


@pytest.mark.parametrize(
    ("variables", "name", "meant"),
    [
        ({"S3_BUCKET": "mine"}, "store_url", "s3://mine"),
        ({"S3_BUCKET": "mine", "JUPYTER_REPL_STORE_URL": "file:/there"}, "store_url", "file:/there"),
        ({"S3_ENDPOINT": "http://a", "AWS_ENDPOINT_URL": "http://b"}, "s3_endpoint", "http://a"),
        ({"AWS_ENDPOINT_URL": "http://b", "S3_ENDPOINT": ""}, "s3_endpoint", "http://b"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "s3_region", "eu-west-1"),
    ],
)
def test_names_that_others_use_are_taken_too(
    variables: dict[str, str], name: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert getattr(settings(), name) == meant


@pytest.mark.parametrize("name", ["terminal_ring", "idle_timeout", "kubernetes_reach"])
def test_what_can_not_be_meant_is_told_by_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"JUPYTER_REPL_{name.upper()}", "much")
    with pytest.raises(TraitError, match=name):
        settings()


def test_what_is_jupyters_own_is_not_ours_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_REPL_CONFIG_FILE", "/nowhere/at-all.py")
    assert settings().config_file == ""


@pytest.mark.parametrize("is_passing", [True, False])
def test_projects_on_the_disk_of_a_hubs_pod_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_passing: bool
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t")
    disk = tmp_path if is_passing else Path("/proc")
    warn_if_passing(DirectoryStore(tmp_path / "not/there/yet"), disk)
    assert ("they are lost" in caplog.text) == is_passing
    caplog.clear()
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    warn_if_passing(DirectoryStore(tmp_path), tmp_path)
    assert caplog.text == "", "a laptop with a cluster's variables is no hub"
