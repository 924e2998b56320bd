"""Claims against a real API server: exactly one REPL for a pod, and one pod for a REPL."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import anchor, manifests, names
from jupyter_repl_spawner.kubernetes.claim import claim
from jupyter_repl_spawner.kubernetes.client import Api, ApiError, Object
from jupyter_repl_spawner.kubernetes.manifests import PodTemplate

TEMPLATE = PodTemplate("python", "example/runner:1")


def run(cluster: ApiServer, check: Any) -> None:
    async def go() -> None:
        async with Api(NAMESPACE, str(cluster.kubeconfig)) as api:
            await check(api)

    asyncio.run(go())


async def warm_pod(api: Api, name: str) -> Object:
    labels = {names.STATE: names.WARM, names.TEMPLATE: "python"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    spec = manifests.pod_spec(TEMPLATE)
    return await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def test_creating_a_lease_is_a_mutex(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        ref, now = ProjectRef("ann", "mutex"), datetime.now(UTC)
        found = await asyncio.gather(*(anchor.acquire(api, ref, f"server-{n}", now) for n in range(12)))
        assert sum(ours for _, ours in found) == 1
        assert len({lease["metadata"]["uid"] for lease, _ in found}) == 1
        lease = await anchor.note(api, found[0][0], **{names.GENERATION: "3"})
        assert names.ref_of(lease["metadata"]["annotations"]) == ref
        await anchor.release(api, lease)
        again, ours = await anchor.acquire(api, ref, "server", now)
        assert ours
        with pytest.raises(ApiError):  # of a Lease that is another by now
            await anchor.note(api, lease, **{names.GENERATION: "4"})
        assert names.GENERATION not in again["metadata"]["annotations"]

    run(cluster, check)


def test_twenty_claimers_of_ten_pods_are_ten_winners(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        pods = [await warm_pod(api, f"warm-{n}") for n in range(10)]
        now = datetime.now(UTC)
        refs = [ProjectRef("", f"claimer-{n}") for n in range(20)]
        leases = [(await anchor.acquire(api, ref, "server", now))[0] for ref in refs]
        won = await asyncio.gather(
            *(claim(api, ref, lease, pods, names.WARM) for ref, lease in zip(refs, leases, strict=True))
        )
        taken = [pod["metadata"]["uid"] for pod in won if pod]
        assert len(taken) == len(set(taken)) == 10
        for ref, lease, pod in zip(refs, leases, won, strict=True):
            if pod:
                assert pod["metadata"]["labels"][names.ID] == names.slug(ref)
                assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [lease["metadata"]["uid"]]

    run(cluster, check)


def test_a_pod_that_is_about_to_go_is_not_claimed(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        pod = await warm_pod(api, "going")
        cluster.kubectl("-n", NAMESPACE, "patch", "pod", "going", "-p", '{"metadata":{"finalizers":["a.example/b"]}}')
        await api.delete("pods", "going")
        ref = ProjectRef("", "late")
        lease, _ = await anchor.acquire(api, ref, "server", datetime.now(UTC))
        assert await claim(api, ref, lease, [pod], names.WARM) is None

    run(cluster, check)


def test_the_server_takes_our_objects(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        ref = ProjectRef("Ann O'Nym", "abc")
        lease, _ = await anchor.acquire(api, ref, "server", datetime.now(UTC))
        for kind, manifest in (
            ("services", manifests.service(ref, lease)),
            ("deployments", manifests.deployment(ref, lease, TEMPLATE)),
            ("deployments", manifests.pool(TEMPLATE, "0123456789abcdef", NAMESPACE, 2)),
        ):
            made = await api.create(kind, manifest, dry_run=True)
            assert _unknown(manifest, made) == []

    run(cluster, check)


def _unknown(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Fields of ours that the server has left out, since it does not know them."""
    if isinstance(ours, dict):
        return [
            each for key, value in ours.items()
            for each in (_unknown(value, theirs[key], f"{path}.{key}") if key in theirs else [f"{path}.{key}"])
        ]  # fmt: skip
    if isinstance(ours, list):
        return [each for n, value in enumerate(ours) for each in _unknown(value, theirs[n], f"{path}[{n}]")]
    return []
