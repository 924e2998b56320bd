"""What a program in a pod answers, or one template, or a watch that is behind, stops nothing else and loses nothing."""

import asyncio
import time
from types import MethodType, SimpleNamespace
from typing import Any, cast

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes import names
from jupyter_repl_spawner.kubernetes.client import Api
from jupyter_repl_spawner.kubernetes.client_errors import ApiError, Unreachable
from jupyter_repl_spawner.kubernetes.manifests import lease
from jupyter_repl_spawner.kubernetes.pod_template import PodTemplate
from jupyter_repl_spawner.kubernetes.pool import Bounds, Pools
from jupyter_repl_spawner.kubernetes.start import Starts
from jupyter_repl_spawner.kubernetes.state import Anchor, stamp
from jupyter_repl_spawner.kubernetes.stop import Stops
from jupyter_repl_spawner.port import Address, Leaving, Unsaved

REF = ProjectRef("", "abc")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize("sent_at_once", [0, len(ANSWER)], ids=["the head", "the body"])
def test_an_answer_that_comes_byte_by_byte_is_given_up(cluster: ApiServer, sent_at_once: int) -> None:
    """A program on sync's port would hold whoever asks for ever, and with that the credentials of all others."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER[:sent_at_once])
        for byte in ANSWER[sent_at_once:] + b"x" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async def body() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        address = Address(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "token")
        begun = time.monotonic()
        async with Api(NAMESPACE, str(cluster.kubeconfig)) as api:
            with pytest.raises(Unreachable):
                async with api.ask_pod("POST", address, "/status", b"{}", {}, 0.5) as answer:
                    await answer.line()
            assert time.monotonic() - begun < 10
        server.close()

    asyncio.run(body())


def test_a_template_that_is_refused_keeps_no_other_pool_from_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []

    async def keep(self: Pools, name: str, template: PodTemplate, wanted: int) -> None:
        kept.append(template.language)
        if template.language == "bad":
            raise ApiError(403, {"message": "no"})

    async def body() -> None:
        templates = {name: PodTemplate(name, "example/runner:1") for name in ("bad", "python")}
        objects = SimpleNamespace(objects={})
        view = SimpleNamespace(deployments=objects, pods=objects, leases=objects)
        pools = Pools(cast(Any, SimpleNamespace(view=view)), templates, dict.fromkeys(templates, Bounds(1, 1)))
        monkeypatch.setattr(Pools, "_keep", keep)
        await pools._look()

    asyncio.run(body())
    assert kept == ["bad", "python"]


def test_a_pod_that_the_watch_does_not_know_yet_is_flushed_before_it_is_stopped() -> None:
    """Another server has started it, and our watch is silent: it is not gone."""
    noted = {names.POD: "uid-1", names.GENERATION: "3"}
    made: Any = lease(REF, NAMESPACE, "us", stamp(time.time()), noted)
    made["metadata"]["uid"] = "uid-0"
    ours = Anchor.of(made)
    pod = {"metadata": {"uid": "uid-1", "name": "p"}, "status": {"phase": "Running"}}
    done: list[str] = []

    async def listed(*_: Any, **__: Any) -> Any:
        return {"items": [pod]}

    async def flush(*_: Any) -> Any:
        done.append("flush")
        return {"saved": False, "reason": "S3 is away.", "hint": "Wait."}

    async def note(*_: Any) -> None:
        done.append("note")

    async def remove(*_: Any) -> None:
        done.append("remove")

    async def body() -> None:
        cluster = SimpleNamespace(
            view=SimpleNamespace(pods_of=lambda slug: []),
            api=SimpleNamespace(list=listed),
            pods=SimpleNamespace(flush=flush),
            leases=SimpleNamespace(note=note),
        )
        starts = SimpleNamespace(_cluster=cluster, remove=remove)
        starts.pod_of = MethodType(Starts.pod_of, starts)
        stops = Stops(cast(Any, cluster), cast(Any, starts), 1.0)
        with pytest.raises(Unsaved, match="S3 is away"):
            await stops._stop(ours, Leaving.NOTHING)

    asyncio.run(body())
    assert done == ["flush", "note"]
