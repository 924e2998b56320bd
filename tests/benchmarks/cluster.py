"""What a start costs on Kubernetes, beside the bare cost of a pod on the same node.

Needs what `make cluster-up` does."""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from support import node as nodes
from support.channel import Client
from support.kubernetes import Space, World, assignment
from support.lab import wait_for
from support.pod_lab import PodLab
from support.s3 import SERVERS

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names, pod_template
from jupyter_repl_spawner.kubernetes.anchor import Leases
from jupyter_repl_spawner.kubernetes.claim import claim
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.pool import Bounds
from jupyter_repl_spawner.kubernetes.watch import Watch

from . import cluster_scale
from .table import Row

REPEATS = 100
"""Of a warm start, a cold one and a bare pod. A kubelet's tick makes the last two differ by a second, at random."""
FILES = 20
ANSWER = b"echo $((6*7))x\n"


def measure() -> list[Row]:
    if reason := nodes.missing():
        raise SystemExit(reason)
    folder = Path(tempfile.mkdtemp())
    node = nodes.up(folder / "node")
    server = SERVERS["minio"](folder / "s3", host=nodes.HOST).start()
    try:
        with node.proxied() as proxied:
            world = World(proxied, server, folder / "key")
            return [*_starts(world, folder), *_claims(world), *cluster_scale.measure(folder, server)]
    finally:
        server.stop()
        nodes.down(folder / "node")


def _starts(world: World, folder: Path) -> list[Row]:
    warm, cold, bare, replaced = [], [], [], []
    lukewarm, chilly = world.space(), world.space()
    lukewarm.pool, chilly.pool = Bounds(2, 2), Bounds()
    labs = [PodLab(folder / name, space) for name, space in (("warm", lukewarm), ("cold", chilly))]
    for lab in labs:
        lab.start()
        _make(lab)
    for _ in range(REPEATS):
        time.sleep(random.uniform(0, 1))  # a kubelet has a clock of its own, and tests must not walk in step with it
        wait_for(lambda: _waiting(lukewarm) >= 2, 60)
        warm.append(_prompt(labs[0]))
        begun = time.perf_counter()
        wait_for(lambda: _waiting(lukewarm) >= 2, 60)
        replaced.append(time.perf_counter() - begun)
        labs[0].stop_repl("abc")
        time.sleep(random.uniform(0, 1))
        cold.append(_prompt(labs[1]))
        labs[1].stop_repl("abc")
        time.sleep(random.uniform(0, 1))
        bare.append(_bare(chilly))
    for lab in labs:
        lab.stop()
    asks = asyncio.run(_requests(chilly))
    ratio = [sorted(cold)[len(cold) // 2] / sorted(bare)[len(bare) // 2]]
    return [
        Row(f"`POST start` to a prompt that answers, warm, {FILES} files restored", "s", warm, 0.25),
        Row(f"the same, {REPEATS - 1} of {REPEATS} within", "s", [sorted(warm)[-2]], 0.6),
        Row("its replacement in the pool runs", "s", replaced),
        Row("`POST start` to a prompt that answers, cold, the image present", "s", cold, 2.0),
        Row("a bare pod with one container, until its address is known", "s", bare),
        Row("cold, as a multiple of that", "x", ratio, 1.5),
        Row("requests to the API of a cold start, the watches' own not counted", "", asks),
    ]


def _make(lab: PodLab) -> None:
    lab.make("abc")
    client = Client(lab, "abc")
    for number in range(FILES - 1):
        client.request("updateContent", path=f"file-{number}.txt", content="x" * 2000)
    client.close()
    lab.stop_repl("abc")


def _waiting(space: Space) -> int:
    return sum(
        pod["metadata"]["labels"].get(names.STATE) == names.WARM
        and pod["status"]["phase"] == "Running"
        and not pod["metadata"].get("deletionTimestamp")
        for pod in space.get("pods")
    )


def _prompt(lab: PodLab) -> float:
    begun = time.perf_counter()
    lab.call("POST", "start", {"replId": "abc"})
    lab.call("GET", "project/abc/events")  # ends once it runs
    client = Client(lab, "abc")
    terminal = client.terminal()
    client.type(terminal, ANSWER)
    client.read_until(terminal, b"42x")
    took = time.perf_counter() - begun
    client.close()
    return took


def _bare(space: Space) -> float:
    """Nothing of ours but the image."""

    async def run() -> float:
        async with Api(space.namespace, str(space.world.node.kubeconfig)) as api:
            watch = Watch(api, "pods", "bare=yes")
            await watch.start(10)
            spec = pod_template.pod_spec(space.pod_template())
            only = {**spec, "initContainers": [], "containers": [{**spec["containers"][0], "args": ["serve", "--pod"]}]}
            metadata = {"name": "bare", "namespace": space.namespace, "labels": {"bare": "yes"}}
            begun = time.perf_counter()
            await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": only})
            await watch.wait("bare", lambda pod: bool(pod and pod.get("status", {}).get("podIP")), 30)
            took = time.perf_counter() - begun
            await api.delete("pods", "bare")
            await watch.wait("bare", lambda pod: pod is None, 60)
            await watch.stop()
            return took

    return asyncio.run(run())


async def _requests(space: Space) -> list[float]:
    found = []
    async with space.spawner() as spawner:
        for _ in range(3):
            before = spawner.requests
            await spawner.start(assignment("abc"), lambda step: None)
            found.append(float(spawner.requests - before))
            await spawner.stop(ProjectRef("", "abc"))
    return found


def _claims(world: World) -> list[Row]:
    """Of pods that never run: the API's part alone."""
    space = world.space()
    once, together = [], []

    async def run() -> None:
        async with Api(space.namespace, str(world.node.kubeconfig)) as api:
            leases = Leases(api, lambda _: None)
            watch = Watch(api, "pods", names.STATE)
            await watch.start(10)

            def is_free(pod: Any) -> bool:
                known = watch.objects.get(pod["metadata"]["name"], pod)
                return bool(known["metadata"]["labels"][names.STATE] == names.WARM)

            for turn in range(5):
                pods = [await _asleep(space, api, f"p-{turn}-{number}") for number in range(10)]
                refs = [ProjectRef("", f"c-{turn}-{number}") for number in range(20)]
                owners = [(await leases.acquire(ref, "bench", {}))[0].reference for ref in refs]
                alone = await _asleep(space, api, f"p-{turn}-alone")
                once.append(await _timed(claim(api, refs[0], owners[0], [alone], names.WARM)))
                tries = [
                    _timed(claim(api, ref, owner, pods, names.WARM, is_free))
                    for ref, owner in zip(refs, owners, strict=True)
                ]
                together.extend(await asyncio.gather(*tries))
            await watch.stop()

    asyncio.run(run())
    space.close()
    at_90 = sorted(together)[int(len(together) * 0.9)]
    return [
        Row("a claim", "ms", once, 20),
        Row("20 claimers on 10 pods at once: 90 of 100 have an answer within", "ms", [at_90], 100),
    ]


async def _asleep(space: Space, api: Api, name: str) -> Any:
    """A pod that no scheduler takes."""
    spec = {**pod_template.pod_spec(space.pod_template()), "schedulerName": "nobody"}
    labels = {names.STATE: names.WARM}
    metadata = {"name": name, "namespace": space.namespace, "labels": labels}
    return await api.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


async def _timed(call: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await call
    return (time.perf_counter() - begun) * 1000
