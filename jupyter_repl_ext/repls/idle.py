"""Stops REPLs that nobody uses: no keystroke, no output, no foreground program, no request. An open tab is not use.

Each REPL is asked only when it could be due, which is seldom. Its tabs get a warning WARN_SECONDS before the stop. If a
person then presses a key, or Keep, the REPL goes on running. Several servers may do this at once, with the same result.
"""

import asyncio
import logging
import math
import time
from collections.abc import Mapping

from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Leaving, Spawner, Unsaved

from .lifecycle import Lifecycle
from .silence import Silence

LOOK_SECONDS = 1.0
WARN_SECONDS = 60.0
AGAIN_SECONDS = 30.0
"""Until the next check of a REPL that has no timeout, or whose stop was refused."""
RETRY_SECONDS = 3.0
"""Until the next check of a REPL that did not answer, or does not run yet: most of these are still being started."""
SAME_SECONDS = 0.5
"""Two answers about the same last use differ by less than this."""
AT_ONCE = 16
DEFAULT = "*"

log = logging.getLogger(__name__)


class Idle:
    """`timeouts` in seconds by language, `*` for the others; 0: never. Files that can never be saved delay a stop by
    `unsaved_timeout` seconds. Owns its tasks."""

    def __init__(
        self,
        timeouts: Mapping[str, float],
        unsaved_timeout: float,
        lifecycle: Lifecycle,
        projects: Projects,
        spawner: Spawner,
        client: RunnerClient,
    ) -> None:
        self._timeouts = timeouts
        self._unsaved_timeout = unsaved_timeout
        self._lifecycle = lifecycle
        self._projects = projects
        self._spawner = spawner
        self._client = client
        self._due: dict[ProjectRef, float] = {}
        """When each REPL is checked next, by the monotonic clock."""
        self._warned: dict[ProjectRef, float] = {}
        """REPLs whose tabs got a warning, and their last use at that time: later use needs a new warning."""
        self._languages: dict[ProjectRef, str] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._task: asyncio.Task[None] | None = None
        self._silence = Silence()
        self._looks = tasks.Tasks()
        self._looking: set[ProjectRef] = set()

    def start(self) -> None:
        if any(seconds > 0 for seconds in self._timeouts.values()):
            self._task = tasks.spawn(self._run(), "idle REPLs", lasting=True)

    async def stop(self) -> None:
        await tasks.stop(self._task)
        await self._looks.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                refs = set(await self._spawner.list())
                for gone in set(self._due) - refs:
                    self._forget(gone)
                now = time.monotonic()
                for ref in refs - self._looking:
                    if self._due.get(ref, 0.0) <= now:
                        self._looking.add(ref)
                        self._looks.spawn(self._look(ref), f"idleness of {ref}")
            except ReplError as error:
                log.debug("Idle REPLs can't be found now: %s", error.message)
            except Exception:
                log.exception("The search for idle REPLs failed; it is repeated")

    async def _look(self, ref: ProjectRef) -> None:
        """Check one REPL, in a task of its own: if it does not answer, or stops slowly, no other REPL has to wait."""
        seconds: float | None = RETRY_SECONDS
        try:
            async with self._turn:
                seconds = await self._ask(ref)
        except (ReplError, KeyError, TypeError, ValueError, OverflowError) as error:
            self._silence.failed(ref, error)
        else:
            self._silence.answered(ref)
        finally:
            self._looking.discard(ref)
            if seconds is not None:
                self._due[ref] = time.monotonic() + seconds

    async def _ask(self, ref: ProjectRef) -> float | None:
        """Warn the tabs, or stop the REPL, if it is due. Returns the seconds until the next check; None if it
        stopped."""
        timeout = await self._timeout(ref)
        if timeout <= 0:
            return AGAIN_SECONDS
        if (await self._spawner.poll(ref)).name != "running":
            return RETRY_SECONDS
        address = await self._spawner.address(ref)
        idle = float((await self._client.get_json(address, "/status"))["idle"])
        if not math.isfinite(idle):
            raise ValueError("a runner's idle time is no number")
        used, left, warn = time.monotonic() - idle, timeout - idle, min(WARN_SECONDS, timeout / 2)
        was_used = used > self._warned.get(ref, -math.inf) + SAME_SECONDS
        if left > warn:
            if self._warned.pop(ref, None) is not None:
                await self._client.call(address, "idle", {"seconds": 0})
            return left - warn
        if was_used:  # even if it is overdue: no stop comes without a warning
            self._warned[ref] = used
            await self._client.call(address, "idle", {"seconds": round(max(left, warn))})
            return max(left, warn)
        if left > 0:
            return left
        log.info("%s is stopped: nobody has used it for %.0f s", ref, timeout)
        await self._client.call(address, "idle", {"asleep": True})
        # The stop waits for files that can still be saved. Files that can never be saved don't keep the pod for ever.
        leaving = Leaving.UNSAVABLE if idle > timeout + self._unsaved_timeout else Leaving.NOTHING
        try:
            await self._lifecycle.stop_and_wait(ref, leaving)
        except Unsaved as error:
            log.warning("%s goes on running: %s", ref, error.message)
            await self._client.call(address, "idle", {"seconds": 0})
            return AGAIN_SECONDS
        self._forget(ref)
        return None

    async def _timeout(self, ref: ProjectRef) -> float:
        if ref not in self._languages:
            self._languages[ref] = (await self._projects.get(ref)).record.language
        return self._timeouts.get(self._languages[ref], self._timeouts.get(DEFAULT, 0.0))

    def _forget(self, ref: ProjectRef) -> None:
        self._due.pop(ref, None)
        self._languages.pop(ref, None)
        self._warned.pop(ref, None)
        self._silence.answered(ref)
