"""The watch against a real API server: what it misses, what it survives."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api_server import NAMESPACE, ApiServer, plain_kubeconfig
from support.lab import elapse, stays
from support.ports import free_port
from support.proxy import Proxy
from tornado.web import Application, RequestHandler

from jupyter_repl_spawner.kubernetes import watch as watching
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.client_errors import Object
from jupyter_repl_spawner.kubernetes.watch import Watch

LABELS = {"test": "watch"}


def lease(name: str) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": LABELS}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {}}


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def holds(holder: str) -> Callable[[Object | None], bool]:
    return lambda found: found is not None and found["spec"].get("holderIdentity") == holder


def kubeconfig_by(cluster: ApiServer, port: int, path: Path) -> str:
    path.write_text(cluster.kubeconfig.read_text().replace(f":{cluster.port}", f":{port}"))
    return str(path)


def run(kubeconfig: str, check: Any, **options: float) -> None:
    async def go() -> None:
        async with Api(NAMESPACE, kubeconfig) as api:
            watch = Watch(api, "leases", "test=watch", **options)
            await watch.start(20)
            try:
                await check(api, watch)
            finally:
                await watch.stop()
                for name in list(watch.objects):
                    await api.delete("leases", name)

    asyncio.run(go())


def test_it_sees_what_is_there_and_what_comes(cluster: ApiServer) -> None:
    cluster.kubectl("create", "-f", "-", text=json.dumps(lease("before")))

    async def check(api: Api, watch: Watch) -> None:
        assert set(watch.objects) == {"before"}
        seen: list[tuple[str, bool]] = []
        watch.listen(lambda item, there: seen.append((item["metadata"]["name"], there)))
        await api.create("leases", lease("new"))
        await watch.wait("new", bool, 5)
        await api.patch("leases", "new", {"spec": {"holderIdentity": "me"}})
        await watch.wait("new", lambda found: bool(found and found["spec"].get("holderIdentity")), 5)
        await api.delete("leases", "before")
        assert await watch.wait("before", lambda found: found is None, 5) is None
        assert seen == [("new", True), ("new", True), ("before", False)]
        assert watch.differences == 0

    run(str(cluster.kubeconfig), check)


def test_an_api_server_that_is_killed_and_started_again(cluster: ApiServer) -> None:
    async def check(api: Api, watch: Watch) -> None:
        await api.create("leases", lease("a"))
        await watch.wait("a", bool, 5)
        await asyncio.to_thread(cluster.restart_api)
        await until(lambda: watch.reconnects > 0)
        async with Api(NAMESPACE, str(cluster.kubeconfig)) as other:
            await other.create("leases", lease("b"))
            await other.delete("leases", "a")
        await until(lambda: set(watch.objects) == {"b"})

    run(str(cluster.kubeconfig), check)


def test_a_connection_that_says_nothing_is_given_up(cluster: ApiServer, tmp_path: Path) -> None:
    proxy = Proxy(cluster.port)
    try:

        async def check(api: Api, watch: Watch) -> None:
            proxy.stall()
            async with Api(NAMESPACE, str(cluster.kubeconfig)) as other:
                await other.create("leases", lease("silent"))
                await asyncio.to_thread(stays, lambda: "silent" not in watch.objects, 0.5)
                await until(lambda: watch.reconnects > 0, 10)
                proxy.stall(False)
                proxy.cut()
                await until(lambda: "silent" in watch.objects, 20)

        run(kubeconfig_by(cluster, proxy.port, tmp_path / "config"), check, silence=2.0)
    finally:
        proxy.close()


def test_a_version_that_is_too_old_begins_with_a_list(cluster: ApiServer, tmp_path: Path) -> None:
    proxy = Proxy(cluster.port)
    try:

        async def check(api: Api, watch: Watch) -> None:
            await api.create("leases", lease("kept"))
            await watch.wait("kept", bool, 5)
            await asyncio.to_thread(cluster.restart_api)  # which remembers nothing of before
            watch.objects["ghost"] = lease("ghost") | {"metadata": {"name": "ghost", "resourceVersion": "0"}}
            watch._version = "1"
            proxy.cut()
            await until(lambda: set(watch.objects) == {"kept"})
            assert watch.differences == 1
            await api.create("leases", lease("later"))
            await watch.wait("later", bool, 5)

        run(kubeconfig_by(cluster, proxy.port, tmp_path / "config"), check)
    finally:
        proxy.close()


@pytest.mark.timeout(300)
def test_a_thousand_reconnects_leave_nothing(
    cluster: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BACKOFF_SECONDS", (0.001, 0.01))
    proxy = Proxy(cluster.port)
    try:

        async def check(api: Api, watch: Watch) -> None:
            process = psutil.Process()
            memory = 0
            async with Api(NAMESPACE, str(cluster.kubeconfig)) as other:
                await other.create("leases", lease("a"))
                for number in range(1000):
                    proxy.cut()
                    await other.patch("leases", "a", {"spec": {"holderIdentity": str(number)}})
                    await watch.wait("a", holds(str(number)), 20)
                    if number == 100:
                        memory = process.memory_info().rss
            assert watch.reconnects > 700
            assert process.memory_info().rss - memory < 8 << 20

        run(kubeconfig_by(cluster, proxy.port, tmp_path / "config"), check)
    finally:
        proxy.close()


def test_what_is_learned_while_a_list_is_read_is_not_missing_in_it(cluster: ApiServer) -> None:
    async def check(api: Api, watch: Watch) -> None:
        list_page = api.list

        async def list_and_learn(kind: str, **query: str) -> Any:
            page = await list_page(kind, **query)
            watch.learn(await api.create("leases", lease("learned")))
            return page

        api.list = list_and_learn  # type: ignore[method-assign]
        await watch._list()
        assert "learned" in watch.objects
        await api.patch("leases", "learned", {"spec": {"holderIdentity": "later"}})
        await watch.wait("learned", holds("later"), 20)

    run(str(cluster.kubeconfig), check)


def test_a_watch_that_ends_at_once_is_asked_more_and_more_seldom(tmp_path: Path) -> None:
    """As by a server that shuts down in good order. Each server of ours would ask it without a pause."""
    asked = 0

    class Ending(RequestHandler):
        def get(self) -> None:
            nonlocal asked
            asked += 1
            if self.get_query_argument("watch", "") != "true":
                self.write({"items": [], "metadata": {"resourceVersion": "1"}})

    async def check() -> None:
        server = Application([(r".*", Ending)], log_function=lambda _: None).listen(port := free_port(), "127.0.0.1")
        async with Api(NAMESPACE, plain_kubeconfig(port, tmp_path / "config")) as api:
            watch = Watch(api, "leases", "test=watch")
            await watch.start(20)
            await asyncio.to_thread(elapse, 2)
            await watch.stop()
        server.stop()

    asyncio.run(check())
    assert 3 < asked < 20
