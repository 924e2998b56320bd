"""A spawner whose cluster is away, or nowhere: it says so, and goes on by itself when it comes."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.phases import STOPPED
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import cluster_view
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate
from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner, Settings

REF = ProjectRef("", "abc")
NOBODY = cast(Any, None)
"""Nothing is granted here."""


def spawner(kubeconfig: str, tmp_path: Path) -> KubernetesSpawner:
    templates = {"*": PodTemplate("default", "example/runner:1")}
    return KubernetesSpawner(Settings(NAMESPACE, templates, tmp_path / "key", kubeconfig=kubeconfig), NOBODY)


def test_a_cluster_that_comes_later(cluster: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_view, "KNOWN_SECONDS", 1.0)

    async def body() -> None:
        cluster.stop()
        async with spawner(str(cluster.kubeconfig), tmp_path) as late:
            for verb in (late.poll(REF), late.list(), late.address(REF), late.stop(REF)):
                with pytest.raises(Unavailable, match="does not answer"):
                    await verb
            await asyncio.to_thread(cluster.start)
            async with asyncio.timeout(30):
                while True:
                    try:
                        assert await late.poll(REF) == STOPPED
                        break
                    except Unavailable:
                        await asyncio.sleep(0.1)
            assert await late.list() == []

    asyncio.run(body())


def test_no_cluster_at_all_is_told(tmp_path: Path) -> None:
    async def body() -> None:
        nowhere = spawner(str(tmp_path / "none"), tmp_path)
        with pytest.raises(Unavailable, match="There is no cluster"):
            await nowhere.__aenter__()
        with pytest.raises(Unavailable, match="not connected"):
            await nowhere.poll(REF)
        await nowhere.__aexit__(None, None, None)

    asyncio.run(body())
