"""Warm pods: claimed, replaced, drained; and none where none are wanted."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support.kubernetes import Space, World, assignment
from support.lab import wait_for

from jupyter_repl_runner.contract.phases import RUNNING
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.manifests import Hosts
from jupyter_repl_spawner.kubernetes.pool import Bounds, resize, size
from jupyter_repl_spawner.kubernetes.rights import INGRESS_RULES
from jupyter_repl_spawner.kubernetes.state import stamp

IDS = ("abc", "abd", "abe")


@pytest.mark.parametrize(
    ("bounds", "claims", "in_flight", "expected"),
    [
        (Bounds(), 100, 100, 0),
        (Bounds(2, 10), 0, 0, 2),
        (Bounds(2, 10), 0, 5, 5),
        (Bounds(2, 10), 60, 0, 5),
        (Bounds(2, 10), 600, 3, 10),
        (Bounds(0, 10), 1, 0, 1),
    ],
)
def test_a_pool_follows_demand_within_its_bounds(bounds: Bounds, claims: int, in_flight: int, expected: int) -> None:
    assert size(bounds, claims, in_flight) == expected


@pytest.mark.parametrize(
    ("replicas", "age", "wanted", "expected"),
    [
        (2, 5, 8, 8),  # larger at once
        (8, 5, 2, None),  # somebody wanted as many a moment ago
        (8, 130, 2, 2),
        (8, 5, 8, None),
        (8, 70, 8, 8),  # to keep others from making it smaller
        (2, None, 2, 2),
    ],
)
def test_a_pool_gets_smaller_when_nobody_wants_its_size(
    replicas: int, age: float | None, wanted: int, expected: int | None
) -> None:
    annotations = {names.GROWN_AT: stamp(1e9 - age)} if age is not None else {}
    pool = {"metadata": {"resourceVersion": "7", "annotations": annotations}, "spec": {"replicas": replicas}}
    change = resize(pool, wanted, 1e9)
    assert (change["spec"]["replicas"] if change else None) == expected
    assert change is None or change["metadata"]["resourceVersion"] == "7"


def test_servers_with_different_bounds_do_not_fight() -> None:
    """An old one that wants eight pods beside a new one that wants two, for ten minutes; then the old one is gone."""
    pool = {"metadata": {"resourceVersion": "1", "annotations": {}}, "spec": {"replicas": 2}}
    sizes = [2]
    for second in range(0, 1200, 2):
        for wanted in (8, 2) if second < 600 else (2,):
            change = resize(pool, wanted, 1e9 + second)
            if change is not None:
                pool = {"metadata": {"resourceVersion": "1", **change["metadata"]}, "spec": change["spec"]}
                if sizes[-1] != pool["spec"]["replicas"]:
                    sizes.append(pool["spec"]["replicas"])
    assert sizes == [2, 8, 2]


def waiting(space: Space) -> list[Any]:
    """Warm pods that run."""
    return [
        pod
        for pod in space.get("pods")
        if pod["metadata"]["labels"].get(names.STATE) == names.WARM
        and pod["status"]["phase"] == "Running"
        and not pod["metadata"].get("deletionTimestamp")
    ]


def test_warm_starts_a_replacement_and_cold_ones_where_the_pool_is_empty(space: Space) -> None:
    space.pool = Bounds(1, 2)

    async def body() -> None:
        await space.make(*IDS)
        async with space.spawner() as spawner:
            await asyncio.to_thread(wait_for, lambda: waiting(space), 30)
            first = waiting(space)[0]["metadata"]["uid"]
            await asyncio.gather(*(spawner.start(assignment(name), lambda step: None) for name in IDS))
            assert [await spawner.poll(ProjectRef("", name)) for name in IDS] == [RUNNING] * 3
            pods = [space.pods(name)[0] for name in IDS]
            assert len({pod["metadata"]["uid"] for pod in pods}) == 3
            warm = [pod for pod in pods if names.POOL in pod["metadata"]["labels"]]
            assert first in [pod["metadata"]["uid"] for pod in warm]
            assert len(warm) < 3
            assert all(owner["kind"] == "Lease" for pod in warm for owner in pod["metadata"]["ownerReferences"])
            await asyncio.to_thread(wait_for, lambda: waiting(space), 30)
            await asyncio.gather(*(spawner.stop(ProjectRef("", name)) for name in IDS))

    asyncio.run(body())


def test_a_repl_has_a_service_and_a_host_where_there_are_hosts(world: World) -> None:
    space = world.space(INGRESS_RULES)
    space.settings["hosts"] = Hosts("{name}.apps.example.org")

    async def body() -> None:
        await space.make("abc")
        async with space.spawner() as spawner:
            await spawner.start(assignment("abc"), lambda step: None)
            name = names.slug(ProjectRef("", "abc"))
            await asyncio.to_thread(wait_for, lambda: space.get("services") and space.get("ingresses"))
            (ingress,) = space.get("ingresses")
            assert ingress["spec"]["rules"][0]["host"] == f"{name}.apps.example.org"
            (service,) = space.get("services")
            assert {port["port"] for port in service["spec"]["ports"]} == {3000, 3001}
            await spawner.stop(ProjectRef("", "abc"))
            await asyncio.to_thread(wait_for, lambda: not space.get("ingresses") and not space.get("services"), 30)

    asyncio.run(body())
    space.close()


def test_a_changed_template_drains_the_pool_and_touches_no_repl(space: Space) -> None:
    space.pool = Bounds(1, 1)

    async def body() -> None:
        await space.make("abc")
        async with space.spawner() as old:
            await asyncio.to_thread(wait_for, lambda: waiting(space), 30)
            (pool,) = space.get("deployments")
            await old.start(assignment("abc"), lambda step: None)
            pod = space.pods("abc")[0]["metadata"]["uid"]
        space.template = {"memory": "600Mi"}
        async with space.spawner() as new:
            gone = pool["metadata"]["name"]
            await asyncio.to_thread(
                wait_for, lambda: gone not in [each["metadata"]["name"] for each in space.get("deployments")], 30
            )
            await asyncio.to_thread(wait_for, lambda: waiting(space), 30)
            assert await new.poll(ProjectRef("", "abc")) == RUNNING
            assert space.pods("abc")[0]["metadata"]["uid"] == pod
        space.pool = replace(space.pool, least=0, most=0)
        async with space.spawner() as none:
            await asyncio.to_thread(wait_for, lambda: not space.get("deployments"), 60)
            # Garbage collection deletes the pods, which takes a minute on a busy node.
            await asyncio.to_thread(wait_for, lambda: not waiting(space), 120)
            assert await none.poll(ProjectRef("", "abc")) == RUNNING
            await none.stop(ProjectRef("", "abc"))

    asyncio.run(body())
