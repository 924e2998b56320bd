"""What a server says to the two containers of a pod: orders to sync, each signed for that pod, and little to the
runner, with its token."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_repl_runner.contract import pod as contract
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_runner.contract.messages import AUTH_HEADER
from jupyter_repl_spawner.port import Progress

from .client import Api, Object, Unreachable
from .keys import Keys
from .reach import Reach

AGAIN_SECONDS = (0.02, 0.25)
ANSWER_SECONDS = 10.0
FLUSH_SECONDS = 30.0
DRAIN_SECONDS = 10.0


class Pods:
    def __init__(self, api: Api, reach: Reach, keys: Keys) -> None:
        self._api = api
        self._reach = reach
        self._keys = keys

    async def assign(
        self, pod: Object, order: contract.Order, progress: Progress, seconds: float, patience: float
    ) -> None:
        """Return when the project is open. A pod that does not answer (yet, or any more: the API server's proxy cuts
        streams now and then) is asked again for `seconds`; a restore may say nothing new for `patience`. Raises
        Unreachable, and Unavailable with the reason."""
        loop = asyncio.get_running_loop()
        told, complaint = "", dict[str, Any]()

        def heard(word: dict[str, Any]) -> None:
            nonlocal told, complaint
            if word["marks"]["reason"]:
                complaint = word["marks"]
            if word["progress"] != told:
                told = word["progress"]
                limit.reschedule(loop.time() + patience)
                progress(told)

        try:
            async with asyncio.timeout(seconds) as limit:
                await _again(lambda: self._assign(pod, order, heard, patience), Unreachable)
        except TimeoutError:
            raise (_not_restored(complaint) if told else Unreachable()) from None

    async def answers(self, pod: Object) -> bool:
        """Whether its sync is up."""
        try:
            await self.status(pod)
        except Unreachable:
            return False
        return True

    async def _assign(
        self, pod: Object, order: contract.Order, heard: Callable[[dict[str, Any]], None], patience: float
    ) -> None:
        body = order.to_json().encode()
        address = await self._reach.address(pod, contract.SYNC_PORT)
        signature = self._signature(pod, contract.ASSIGN, body)
        marks: dict[str, Any] = {}
        async with self._api.ask_pod("POST", address, contract.ASSIGN, body, signature, patience) as read:
            while line := await read():
                word = json.loads(line)
                if word["open"]:
                    return
                marks = word["marks"]
                heard(word)
        raise _not_restored(marks)

    async def wait_for_runner(self, pod: Object, generation: int, seconds: float) -> None:
        """Return when it serves: its container comes up after sync's. Raises Unreachable."""
        try:
            async with asyncio.timeout(seconds):
                await _again(lambda: self._tell_runner(pod, generation, "GET", "/status", ANSWER_SECONDS), Unavailable)
        except TimeoutError:
            raise Unreachable from None

    async def drain(self, pod: Object, generation: int) -> None:
        """Return when no program of the person's is left. Raises Unavailable."""
        await self._tell_runner(pod, generation, "POST", "/drain?wait", DRAIN_SECONDS)

    async def _tell_runner(self, pod: Object, generation: int, method: str, path: str, seconds: float) -> None:
        token = self._keys.token(pod["metadata"]["uid"], generation)
        address = await self._reach.address(pod, contract.RUNNER_PORT, token)
        async with self._api.ask_pod(method, address, path, b"", {AUTH_HEADER: token}, seconds) as read:
            await read()

    async def status(self, pod: Object) -> dict[str, Any]:
        return await self._ask(pod, contract.STATUS, b"{}", ANSWER_SECONDS)

    async def flush(self, pod: Object) -> dict[str, Any]:
        """`saved`, and why it is not."""
        return await self._ask(pod, contract.FLUSH, b"{}", FLUSH_SECONDS)

    async def renew(self, pod: Object, generation: int, credentials: Credentials) -> None:
        body = contract.Renewal(generation, credentials).to_json().encode()
        await self._ask(pod, contract.CREDENTIALS, body, ANSWER_SECONDS)

    async def _ask(self, pod: Object, path: str, body: bytes, seconds: float) -> dict[str, Any]:
        address = await self._reach.address(pod, contract.SYNC_PORT)
        signature = self._signature(pod, path, body)
        async with self._api.ask_pod("POST", address, path, body, signature, seconds) as read:
            try:
                found = json.loads(await read())
            except ValueError as error:
                raise Unavailable("The pod's answer is not understood.", hint="Are they of one version?") from error
        return found if isinstance(found, dict) else {}

    def _signature(self, pod: Object, path: str, body: bytes) -> dict[str, str]:
        return {contract.SIGNATURE_HEADER: self._keys.sign(pod["metadata"]["uid"], path, body)}


async def _again(ask: Callable[[], Awaitable[None]], error: type[Unavailable]) -> None:
    """Ask until that error comes no more; for how long is the caller's business."""
    pause = AGAIN_SECONDS[0]
    while True:
        try:
            return await ask()
        except error:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, AGAIN_SECONDS[1])


def _not_restored(marks: dict[str, Any]) -> Unavailable:
    reason = marks.get("reason") or "no answer."
    return Unavailable(f"The files could not be restored: {reason}", hint=marks.get("hint") or "Try again.")
