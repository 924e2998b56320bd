"""An API server that has too much to do, or whose answers are lost: what is asked again, and when."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api_server import NAMESPACE, ApiServer, plain_kubeconfig

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes.anchor import Leases
from jupyter_repl_spawner.kubernetes.client import ATTEMPTS, WRITES, Api
from jupyter_repl_spawner.kubernetes.client_errors import Object
from jupyter_repl_spawner.kubernetes.rights import RULES


@pytest.fixture
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of somebody who is not above the limits, at a server that does one thing at a time."""
    limits = ("--enable-priority-and-fairness=false", "--max-requests-inflight=1", "--max-mutating-requests-inflight=1")
    server = ApiServer(tmp_path_factory.mktemp("busy") / "state", *limits).start()
    server.grant("busy", RULES)
    yield str(server.identity("busy", "/O=people/CN=busy"))
    server.stop()


def test_a_busy_server_is_asked_again_when_it_says(kubeconfig: str) -> None:
    asyncio.run(_write_many(kubeconfig))


def test_a_creation_whose_answer_was_lost_is_ours(cluster: ApiServer) -> None:
    async def check() -> None:
        async with Api(NAMESPACE, str(cluster.kubeconfig)) as api:
            leases, ref = Leases(api, lambda _: None), ProjectRef("", "lost")
            create = api.create

            async def lose(kind: str, manifest: Object) -> Object:
                await create(kind, manifest)
                return await create(kind, manifest)  # as it is asked again after a 503

            api.create = lose  # type: ignore[method-assign,assignment]
            assert (await leases.acquire(ref, "me", {}))[1]
            assert not (await leases.acquire(ref, "somebody else", {}))[1]

    asyncio.run(check())


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"items": []}'


@pytest.mark.parametrize("cut_at", [0, 20, len(ANSWER) - 5], ids=["before a word", "in the head", "in the body"])
def test_a_question_is_asked_again_after_a_cut_and_a_change_is_not(tmp_path: Path, cut_at: int) -> None:
    """A change may have been heard. Either way it is an error of ours."""
    asked = cuts = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked, cuts
        await reader.readuntil(b"\r\n\r\n")
        asked, cuts = asked + 1, cuts - 1
        writer.write(ANSWER if cuts < 0 else ANSWER[:cut_at])
        writer.close()
        await writer.wait_closed()

    async def check() -> None:
        nonlocal asked, cuts
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        config = plain_kubeconfig(server.sockets[0].getsockname()[1], tmp_path / "config")
        async with server, Api(NAMESPACE, config) as api:
            cuts = 1
            assert await api.list("leases") == {"items": []}
            asked, cuts = 0, 1000
            with pytest.raises(Unavailable):
                await api.list("leases")
            assert ATTEMPTS <= asked <= 2 * ATTEMPTS, "aiohttp asks once more by itself"
            asked = 0
            with pytest.raises(Unavailable):
                await api.patch("leases", "none", {"spec": {}})
            assert asked == 1

    asyncio.run(check())


async def _write_many(kubeconfig: str) -> None:
    async with Api(NAMESPACE, kubeconfig) as api:
        leases = Leases(api, lambda _: None)
        send, under_way, most, refused = api._send, 0, 0, 0

        async def counted(method: str, *rest: object) -> object:
            nonlocal under_way, most, refused
            under_way += 1
            most = max(most, under_way)
            try:
                answer = await send(method, *rest)  # type: ignore[arg-type]
            finally:
                under_way -= 1
            refused += answer.status == 429
            return answer

        api._send = counted  # type: ignore[method-assign]
        made = await asyncio.gather(*(leases.acquire(ProjectRef("", f"busy-{n}"), "me", {}) for n in range(100)))
        assert all(is_ours for _, is_ours in made)
        assert refused > 10
        assert most <= WRITES
