"""When sync does what: the restore, batches as they become due, whole looks from time to time, and the last flush."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from logging import getLogger

from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.files.watch import Changes

from .fence import Fence, Fenced
from .meeting import Meeting
from .push import GRACE_SECONDS, Push
from .queue import Batch, Queue
from .status import Status

WHOLE_LOOK_SECONDS = 60.0
MEETINGS_SECONDS = (15.0, 60.0)
"""After the first meeting: what a runner that was frozen between look and write has still done is put right."""
FENCE_SECONDS = 5.0
RETRIES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
FLUSH_SECONDS = 20.0
SILENCE_SECONDS = 4.0
"""After so long without an answer the mark says that the store is away."""
SLOWEST = 500_000
"""Bytes a second of a line on which a large file is still on its way, and not stuck."""
TRASH_SECONDS = 3600.0

log = getLogger(__name__)


class Engine:
    """`run` is the one owner of all that is under way; `note` and `end` may be called at any time, in its loop."""

    def __init__(
        self,
        ref: ProjectRef,
        meeting: Meeting,
        push: Push,
        fence: Fence,
        status: Status,
        heard: Callable[[], float],
    ) -> None:
        """`heard`: when the store has answered last, by the monotonic clock."""
        self._ref = ref
        self._meeting = meeting
        self._push = push
        self._fence = fence
        self._status = status
        self._heard = heard
        self._queue = Queue()
        self._wake = asyncio.Event()
        self._ending = False
        self._failures = 0
        self._is_met = False
        self._deadline: asyncio.Timeout | None = None

    def note(self, changes: Changes) -> None:
        now = _now()
        if changes.everything:
            self._queue.note_all(now)
        self._queue.note(now, paths=changes.files | changes.attributes, folders=changes.folders)
        self._wake.set()

    def end(self) -> None:
        """What is under way and the last look may take FLUSH_SECONDS more."""
        if not self._ending:
            self._ending = True
            if self._deadline is not None:
                self._deadline.reschedule(_now() + FLUSH_SECONDS)
            self._wake.set()

    async def run(self, opened: Callable[[], None]) -> bool:
        """Until `end`, or until we are fenced; whether all is saved. Raises what keeps the first meeting from it."""
        try:
            restoring = asyncio.create_task(self._restore(opened), name=f"restore {self._ref}")
            try:
                async with asyncio.timeout(FLUSH_SECONDS if self._ending else None) as self._deadline:
                    await self._serve(restoring)
                    return await self._flush()
            except TimeoutError:
                return False
            finally:
                restoring.cancel()
                await asyncio.gather(restoring, return_exceptions=True)
        except Fenced:
            self._status.tell("fenced", "Another server has started this REPL.", "Close this tab, or start it again.")
            log.warning("%s: a later start has taken over; nothing more is written", self._ref)
            return False

    async def _restore(self, opened: Callable[[], None]) -> None:
        """The first meeting, until it has succeeded. A store that refuses us is a failure that a person must hear
        of."""
        attempt = 0
        while True:
            try:
                again = await self._meeting.meet(opened)
                break
            except ReplError as error:
                delay = RETRIES_SECONDS[min(attempt, len(RETRIES_SECONDS) - 1)]
                self._status.tell("restoring", error.message, error.hint)
                attempt += 1
                await asyncio.sleep(delay)
        self._is_met = True
        self._queue.note(_now(), paths=again)
        self._queue.note_all(_now())
        self._wake.set()

    async def _serve(self, restoring: "asyncio.Task[None]") -> None:
        loop = asyncio.get_running_loop()
        begun = _now()
        meetings = list(MEETINGS_SECONDS)
        whole_at, fence_at, trash_at = begun + WHOLE_LOOK_SECONDS, begun, begun + FENCE_SECONDS
        while not self._ending:
            if restoring.done():
                restoring.result()
            now = _now()
            if self._is_met and meetings and now > begun + meetings[0]:
                if await self._try(lambda: self._meeting.meet(lambda: None)):
                    meetings.pop(0)
            if now > whole_at:
                self._queue.note_all(now)
                whole_at = now + WHOLE_LOOK_SECONDS
            if self._is_met and now > trash_at:
                await self._try(self._push.forget_old)
                trash_at = now + TRASH_SECONDS
            if self._queue and now > fence_at:
                await self._try(self._fence.check)
                fence_at = now + FENCE_SECONDS
            if batch := self._queue.take(_now()):
                await self._carry(batch)
            self._tell()
            await self._sleep(loop, min(whole_at, self._queue.next_due or whole_at) - _now())

    async def _carry(self, batch: Batch) -> None:
        """A batch whose turn has come; it waits again if the store is away."""
        self._tell(batch)
        if not await self._try(lambda: self._push.push(batch)):
            now = _now()
            if batch.everything:
                self._queue.note_all(now)
            self._queue.note(now, paths=batch.paths, folders=batch.folders)
            await self._pause(RETRIES_SECONDS[min(self._failures, len(RETRIES_SECONDS)) - 1])

    async def _try(self, call: Callable[[], Awaitable[set[str] | None]]) -> bool:
        """Whether it succeeded; paths that it gives back are looked at again. Raises Fenced."""
        silent = asyncio.create_task(self._watch_for_silence(), name="silence of the store")
        try:
            again = await call()
        except ReplError as error:
            self._failures += 1
            self._status.tell("away", error.message, error.hint)
            log.warning("%s: %s %s", self._ref, error.message, error.hint)
            return False
        finally:
            silent.cancel()
        self._failures = 0
        if again:
            self._queue.note(_now(), paths=again)
        return True

    async def _watch_for_silence(self) -> None:
        """Long before a request is given up. What is being sent may take its time."""
        begun = time.monotonic()
        while True:
            patience = SILENCE_SECONDS + self._status.sending / SLOWEST
            left = max(begun, self._heard()) + patience - time.monotonic()
            if left <= 0:
                break
            await asyncio.sleep(min(left, SILENCE_SECONDS))
        self._status.tell("away", "S3 does not answer.", "It is asked again and again.")

    async def _flush(self) -> bool:
        """The last look at all of it, as often as it takes; whether the store has everything."""
        while True:
            self._queue = Queue()
            done = await self._try(lambda: self._push.push(Batch(everything=True), is_last=True))
            if done and not self._queue:
                self._tell()
                return self._is_met
            await asyncio.sleep(RETRIES_SECONDS[0])

    def _tell(self, batch: Batch | None = None) -> None:
        waiting = self._queue.waiting
        if batch:
            waiting = sorted({*waiting, *batch.paths})
        if self._push.is_gone:
            self._status.tell(
                "gone", "The project's folder was emptied or replaced.", "Stop the REPL and start it again."
            )
        elif self._failures:
            self._status.waiting(waiting, self._status.marks.state)
        elif not self._is_met:
            self._status.tell(pending=len(waiting))
        else:
            self._status.waiting(waiting, "saving" if waiting else "saved")

    async def _pause(self, seconds: float) -> None:
        """Only `end` cuts it short: what is written meanwhile waits with the rest."""
        until = _now() + seconds
        while not self._ending and (left := until - _now()) > 0:
            await self._sleep(asyncio.get_running_loop(), left)

    async def _sleep(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        if self._ending:
            return
        self._wake.clear()
        handle = loop.call_later(max(0.005, min(seconds, GRACE_SECONDS)), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            handle.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
