"""Starts, stops and deletes REPLs: one operation per project at a time in this server, with progress and cancellation.

The phase of a REPL is never stored: it is that of the operation under way, else that of the spawner's `poll`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import Conflict, ReplError, Unavailable
from jupyter_repl_runner.contract.phases import STOPPING, Phase
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Leaving, Spawner

LOOK_SECONDS = 0.5
EVENTS_SECONDS = 600.0
READERS_SECONDS, READERS_LOOK_SECONDS = 5.0, 0.05
"""How long a start waits for requests that use the files without a runner; how often it checks."""
REFUSED_SECONDS = 60.0
"""How long the phase of a running REPL says why its stop failed."""

log = logging.getLogger(__name__)


class _Operation:
    """A start, a stop or a deletion under way. `leaving`: what may stay unsaved."""

    def __init__(self, phase: Phase, leaving: Leaving = Leaving.NOTHING, *, is_deletion: bool = False) -> None:
        self.phase = phase
        self.leaving = leaving
        self.is_deletion = is_deletion
        self.task: asyncio.Task[None] | None = None
        self.start_again = False
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
    """Owns its tasks; `close` stops them."""

    def __init__(self, spawner: Spawner, projects: Projects, ring_bytes: int) -> None:
        self._spawner = spawner
        self._ring_bytes = ring_bytes
        self._projects = projects
        self._operations: dict[ProjectRef, _Operation] = {}
        self._refused: dict[ProjectRef, tuple[ReplError, float]] = {}
        """Why a stop failed, and until when the phase says so."""
        self._files: dict[ProjectRef, int] = {}

    async def start(self, ref: ProjectRef) -> Phase:
        """Begin to start the REPL, or join a start that is under way. If a stop is under way, the REPL starts again
        after it. Idempotent.

        Raises FileNotFound if there is no such project, Conflict (409) while it is being deleted, and Unavailable if
        its files are used without a runner for longer than READERS_SECONDS.
        """
        record = (await self._projects.get(ref)).record
        owner_name = await self._projects.owners.name_of(ref.owner)
        if ref in self._files:
            await self._wait_for_readers(ref)
        operation = self._operations.get(ref)
        if operation is None:
            operation = self._begin(ref, _Operation(Phase("starting", step="Starting")))
            assignment = Assignment(ref, record.language, record.run, record.main, self._ring_bytes, owner_name)
            operation.task = tasks.spawn(self._start(assignment, operation), f"start {ref}")
        elif operation.is_deletion:
            raise Conflict(f"{ref.repl_id} is being deleted.", hint="Choose another one.", status=409)
        elif operation.phase.name == "stopping":
            operation.start_again = True
            return Phase("starting", step="Waiting for it to stop")
        return operation.phase

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> Phase:
        """Begin to stop the REPL; cancels a start under way. Idempotent. `leaving`: what may stay unsaved."""
        before = self._operations.get(ref)
        if before is not None and before.phase.name == "stopping" and before.leaving.covers(leaving):
            before.start_again = False
            return before.phase
        self._replace(ref, _Operation(STOPPING, leaving), self._stop, "stop")
        return STOPPING

    async def stop_and_wait(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        """Stop the REPL and wait until that is done. Raises what the stop raises, and Unavailable if the REPL still
        runs."""
        await self.stop(ref, leaving)
        operation = self._operations.get(ref)
        if operation is not None and operation.task is not None:
            await asyncio.shield(operation.task)
        if ref in self._refused:
            raise self._refused[ref][0]
        if (phase := await self._spawner.poll(ref)).name not in ("stopped", "failed"):
            raise Unavailable(f"{ref} is {phase.name}.", hint="Stop it, then try again.")

    async def delete(self, ref: ProjectRef) -> None:
        """Stop the REPL, even if files are not saved, and delete the project. Nothing can start it meanwhile. Raises
        FileNotFound if there is no such project, and the error that prevented the deletion."""
        await self._projects.get(ref)
        before = self._operations.get(ref)
        if before is None or not before.is_deletion:
            deletion = _Operation(STOPPING, Leaving.ANYTHING, is_deletion=True)
            before = self._replace(ref, deletion, self._delete, "delete")
        assert before.task is not None
        await asyncio.shield(before.task)

    async def phase(self, ref: ProjectRef) -> Phase:
        """Returns the phase of this server's operation on the project, else the spawner's. After a failed stop, adds
        the reason for REFUSED_SECONDS."""
        if operation := self._operations.get(ref):
            return operation.phase
        phase = await self._spawner.poll(ref)
        refused, until = self._refused.get(ref, (None, 0.0))
        if refused is None:
            return phase
        if phase.name != "running" or until < time.monotonic():
            self._refused.pop(ref, None)
            return phase
        return replace(phase, reason=refused.message, hint=refused.hint)

    async def events(self, ref: ProjectRef) -> AsyncIterator[Phase]:
        """Yield each new phase, until a settled one or the end of EVENTS_SECONDS."""
        loop = asyncio.get_running_loop()
        until, last = loop.time() + EVENTS_SECONDS, None
        while loop.time() < until:
            operation, phase = self._operations.get(ref), await self.phase(ref)
            if phase != last:
                last = phase
                yield phase
            if operation is None and phase.settled:
                return
            if operation is not None:
                await operation.changed(LOOK_SECONDS)
            else:  # another server's operation: its changes can only be polled
                await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def without_runner(self, ref: ProjectRef) -> AsyncIterator[bool]:
        """Yield True if no runner has the project's files. Then no runner of this server gets them inside the block.

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
        """Cancel the operations under way, and return when they have ended."""
        await tasks.stop(*(operation.task for operation in self._operations.values()))

    def _begin(self, ref: ProjectRef, operation: _Operation) -> _Operation:
        self._refused.pop(ref, None)
        self._operations[ref] = operation
        return operation

    def _replace(
        self,
        ref: ProjectRef,
        operation: _Operation,
        work: Callable[[ProjectRef, _Operation], Awaitable[None]],
        name: str,
    ) -> _Operation:
        """Cancel the operation under way, and do `work` when it has ended."""
        before = self._operations.get(ref)
        if before is not None and before.task is not None:
            before.task.cancel()
        self._begin(ref, operation)

        async def run() -> None:
            try:
                if before is not None and before.task is not None:
                    await asyncio.gather(before.task, return_exceptions=True)
                await work(ref, operation)
            finally:
                self._end(ref, operation)
            if operation.start_again:
                await self.start(ref)

        operation.task = tasks.awaited(run(), f"{name} {ref}")
        return operation

    def _end(self, ref: ProjectRef, operation: _Operation) -> None:
        if self._operations.get(ref) is operation:
            del self._operations[ref]
        operation.tell(operation.phase)

    async def _start(self, assignment: Assignment, operation: _Operation) -> None:
        ref = assignment.ref
        try:
            await self._spawner.start(assignment, lambda step: operation.tell(Phase("starting", step=step)))
            await self._end_deleted(ref)
        except ReplError as error:
            log.warning("%s did not start: %s %s", ref, error.message, error.hint)
        except Exception:
            log.exception("%s did not start", ref)
        finally:
            self._end(ref, operation)

    async def _stop(self, ref: ProjectRef, operation: _Operation) -> None:
        try:
            await self._spawner.stop(ref, operation.leaving)
        except ReplError as error:
            self._refused[ref] = error, time.monotonic() + REFUSED_SECONDS
            log.warning("%s did not stop: %s %s", ref, error.message, error.hint)
        except Exception:
            log.exception("%s did not stop", ref)

    async def _delete(self, ref: ProjectRef, operation: _Operation) -> None:
        async def stop() -> None:
            await self._spawner.stop(ref, operation.leaving)

        await stop()
        try:
            await self._projects.delete(ref, stop)
        finally:
            if await self._projects.is_deleted(ref):  # also after a partial deletion: another server finishes it
                await self._spawner.forget(ref)

    async def _end_deleted(self, ref: ProjectRef) -> None:
        """Stop the REPL if another server has begun to delete its project during this start."""
        if await self._projects.is_deleted(ref):
            await self._spawner.stop(ref, Leaving.ANYTHING)
            await self._spawner.forget(ref)

    async def _wait_for_readers(self, ref: ProjectRef) -> None:
        """Wait until no request uses the files without a runner, which is soon. Raises Unavailable if that takes too
        long."""
        until = time.monotonic() + READERS_SECONDS
        while ref in self._files:
            if time.monotonic() > until:
                raise Unavailable("Its files are being read or written.", hint="Try again in a moment.")
            await asyncio.sleep(READERS_LOOK_SECONDS)
