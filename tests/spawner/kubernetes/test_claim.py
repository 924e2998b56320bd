"""Claims against a real API server: exactly one REPL for a pod, and one pod for a REPL."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.owners import owner_of_name
from jupyter_repl_runner.contract.phases import STOPPED
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import candidate, manifests, names, pod_template, start
from jupyter_repl_spawner.kubernetes.anchor import Leases, Lost
from jupyter_repl_spawner.kubernetes.claim import claim
from jupyter_repl_spawner.kubernetes.client import Api, Patch
from jupyter_repl_spawner.kubernetes.client_errors import Object
from jupyter_repl_spawner.kubernetes.cluster import Cluster
from jupyter_repl_spawner.kubernetes.cluster_view import ClusterView
from jupyter_repl_spawner.kubernetes.manifests import Hosts
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate
from jupyter_repl_spawner.kubernetes.reconcile import AT_ONCE, Reconciler

TEMPLATE = PodTemplate("python", "example/runner:1", public_key="ab" * 32)


def run(cluster: ApiServer, check: Any) -> None:
    async def go() -> None:
        async with Api(NAMESPACE, str(cluster.kubeconfig)) as api:
            await check(api)

    asyncio.run(go())


async def warm_pod(api: Api, name: str, **annotations: str) -> Object:
    labels = {names.STATE: names.WARM, names.TEMPLATE: "python"}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels, "annotations": annotations}
    spec = pod_template.pod_spec(TEMPLATE)
    return await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def test_creating_a_lease_is_a_mutex(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        ref, learned = ProjectRef("ann", "mutex"), []
        leases = Leases(api, learned.append)
        found = await asyncio.gather(*(leases.acquire(ref, f"server-{n}", {}) for n in range(12)))
        assert sum(is_ours for _, is_ours in found) == 1
        assert len({seen.uid for seen, _ in found}) == 1
        first = found[0][0]
        await leases.note(first, {names.GENERATION: "3"})
        assert names.ref_of(learned[-1]["metadata"]["annotations"]) == ref
        await leases.release(first)
        again, is_ours = await leases.acquire(ref, "server", {})
        assert is_ours
        with pytest.raises(Lost):  # of a Lease that is another by now
            await leases.note(first, {names.GENERATION: "4"})
        assert again.generation == 0

    run(cluster, check)


def test_one_of_many_takes_over_and_the_old_holder_can_do_nothing(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        leases = Leases(api, lambda _: None)
        old, _ = await leases.acquire(ProjectRef("", "taken"), "dead", {names.DEADLINE: "2026-01-01T00:00:00Z"})
        new = {names.DEADLINE: "2027-01-01T00:00:00Z"}
        taken = await asyncio.gather(*(leases.take_over(old, f"server-{n}", new) for n in range(12)))
        (winner,) = [each for each in taken if each is not None]
        with pytest.raises(Lost):
            await leases.note(old, {names.DEADLINE: ""})
        await leases.note(winner, {names.DEADLINE: ""})
        found = await leases.get(ProjectRef("", "taken"))
        assert found is not None
        assert (found.holder, found.deadline) == (winner.holder, 0.0)

    run(cluster, check)


def test_twenty_claimers_of_ten_pods_are_ten_winners(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        pods = [await warm_pod(api, f"warm-{n}") for n in range(10)]
        refs = [ProjectRef("", f"claimer-{n}") for n in range(20)]
        leases = [(await Leases(api, lambda _: None).acquire(ref, "server", {}))[0] for ref in refs]
        won = await asyncio.gather(
            *(claim(api, ref, lease.reference, pods, names.WARM) for ref, lease in zip(refs, leases, strict=True))
        )
        taken = [pod["metadata"]["uid"] for pod in won if pod]
        assert len(taken) == len(set(taken)) == 10
        for ref, lease, pod in zip(refs, leases, won, strict=True):
            if pod:
                assert pod["metadata"]["labels"][names.ID] == names.slug(ref)
                assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == [lease.uid]

    run(cluster, check)


def test_a_pod_that_is_about_to_go_is_not_claimed(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        pod = await warm_pod(api, "going")
        cluster.kubectl("-n", NAMESPACE, "patch", "pod", "going", "-p", '{"metadata":{"finalizers":["a.example/b"]}}')
        await api.delete("pods", "going")
        ref = ProjectRef("", "late")
        lease, _ = await Leases(api, lambda _: None).acquire(ref, "server", {})
        assert await claim(api, ref, lease.reference, [pod], names.WARM) is None

    run(cluster, check)


def test_the_server_takes_our_objects(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        ref = ProjectRef(owner_of_name("Ann O'Nym"), "abc")
        lease, _ = await Leases(api, lambda _: None).acquire(ref, "server", {})
        for kind, manifest in (
            ("services", manifests.service(ref, lease.reference)),
            ("ingresses", manifests.ingress(ref, lease.reference, Hosts("{name}.apps.example.org", "nginx"))),
            ("deployments", manifests.deployment(ref, lease.reference, TEMPLATE)),
            ("deployments", manifests.pool(TEMPLATE, NAMESPACE, 2)),
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


def test_a_claim_keeps_what_others_have_noted_on_the_pod(cluster: ApiServer) -> None:
    """Such as a network that keeps its state there, before and after the pod was looked at."""

    async def check(api: Api) -> None:
        ref = ProjectRef("", "noted")
        lease, _ = await Leases(api, lambda _: None).acquire(ref, "server", {})
        noted = await warm_pod(api, "noted", network="10.1.2.3")
        bare = await warm_pod(api, "bare")
        pod = await claim(api, ref, lease.reference, [noted], names.WARM)
        assert pod is not None
        assert pod["metadata"]["annotations"]["network"] == "10.1.2.3"
        assert names.CLAIMED_AT in pod["metadata"]["annotations"]
        later = await api.patch("pods", "bare", {"metadata": {"annotations": {"network": "10.1.2.4"}}})
        assert await claim(api, ref, lease.reference, [bare], names.WARM) is None
        pod = await claim(api, ref, lease.reference, [later], names.WARM)
        assert pod is not None
        assert pod["metadata"]["annotations"]["network"] == "10.1.2.4"

    run(cluster, check)


def test_a_claim_whose_answer_was_lost_is_ours(cluster: ApiServer) -> None:
    """Asked again after a 503, the server says that the pod has changed: by us."""

    async def check(api: Api) -> None:
        ref = ProjectRef("", "lost-claim")
        lease, _ = await Leases(api, lambda _: None).acquire(ref, "server", {})
        pod = await warm_pod(api, "cold", network="10.1.2.3")
        pod = await api.patch("pods", "cold", {"metadata": {"labels": {names.STATE: names.COLD}}})
        patch = api.patch

        async def lose(kind: str, name: str, change: Patch) -> Object:
            await patch(kind, name, change)
            return await patch(kind, name, change)

        api.patch = lose  # type: ignore[method-assign]
        claimed = await claim(api, ref, lease.reference, [pod], names.COLD)
        assert claimed is not None
        assert claimed["metadata"]["labels"][names.ID] == names.slug(ref)
        assert await claim(api, ref, lease.reference, [pod], names.COLD) is None, "it is claimed already"

    run(cluster, check)


def test_a_holder_goes_on_after_an_error_and_not_without_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[ReplError | None] = [Unavailable("away"), None, Unavailable("away"), Lost()]

    async def note(*_: object) -> None:
        if (error := said.pop(0)) is not None:
            raise error

    async def check() -> None:
        monkeypatch.setattr(start, "BEAT_SECONDS", 0.01)
        starts: Any = start.Starts.__new__(start.Starts)
        starts._cluster = SimpleNamespace(leases=SimpleNamespace(note=note))
        with pytest.raises(Lost):
            async with starts.holding(SimpleNamespace(name="abc")):
                await asyncio.Event().wait()
        assert said == []

    asyncio.run(check())


def test_a_pod_that_can_never_be_claimed_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []

    async def refused(*arguments: object) -> None:
        tries.append(arguments)

    async def check() -> None:
        candidates: Any = candidate.Candidates.__new__(candidate.Candidates)
        candidates._template_of = lambda _: TEMPLATE
        candidates._redeploy = candidates._cold = AsyncMock(return_value={"metadata": {}})
        candidates._cluster = SimpleNamespace(api=None, view=SimpleNamespace(changed=AsyncMock()))
        monkeypatch.setattr(candidate, "claim", refused)
        ours = SimpleNamespace(name="abc", reference={})
        with pytest.raises(Unavailable, match="can't be taken"):
            await candidates.get(ours, Assignment(ProjectRef("", "abc")), lambda _: None)
        assert len(tries) == candidate.COLD_CLAIMS

    asyncio.run(check())


def test_a_lease_of_that_name_that_is_somebody_elses(cluster: ApiServer) -> None:
    async def check(api: Api) -> None:
        ref, other = ProjectRef("ann", "mine"), ProjectRef("bob", "theirs")
        made = manifests.lease(other, NAMESPACE, "server", "2026-01-01T00:00:00.000000Z", {})
        made["metadata"]["name"] = names.slug(ref)
        await api.create("leases", made)
        leases = Leases(api, lambda _: None)
        for ask in (leases.get(ref), leases.acquire(ref, "server", {})):
            with pytest.raises(Unavailable, match="is not of ann/mine"):
                await ask
        async with ClusterView(api) as view:
            assert view.lease(names.slug(ref)) is not None
            assert view.lease_of(ref) is None
            assert view.phase(ref) == STOPPED

    run(cluster, check)


def test_a_name_tells_repls_apart() -> None:
    assert re.fullmatch(r"repl-ann-mine-[0-9a-f]{16}", names.slug(ProjectRef("ann", "mine")))


def test_credentials_do_not_wait_for_restarts(cluster: ApiServer) -> None:
    """As many REPLs as are put right at a time take minutes for it."""

    async def check(api: Api) -> None:
        nobody: Any = None
        reconciler = Reconciler(Cluster(api, ClusterView(api), nobody, nobody, nobody), nobody, nobody, nobody)
        forever, asked = asyncio.Event(), asyncio.Event()

        async def ask() -> None:
            asked.set()

        for number in range(AT_ONCE):
            reconciler._begin(f"lost-{number}", lambda: forever.wait())  # type: ignore[arg-type,return-value]
        reconciler._begin("running", ask, reconciler._asking)
        async with asyncio.timeout(5):
            await asked.wait()
        forever.set()

    run(cluster, check)
