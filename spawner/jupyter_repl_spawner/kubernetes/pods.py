"""What a server says to the two containers of a pod: orders to sync, signed for that pod and answered with a proof, and
little to the runner, with its token.

Programs share the pod's network, so an answer without the right proof does not count as sync's. The runner runs the
person's programs: its answers decide nothing but when it is ready.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from jupyter_repl_runner.contract import pod as contract
from jupyter_repl_runner.contract.errors import Unavailable, from_json
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.messages import AUTH_HEADER
from jupyter_repl_runner.contract.proof import NONCE_HEADER, Question
from jupyter_repl_spawner.port import Progress

from .client import Api, PodAnswer
from .client_errors import Object, Unreachable
from .keys import Keys
from .reach import Reach

AGAIN_SECONDS = (0.02, 0.25)
ANSWER_SECONDS = 10.0
FLUSH_SECONDS = 30.0
DRAIN_SECONDS = 10.0

Word = dict[str, Any]
Read = Callable[[], Awaitable[Word | None]]
"""Gives the next line of an answer, None at the end. Raises Unreachable and NotSync."""


class NotSync(Unavailable):
    """Something answers on sync's port that is not sync."""

    def __init__(self) -> None:
        super().__init__(
            "It is not known whether the files are saved: a program answers on port 3002 of the pod in place of sync.",
            hint="If a program of yours uses that port, end it. Else stop the REPL and start it again.",
        )


