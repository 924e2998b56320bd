"""The spawner's Role, on a real API server: it can do its work with it, and with no verb less."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import manifests, names
from jupyter_repl_spawner.kubernetes.anchor import Leases
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.client_errors import ApiError
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate
from jupyter_repl_spawner.kubernetes.rights import RULES

TEMPLATE = PodTemplate("python", "example/runner:1")


Work = Callable[[Api], Coroutine[Any, Any, object]]


async def lives(api: Api) -> None:
    """All that the spawner asks of the API, in one life of a REPL."""
    ref, leases = ProjectRef("", "rights"), Leases(api, lambda _: None)
    ours, _ = await leases.acquire(ref, "me", {})
    await leases.acquire(ref, "other", {})  # the second reads what the first has made
    await leases.note(ours, {}, touch=True)
    await api.create("services", manifests.service(ref, ours.reference))
    await api.create("deployments", manifests.deployment(ref, ours.reference, TEMPLATE))
    for kind in ("leases", "pods", "deployments"):
        await api.list(kind)
        await watched(api, kind)
    await watched(api, "events")
    await api.list("events")
    await api.patch("deployments", names.slug(ref), {"spec": {"replicas": 1}})
    await api.delete("deployments", names.slug(ref))
    await api.delete("pods", "none")
    try:
        await api.patch("pods", "none", {})
    except ApiError as error:
        if error.status_code != 404:
            raise
    await leases.release(ours)


async def watched(api: Api, kind: str) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            async for _ in api.watch(kind, 10, 5):
                pass


def run(kubeconfig: str, work: Work) -> None:
    async def go() -> None:
        async with Api(NAMESPACE, kubeconfig) as api:
            await work(api)

    asyncio.run(go())


def clean(cluster: ApiServer) -> None:
    cluster.kubectl("-n", NAMESPACE, "delete", "leases,services,deployments", "--all", "--wait=true")


def test_it_can_do_its_work_and_each_verb_is_needed(cluster: ApiServer) -> None:
    kubeconfig = str(cluster.identity("spawner", "/CN=spawner"))
    rules = [dict(rule) for rule in RULES]
    cluster.grant("spawner", rules)
    run(kubeconfig, lives)
    clean(cluster)
    for place, rule in enumerate(rules):
        for verb in rule["verbs"]:
            less = [dict(each) for each in rules]
            less[place]["verbs"] = [each for each in rule["verbs"] if each != verb]
            cluster.grant("spawner", [each for each in less if each["verbs"]])
            with pytest.raises(ApiError, match="forbidden"):
                run(kubeconfig, lives)
            clean(cluster)


def test_it_holds_nothing_that_opens_more() -> None:
    resources = {resource for rule in RULES for resource in rule["resources"]}
    assert not resources & {"secrets", "pods/exec", "pods/attach", "pods/portforward", "serviceaccounts", "*"}
    assert all("*" not in rule["verbs"] for rule in RULES)
