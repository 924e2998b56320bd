"""When sync does what: the restore, batches as they become due, full scans from time to time, and the last flush."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.files.watch import Changes

from .bundling import Bundler
from .fence import Fenced
from .meeting import Meeting
from .push import Push
from .queue import Batch, Queue
from .sides import Sides
from .silence import tell_silence
from .volume import Gone

WHOLE_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 60.0, 600.0
LOOKING_SHARE = 0.001
"""Of a core, for full scans of a project in which nothing happens."""
MEETINGS_SECONDS = (15.0, 60.0)
"""After the first meeting: repairs what a runner that was frozen between scan and write has still done."""
BUNDLE_SECONDS = 5.0
"""Of quiet, until the bundle is renewed."""
RETRIES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
FLUSH_SECONDS = 20.0
FIRST_TRASH_SECONDS, TRASH_SECONDS = 5.0, 3600.0

_MISTAKE = "Something went wrong in sync.", "It is tried again; its log says more."

log = getLogger(__name__)


@dataclass
class _Chore:
    """What is done from time to time: the first time at `at`, by the loop's clock."""

    at: float
    call: Callable[[], Awaitable[set[str] | None]]
    every: float = math.inf


class Engine:
    """`run` owns all tasks; `note` and `end` may be called at any time, in its loop."""

    def __init__(
        self,
        sides: Sides,
        meeting: Meeting,
        push: Push,
        bundler: Bundler,
        heard: Callable[[], float],
        end_seconds: float = FLUSH_SECONDS,
    ) -> None:
        """`heard`: when the store has answered last, by the monotonic clock. `end_seconds`: what the caller of `end`
        leaves for the rest."""
        self._ref, self._status = sides.ref, sides.status
        self._meeting = meeting
        self._push = push
        self._bundler = bundler
        self._heard = heard
        self._end_seconds = end_seconds
        self._looking, self._renewing = _Chore(math.inf, self._look), _Chore(math.inf, bundler.renew)
        self._queue = Queue()
        self._wake = asyncio.Event()
        self._ending = False
        self._failures = 0
        self._is_gone = False
        self._is_met = False
        self._asked: list[asyncio.Future[bool]] = []
        self._deadline: asyncio.Timeout | None = None

    def note(self, changes: Changes) -> None:
        now = changes.heard or _now()
        if changes.everything:
            self._queue.note_all(now)
        self._queue.note(now, paths=changes.files | changes.attributes, folders=changes.folders)
        self._wake.set()

    def end(self) -> None:
        """What is under way and the last scan may take `end_seconds` more, or FLUSH_SECONDS before all was restored."""
        if not self._ending:
            self._ending = True
            if self._deadline is not None:
                self._deadline.reschedule(asyncio.get_running_loop().time() + self._time_to_end)
            self._wake.set()

    @property
    def _time_to_end(self) -> float:
        """The failure of a start is reported when its pod has gone, and there is little to save."""
        return self._end_seconds if self._is_met else FLUSH_SECONDS

    async def flush(self) -> bool:
        """Whether the store has all that is here now, compared with what it lists; at most FLUSH_SECONDS."""
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._wake.set()
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                return await asked
        except TimeoutError:
            return False
        finally:
            if asked in self._asked:
                self._asked.remove(asked)

    async def run(self, opened: Callable[[], None]) -> bool:
        """Until `end`, or until we are fenced; whether all is saved. Raises what keeps the first meeting from it."""
        try:
            restoring = tasks.awaited(self._restore(opened), f"restore {self._ref}")
            try:
                async with asyncio.timeout(self._time_to_end if self._ending else None) as self._deadline:
                    await self._serve(restoring)
                    return await self._flush()
            except TimeoutError:
                return False
            finally:
                await tasks.stop(restoring)
        except Fenced:
            hint = "Nothing more is saved from here. Copy what you need, stop this REPL, and start it again."
            self._status.tell("fenced", "Another server has started this REPL.", hint)
            log.warning("%s: a later start has taken over; nothing more is written", self._ref)
            return False

    async def _restore(self, opened: Callable[[], None]) -> None:
        """Repeat the first meeting until it succeeds. The marks say why it does not."""
        attempt = 0
        while True:
            try:
                again = await self._meeting.meet(opened)
                break
            except ReplError as error:
                self._status.tell("gone" if isinstance(error, Gone) else "restoring", error.message, error.hint)
            except Fenced:
                raise
            except Exception:
                self._status.tell("restoring", *_MISTAKE)
                log.exception("%s: the restore has failed, and is tried again", self._ref)
            await asyncio.sleep(RETRIES_SECONDS[min(attempt, len(RETRIES_SECONDS) - 1)])
            attempt += 1
        self._is_met = True
        self._queue.note(_now(), paths=again)
        self._queue.note_all(_now(), is_heard=False)
        self._wake.set()

    async def _serve(self, restoring: "asyncio.Task[None]") -> None:
        restoring.add_done_callback(lambda _: self._wake.set())
        now = _now()
        self._renewing.at = math.inf
        chores = [_Chore(now + seconds, self._meet_again) for seconds in MEETINGS_SECONDS]
        chores += [
            self._looking,
            self._renewing,
            _Chore(now + FIRST_TRASH_SECONDS, self._push.deletions.forget_old, TRASH_SECONDS),
        ]
        self._looking.at = now + WHOLE_LOOK_SECONDS
        while not self._ending:
            self._wake.clear()  # from here on any event causes another turn
            if restoring.done():
                restoring.result()
            if self._asked:
                await self._answer()
            for chore in chores if self._is_met else ():
                if _now() > chore.at:
                    done = await self._try(chore.call)
                    chore.at = _now() + (chore.every if done else self._delay)
            if batch := self._queue.take(_now()):
                await self._carry(batch)
                self._renewing.at = _now() + BUNDLE_SECONDS
            self._tell()
            next_due = min(chore.at for chore in chores) if self._is_met else math.inf
            await self._sleep(min(next_due, self._queue.next_due or math.inf) - _now())

    async def _answer(self) -> None:
        """Answer the calls of `flush`: about what was here when they were made, or later."""
        asked, self._asked = self._asked, []
        until, left, is_saved = _now() + FLUSH_SECONDS, {""}, True
        while is_saved and left and not self._ending and _now() < until:
            left = set()

            async def everything(left: set[str] = left) -> set[str]:
                again = await self._push.push(Batch(everything=True), is_last=True)
                left |= again
                return again

            is_saved = await self._try(everything)
            if is_saved and self._is_met:  # before all was restored there is nothing to compare
                is_saved = await self._try(self._meet_again)
            if left:
                await self._pause(RETRIES_SECONDS[0])
        for each in asked:
            if not each.done():
                each.set_result(is_saved and not left)

    async def _meet_again(self) -> set[str]:
        return await self._meeting.meet(lambda: None)

    async def _look(self) -> None:
        """A full scan now and then: the larger the project, the more seldom. What could not be restored is asked for
        again."""
        if self._status.has_unrestored:
            await self._meet_again()
        self._queue.note_all(_now(), is_heard=False)
        share = self._push.look_seconds / LOOKING_SHARE
        self._looking.every = min(max(WHOLE_LOOK_SECONDS, share), LONGEST_LOOK_SECONDS)

    @property
    def _delay(self) -> float:
        """Seconds until a failed call is retried."""
        return RETRIES_SECONDS[min(self._failures, len(RETRIES_SECONDS)) - 1]

    async def _carry(self, batch: Batch) -> None:
        """Save a batch; it goes back into the queue if the store is away."""
        self._tell(batch)
        if not await self._try(lambda: self._push.push(batch)):
            now = _now()
            if batch.everything:
                self._queue.note_all(now, is_heard=batch.is_heard)
            self._queue.note(now, paths=batch.paths, folders=batch.folders)
            await self._pause(self._delay)

    async def _try(self, call: Callable[[], Awaitable[set[str] | None]]) -> bool:
        """Whether it succeeded; paths that it gives back are scanned again. Raises Fenced."""
        silent = tasks.spawn(tell_silence(self._status, self._heard), "silence of the store")
        try:
            again = await call()
        except ReplError as error:
            self._failures += 1
            self._is_gone = isinstance(error, Gone)
            self._status.tell("gone" if self._is_gone else "away", error.message, error.hint)
            log.warning("%s: %s %s", self._ref, error.message, error.hint)
            return False
        except Fenced:
            raise
        except Exception:  # a mistake of ours must not end all saving
            self._failures += 1
            self._status.tell("away", *_MISTAKE)
            log.exception("%s: sync has failed, and goes on", self._ref)
            return False
        finally:
            await tasks.stop(silent)
        self._failures, self._is_gone = 0, False
        if again:
            self._queue.note(_now(), paths=again)
        return True

    async def _flush(self) -> bool:
        """Full scans and saves until nothing is left; whether the store has everything."""
        while True:
            self._queue = Queue()
            done = await self._try(lambda: self._push.push(Batch(everything=True), is_last=True))
            if done and not self._queue:
                self._tell()
                if self._push.has_written and self._is_met:  # else a cancelled start leaves the store as it was
                    await self._bundler.renew_at_the_end()
                return self._is_met
            if self._is_gone:  # nothing of what is there now will be saved, however long that is waited for
                return False
            await asyncio.sleep(RETRIES_SECONDS[0])

    def _tell(self, batch: Batch | None = None) -> None:
        waiting = self._queue.waiting
        if batch:
            waiting = sorted({*waiting, *batch.paths})
        marks = self._status.marks
        is_heard = self._queue.is_heard or (batch is not None and batch.is_heard)
        if is_heard and not waiting:  # too much to be named; the result of the last scan is the best guess
            waiting, least = list(marks.paths), max(marks.pending, 1)
        else:
            least = len(waiting)
        state = marks.state if self._failures or not self._is_met else "saving" if is_heard else "saved"
        self._status.waiting(waiting, state, least)

    async def _pause(self, seconds: float) -> None:
        """Wait; only `end` cuts it short."""
        until = _now() + seconds
        while not self._ending and (left := until - _now()) > 0:
            self._wake.clear()
            await self._sleep(left)

    async def _sleep(self, seconds: float) -> None:
        """Until an event, or for `seconds`."""
        if not self._ending:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.005, seconds) if seconds < math.inf else None):
                    await self._wake.wait()


def _now() -> float:
    return time.monotonic()
