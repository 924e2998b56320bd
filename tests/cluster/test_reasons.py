"""What a person reads when a start does not come to its end, provoked on a real node, and what is left of it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from support.kubernetes import Space, assignment
from support.lab import elapse, stays, wait_for
from support.node import KINDS

from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.grant_issuer import GrantIssuer
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials, Grant
from jupyter_repl_runner.contract.phases import RUNNING, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.candidate import Deadlines
from jupyter_repl_spawner.kubernetes.manifests import lease
from jupyter_repl_spawner.kubernetes.pool import Bounds
from jupyter_repl_spawner.kubernetes.spawner import KubernetesSpawner
from jupyter_repl_spawner.kubernetes.state import stamp
from jupyter_repl_spawner.port import Granter

REF = ProjectRef("", "abc")
SHORT = Deadlines(node=4.0, image=20.0, restore=8.0)


def run(space: Space, body: Callable[[KubernetesSpawner], Awaitable[None]], **more: Any) -> None:
    async def go() -> None:
        await space.make("abc")
        async with space.spawner(**more) as spawner:
            await body(spawner)

    asyncio.run(go())


def fails(space: Space, reason: str, **more: Any) -> list[str]:
    """Start it in vain; the steps that were reported. The Lease keeps the reason, and nothing else is left."""
    steps: list[str] = []

    async def body(spawner: KubernetesSpawner) -> None:
        with pytest.raises(Unavailable, match=reason):
            await spawner.start(assignment("abc"), steps.append)
        phase = await spawner.poll(REF)
        assert (phase.name, phase.cause) == ("failed", "start-failed")
        assert phase.hint
        await asyncio.to_thread(wait_for, lambda: not space.get("pods") and not space.get("deployments"), 60)
        await spawner.stop(REF)
        assert (await spawner.poll(REF)).name == "stopped"
        await asyncio.to_thread(gone, space)

    run(space, body, **more)
    return steps


def gone(space: Space) -> None:
    """No object with the REPL's label is left."""
    wait_for(lambda: not space.left(), 60)


def test_an_image_that_is_not_there(space: Space) -> None:
    space.template = {"image": "localhost/nobody-has-this:1", "image_pull_policy": "Never"}
    fails(space, r"The image localhost/nobody-has-this:1 can't be had", deadlines=SHORT)


def test_more_than_any_node_has(space: Space) -> None:
    space.template = {"cpu_request": "500", "cpu": "500"}
    assert fails(space, r"Waiting for a node with enough cpu", deadlines=SHORT)[-1].startswith("Waiting for a node")


def test_a_used_up_quota_says_which(space: Space) -> None:
    space.kubectl("create", "quota", "small", "--hard=pods=0")
    fails(space, r"The quota is used up: small, requested: pods=1", deadlines=SHORT)


def test_what_ends_again_and_again(space: Space) -> None:
    space.template = {"overrides": {"spec": {"initContainers": [{"name": "sync", "args": ["nonsense"]}]}}}
    fails(space, r"What saves the files ends again and again", deadlines=Deadlines(node=4.0, image=60.0))


def test_less_memory_than_a_runner_needs(space: Space) -> None:
    space.template = {"memory": "16Mi", "memory_request": "16Mi"}
    begun = time.monotonic()
    fails(space, r"The runner ran out of memory", deadlines=Deadlines(node=10.0, image=60.0))
    assert time.monotonic() - begun < 45  # nobody waits for what dies again and again


class _Elsewhere(Granter):
    """Sends sync to a place where there is no S3."""

    def __init__(self, inner: Granter, endpoint: str) -> None:
        self._inner = inner
        self._endpoint = endpoint

    async def grant(self, ref: ProjectRef) -> Grant:
        grant = await self._inner.grant(ref)
        return replace(grant, store=replace(grant.store, endpoint=self._endpoint))

    async def credentials(self, ref: ProjectRef) -> Credentials:
        return await self._inner.credentials(ref)


def test_a_pod_that_can_not_reach_s3(space: Space) -> None:
    store = space.store()
    inner = GrantIssuer(store, Projects(store, Catalog(store, lambda program: True)), "", 1 << 20)
    steps = fails(
        space,
        r"The files could not be restored: S3 can't be reached at http://10\.250\.0\.1:9",
        granter=_Elsewhere(inner, "http://10.250.0.1:9"),
        deadlines=replace(SHORT, restore=20.0),  # sync has to be up, and to have tried
    )
    assert "Looking for the files" in steps


@pytest.mark.outage
def test_a_dead_kubelet_holds_a_start_up_and_no_more(space: Space) -> None:
    steps: list[str] = []

    async def body(spawner: KubernetesSpawner) -> None:
        space.world.node.kill("kubelet")
        start = asyncio.create_task(spawner.start(assignment("abc"), steps.append))
        try:
            await asyncio.to_thread(stays, lambda: not start.done(), 5)
            assert (await spawner.poll(REF)).step == "Starting the runner"
        finally:
            await asyncio.to_thread(space.world.node.start, "kubelet")
        async with asyncio.timeout(60):
            await start
        assert await spawner.poll(REF) == RUNNING
        await spawner.stop(REF)

    run(space, body)


