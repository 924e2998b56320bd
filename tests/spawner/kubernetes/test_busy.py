"""An API server that has too much to do: it is asked again when it says, and by few at a time."""

import asyncio
from collections.abc import Iterator

import pytest
from support.api_server import NAMESPACE, ApiServer

from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.kubernetes.anchor import Leases
from jupyter_repl_spawner.kubernetes.client import WRITES, Api
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
