"""The server's orders to the sync of a pod, each signed for that pod."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from jupyter_repl_runner.contract import pod as contract
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_spawner.port import Progress

from .client import Api, Object, Unreachable
from .keys import Keys
from .reach import Reach

AGAIN_SECONDS = (0.02, 0.25)
ANSWER_SECONDS = 10.0
FLUSH_SECONDS = 30.0


class Sidecars:
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
        loop, pause = asyncio.get_running_loop(), AGAIN_SECONDS[0]
        until, last = loop.time() + seconds, dict[str, Any]()

        def heard(word: dict[str, Any]) -> None:
            nonlocal until, pause, last
            if word != last:
                until, pause, last = loop.time() + max(seconds, patience), AGAIN_SECONDS[0], word
                progress(word["progress"])

        while True:
            try:
                return await self._assign(pod, order, heard, patience)
            except Unreachable:
                if loop.time() > until:
                    if last:
                        raise _not_restored(last["marks"]) from None
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, AGAIN_SECONDS[1])

    async def _assign(
        self, pod: Object, order: contract.Order, heard: Callable[[dict[str, Any]], None], patience: float
    ) -> None:
        body = order.to_json().encode()
        address = await self._reach.address(pod, contract.SYNC_PORT)
        signature = self._signature(pod, contract.ASSIGN, body)
        marks: dict[str, Any] = {}
        async with self._api.post(address, contract.ASSIGN, body, signature, patience) as read:
            while line := await read():
                word = json.loads(line)
                if word["open"]:
                    return
                marks = word["marks"]
                heard(word)
        raise _not_restored(marks)

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
        async with self._api.post(address, path, body, self._signature(pod, path, body), seconds) as read:
            try:
                found = json.loads(await read())
            except ValueError as error:
                raise Unavailable("The pod's answer is not understood.", hint="Are they of one version?") from error
        return found if isinstance(found, dict) else {}

    def _signature(self, pod: Object, path: str, body: bytes) -> dict[str, str]:
        return {contract.SIGNATURE_HEADER: self._keys.sign(pod["metadata"]["uid"], path, body)}


def _not_restored(marks: dict[str, Any]) -> Unavailable:
    reason = marks.get("reason") or "no answer."
    return Unavailable(f"The files could not be restored: {reason}", hint=marks.get("hint") or "Try again.")