@pytest.mark.parametrize("phase", ["Looking for a pod", "Waiting for a node", "Starting the runner", "Looking for the"])
def test_a_cancelled_start_leaves_nothing(space: Space, phase: str) -> None:
    """In each of its phases; and nothing is written under its generation."""
    if phase == "Waiting for a node":
        space.template = {"cpu_request": "500", "cpu": "500"}  # else it may be too short to be seen

    async def body(spawner: KubernetesSpawner) -> None:
        reached = asyncio.Event()

        def progress(step: str) -> None:
            if step.startswith(phase):
                reached.set()

        before = space.s3_objects()
        start = asyncio.create_task(spawner.start(assignment("abc"), progress))
        async with asyncio.timeout(20):
            await reached.wait()
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert (await spawner.poll(REF)).name == "stopped"
        await asyncio.to_thread(gone, space)
        after = space.s3_objects()
        assert {key: after[key] for key in before} == before
        assert set(after) - set(before) <= {"meta/abc.generation"}

    run(space, body)


def test_an_override_that_the_cluster_refuses(space: Space) -> None:
    """The strictest rules of pods hold in the namespace: what breaks them is said in their words."""
    root = {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}
    space.template = {"overrides": {"spec": root}}
    fails(space, r"The cluster's rules forbid the pod", deadlines=SHORT)


@pytest.mark.timeout(300)
def test_a_pod_that_is_evicted_for_its_disk_comes_back_with_its_files(space: Space) -> None:
    space.template = {"temporary": "20Mi"}

    async def body(spawner: KubernetesSpawner) -> None:
        await spawner.start(assignment("abc"), lambda step: None)
        (first,) = space.pods("abc")
        space.kubectl(
            "exec", first["metadata"]["name"], "-c", "runner", "--", "sh", "-c",
            "echo kept > /repl/project/kept.txt; head -c 60000000 /dev/zero > /tmp/big",
        )  # fmt: skip
        until = time.monotonic() + 180
        seen = set()
        while time.monotonic() < until:
            phase = await spawner.poll(REF)
            seen.add(phase.step)
            if phase.name == "running" and phase.reason:
                break
            await asyncio.sleep(0.5)
        assert phase.name == "running", seen
        assert phase.reason == "The REPL used more disk than it may."
        (name,) = [
            pod["metadata"]["name"]
            for pod in space.pods("abc")
            if pod["metadata"]["uid"] != first["metadata"]["uid"] and not pod["metadata"].get("deletionTimestamp")
        ]
        assert space.kubectl("exec", name, "-c", "runner", "--", "cat", "/repl/project/kept.txt") == "kept\n"
        await spawner.stop(REF)

    run(space, body)


def test_the_reason_survives_the_server(space: Space) -> None:
    space.template = {"image": "localhost/nobody-has-this:1", "image_pull_policy": "Never"}

    async def body(first: KubernetesSpawner) -> None:
        with pytest.raises(Unavailable):
            await first.start(assignment("abc"), lambda step: None)
        async with space.spawner() as second:
            assert (await second.poll(REF)).reason.startswith("The image")
        (lease,) = space.get("leases")
        assert json.loads(lease["metadata"]["annotations"]["jupyter-repl/failure"])["reason"].startswith("The image")

    run(space, body)


def test_a_stop_that_died_half_way_holds_no_start_up(space: Space) -> None:
    """Its Deployment has no replicas any more, and its Lease is still there."""

    async def go() -> None:
        await space.make("abc")
        async with space.spawner() as first:
            await first.start(assignment("abc"), lambda step: None)
        (name,) = [each["metadata"]["name"] for each in space.get("deployments")]
        await asyncio.to_thread(space.kubectl, "scale", "deployment", name, "--replicas=0")
        await asyncio.to_thread(wait_for, lambda: not space.get("pods"), 30)
        async with space.spawner() as second, asyncio.timeout(20):
            await second.start(assignment("abc"), lambda step: None)
            assert (await second.poll(REF)).name == "running"
            await second.stop(REF)

    asyncio.run(go())


def test_a_lease_that_somebody_has_damaged_holds_up_no_other(space: Space) -> None:
    """Its phase says so, and a start repairs it. Another REPL whose pod was lost is started again meanwhile, and the
    pools have their size."""
    other = ProjectRef("", "xyz")
    damage = dict.fromkeys((names.ASSIGNMENT, names.GENERATION, names.ATTEMPT, names.DEADLINE), "[nonsense")

    async def go() -> None:
        await space.make("abc", "xyz")
        async with space.spawner() as first:
            for repl_id in ("abc", "xyz"):
                await first.start(assignment(repl_id), lambda step: None)
        lost = f"{names.POD}=nobody"
        for ref, more in ((REF, [f"{name}={value}" for name, value in damage.items()]), (other, [])):
            await asyncio.to_thread(space.kubectl, "annotate", "--overwrite", "lease", names.slug(ref), lost, *more)
        busy = {**damage, names.DEADLINE: stamp(time.time() + 3600)}
        third = lease(ProjectRef("", "third"), space.namespace, "somebody", stamp(time.time()), busy)
        space.world.node.ask("POST", f"{KINDS['leases']}/namespaces/{space.namespace}/leases", third)
        space.pool = Bounds(1, 1)
        async with space.spawner() as second, asyncio.timeout(90):
            await _until(second, other, "running")
            failed = await _until(second, REF, "failed")
            assert failed.reason == "The REPL's Lease was damaged."
            assert failed.hint == "Your files are kept. Start it again."
            await asyncio.to_thread(wait_for, lambda: space.get("deployments", selector=names.TEMPLATE))
            await second.start(assignment("abc"), lambda step: None)
            assert (await second.poll(REF)).name == "running"
            for ref in (REF, other):
                await second.stop(ref)

    asyncio.run(go())


async def _until(spawner: KubernetesSpawner, ref: ProjectRef, name: str) -> Phase:
    """The phase, once it has that name."""
    while (phase := await spawner.poll(ref)).name != name:
        await asyncio.to_thread(elapse, 0.1)
    return phase