class Pods:
    def __init__(self, api: Api, reach: Reach, keys: Keys) -> None:
        self._api = api
        self._reach = reach
        self._keys = keys

    async def assign(
        self, pod: Object, order: contract.Order, progress: Progress, seconds: float, patience: float
    ) -> None:
        """Return when the project is open. Raises Unreachable, and Unavailable with the reason.

        The order holds keys, so it is sent once, to a pod in which no program has run. A pod that does not answer (yet,
        or any more: the API server's proxy cuts streams now and then) is asked for `seconds`; a restore may say nothing
        new for `patience`.
        """
        loop = asyncio.get_running_loop()
        generation = order.grant.generation
        reported, complaint = "", Word()

        def heard(word: Word) -> None:
            nonlocal reported, complaint
            if word["marks"]["reason"]:
                complaint = word["marks"]
            if word["progress"] != reported:
                reported = word["progress"]
                limit.reschedule(loop.time() + patience)
                progress(reported)

        def follow(path: str, body: bytes) -> Awaitable[None]:
            return self._follow(pod, generation, path, body, heard, patience)

        try:
            async with asyncio.timeout(seconds) as limit:
                await _again(lambda: self._check_up(pod), Unreachable)
                try:
                    await follow(contract.ASSIGN, order.to_json().encode())
                except (Unreachable, NotSync):  # sync proves whether it got the order
                    await _again(lambda: follow(contract.PROGRESS, b"{}"), Unreachable, NotSync)
        except TimeoutError:
            raise (_not_restored(complaint) if reported else Unreachable()) from None

    async def answers(self, pod: Object) -> bool:
        """Whether the sync of a pod that was not assigned yet is up."""
        try:
            await self._check_up(pod)
        except Unreachable:
            return False
        return True

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

    async def status(self, pod: Object, generation: int) -> Word:
        """Raises Unreachable and NotSync."""
        return await self._ask(pod, generation, contract.STATUS, b"{}", ANSWER_SECONDS)

    async def flush(self, pod: Object, generation: int) -> Word:
        """`saved`, and why it is not. Raises Unreachable and NotSync."""
        return await self._ask(pod, generation, contract.FLUSH, b"{}", FLUSH_SECONDS)

    async def renew(self, pod: Object, generation: int, credentials: Credentials) -> None:
        """Raises Unreachable and NotSync."""
        renewal = self._keys.of(pod).seal(pod["metadata"]["uid"], generation, credentials)
        await self._ask(pod, generation, contract.CREDENTIALS, renewal.to_json().encode(), ANSWER_SECONDS)

    # -- parts

    async def _check_up(self, pod: Object) -> None:
        """Raises Unreachable unless a sync without an assignment answers."""
        async with self._asked(pod, None, contract.STATUS, b"{}", ANSWER_SECONDS) as read:
            said = await read()
        if said is None or said.get("generation") != 0:
            raise Unreachable

    async def _follow(
        self, pod: Object, generation: int, path: str, body: bytes, heard: Callable[[Word], None], patience: float
    ) -> None:
        async with self._asked(pod, generation, path, body, patience) as read:
            while (word := await read()) is not None:
                if word["open"]:
                    return
                heard(word)
                if word["marks"]["state"] in ("failed", "fenced"):
                    raise _not_restored(word["marks"])
        raise Unreachable  # cut

    async def _ask(self, pod: Object, generation: int, path: str, body: bytes, seconds: float) -> Word:
        async with self._asked(pod, generation, path, body, seconds) as read:
            said = await read()
        if said is None:
            raise Unreachable
        return said

    @asynccontextmanager
    async def _asked(
        self, pod: Object, generation: int | None, path: str, body: bytes, seconds: float
    ) -> AsyncIterator[Read]:
        """A question to sync. `generation` None: of a pod that was not assigned, whose answers have no proof. Raises
        Unreachable, NotSync, and what sync refuses it with."""
        key, uid, question = self._keys.of(pod), pod["metadata"]["uid"], Question(path)
        secret = "" if generation is None else key.secret(uid, generation)
        address = await self._reach.address(pod, contract.SYNC_PORT)
        headers = {NONCE_HEADER: question.nonce, contract.SIGNATURE_HEADER: key.sign(uid, question, body)}
        async with self._api.ask_pod("POST", address, path, body, headers, seconds) as answer:
            number = 0

            async def read() -> Word | None:
                nonlocal number
                line = await answer.line()
                if not line:
                    return None
                try:
                    said = question.read(secret, answer.status, number, line)
                except ValueError as error:
                    raise (Unreachable if _is_of_the_cluster(answer.status, line) else NotSync) from error
                number += 1
                return said

            if answer.status != 200:
                raise from_json(await read() or {}, answer.status)
            yield read

    async def _tell_runner(self, pod: Object, generation: int, method: str, path: str, seconds: float) -> None:
        token = self._keys.of(pod).token(pod["metadata"]["uid"], generation)
        address = await self._reach.address(pod, contract.RUNNER_PORT, token)
        async with self._api.ask_pod(method, address, path, b"", {AUTH_HEADER: token}, seconds) as answer:
            if answer.status != 200:
                raise await _refusal(answer)


async def _refusal(answer: PodAnswer) -> Unavailable:
    """The error of a runner's refusal; Unreachable if the answer is not a runner's."""
    with suppress(ValueError):
        said = parse_json(await answer.line())
        if isinstance(said, dict) and "code" in said and said.get("kind") != "Status":
            return Unavailable(str(said.get("message", ""))[:500], hint=str(said.get("hint", ""))[:500])
    return Unreachable()


def _is_of_the_cluster(status: int, line: bytes) -> bool:
    """Whether the API server answers: its proxy can't reach the pod, or it is busy. A program that answers so gains
    nothing."""
    return status != 200 and (b'"kind":"Status"' in line or b"rror trying to reach service" in line)


async def _again(ask: Callable[[], Awaitable[None]], *errors: type[Unavailable]) -> None:
    """Ask until these errors stop; the caller sets the time limit."""
    pause = AGAIN_SECONDS[0]
    while True:
        try:
            return await ask()
        except errors:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, AGAIN_SECONDS[1])


def _not_restored(marks: Word) -> Unavailable:
    reason = marks.get("reason") or "no answer."
    return Unavailable(f"The files could not be restored: {reason}", hint=marks.get("hint") or "Try again.")
