"""Starting and stopping: one operation per project at a time in this server, its progress, and its cancellation.

What a REPL is doing is never stored: it is the operation under way, else the spawner's `poll`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.phases import STOPPING, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Spawner

from .projects import Projects

LOOK_SECONDS = 0.5
EVENTS_SECONDS = 600.0

log = logging.getLogger(__name__)


class _Operation:
    """A start or a stop under way."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.task: asyncio.Task[None] | None = None
        self.start_again = False
        self.refused: ReplError | None = None
        """Why it came to nothing, for a stop that leaves the REPL running."""
        self._changed = asyncio.Event()

    def tell(self, phase: Phase) -> None:
        self.phase = phase
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, seconds: float) -> None:
        """Return at the next change, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return


class Lifecycle:
    """Owns its tasks; `close` ends them."""

    def __init__(self, spawner: Spawner, projects: Projects, ring_bytes: int) -> None:
        self._spawner = spawner
        self._ring_bytes = ring_bytes
        self._projects = projects
        self._operations: dict[ProjectRef, _Operation] = {}
        self._files: dict[ProjectRef, int] = {}

    async def start(self, ref: ProjectRef) -> Phase:
        """Begin to start it, or join a start under way; while a stop is, start again after it. Idempotent.

        Raises FileNotFound if there is no such project, Unavailable while its files are used without a runner.
        """
        record = (await self._projects.get(ref)).record
        operation = self._operations.get(ref)
        if operation is None:
            if ref in self._files:
                raise Unavailable("Its files are being read or written.", hint="Try again in a moment.")
            operation = self._begin(ref, Phase("starting", step="Starting"))
            assignment = Assignment(ref, record.language, record.run, record.main, self._ring_bytes)
            operation.task = asyncio.create_task(self._start(assignment, operation), name=f"start {ref}")
        elif operation.phase.name == "stopping":
            operation.start_again = True
            return Phase("starting", step="Waiting for it to stop")
        return operation.phase

    async def stop(self, ref: ProjectRef) -> Phase:
        """Begin to stop it; a start under way is cancelled. Idempotent."""
        operation = self._operations.get(ref)
        if operation is not None and operation.phase.name == "stopping":
            operation.start_again = False
            return operation.phase
        if operation is not None and operation.task is not None:
            operation.task.cancel()
        stopping = self._begin(ref, STOPPING)
        before = operation.task if operation else None
        stopping.task = asyncio.create_task(self._stop(ref, stopping, before), name=f"stop {ref}")
        return STOPPING

    async def stop_and_wait(self, ref: ProjectRef) -> None:
        """Raises what stopping raised."""
        await self.stop(ref)
        operation = self._operations.get(ref)
        if operation is not None and operation.task is not None:
            await asyncio.shield(operation.task)
        if (phase := await self._spawner.poll(ref)).name not in ("stopped", "failed"):
            raise Unavailable(f"{ref} is {phase.name}.", hint="Stop it, then try again.")

    async def phase(self, ref: ProjectRef) -> Phase:
        operation = self._operations.get(ref)
        return operation.phase if operation else await self._spawner.poll(ref)

    async def events(self, ref: ProjectRef) -> AsyncIterator[Phase]:
        """Each phase as it comes, up to one that stays; at most EVENTS_SECONDS."""
        loop = asyncio.get_running_loop()
        until, last, seen = loop.time() + EVENTS_SECONDS, None, None
        while loop.time() < until:
            operation = self._operations.get(ref)
            phase = operation.phase if operation else await self._spawner.poll(ref)
            if operation is None and seen is not None and seen.refused is not None and phase.name == "running":
                phase = replace(phase, reason=seen.refused.message, hint=seen.refused.hint)
            seen = operation or seen
            if phase != last:
                last = phase
                yield phase
            if operation is None and phase.settled:
                return
            if operation is not None:
                await operation.changed(LOOK_SECONDS)
            else:  # another server's operation: its changes can only be looked for
                await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def without_runner(self, ref: ProjectRef) -> AsyncIterator[bool]:
        """Yield whether no runner has the project's files; if so, none of this server gets them inside the block.

        Raises Unavailable while a start or a stop is under way.
        """
        phase = await self.phase(ref)
        if not phase.settled or ref in self._operations:
            raise Unavailable(f"{ref} is {phase.name}.", hint="Try again in a moment.")
        if phase.name == "running":
            yield False
            return
        self._files[ref] = self._files.get(ref, 0) + 1
        try:
            yield True
        finally:
            self._files[ref] -= 1
            if not self._files[ref]:
                del self._files[ref]

    async def close(self) -> None:
        """Cancel what is under way and wait for it."""
        tasks = [operation.task for operation in self._operations.values() if operation.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, ref: ProjectRef, phase: Phase) -> _Operation:
        operation = self._operations[ref] = _Operation(phase)
        return operation

    def _end(self, ref: ProjectRef, operation: _Operation) -> None:
        if self._operations.get(ref) is operation:
            del self._operations[ref]
        operation.tell(operation.phase)

    async def _start(self, assignment: Assignment, operation: _Operation) -> None:
        ref = assignment.ref
        try:
            await self._spawner.start(assignment, lambda step: operation.tell(Phase("starting", step=step)))
        except ReplError as error:
            log.warning("%s did not start: %s %s", ref, error.message, error.hint)
        except Exception:
            log.exception("%s did not start", ref)
        finally:
            self._end(ref, operation)

    async def _stop(self, ref: ProjectRef, operation: _Operation, before: "asyncio.Task[None] | None") -> None:
        try:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)
            await self._spawner.stop(ref)
        except ReplError as error:
            operation.refused = error
            log.warning("%s did not stop: %s %s", ref, error.message, error.hint)
        except Exception:
            log.exception("%s did not stop", ref)
        finally:
            self._end(ref, operation)
        if operation.start_again:
            await self.start(ref)
