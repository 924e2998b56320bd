"""Stopping: flush, compare with the store, end the programs, flush again, then delete the Lease.

A stop is refused as long as it would lose something, unless the caller accepts the loss. Then the Lease
stays, and says what was left behind.
"""

import asyncio
import time
from typing import Any

from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.marks import State
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Leaving, Unsaved

from . import names, state
from .client_errors import Object, Unreachable
from .cluster import Cluster
from .pods import NotSync
from .start import HOLD_SECONDS, Starts, new_holder
from .state import Anchor

TAKE_OVERS = 5
SILENCE_SECONDS, AGAIN_SECONDS = 30.0, 0.5
"""For which a sync may not answer, since its container is being started again; between two questions."""
NEVER_SAVED: tuple[State, ...] = ("fenced", "gone")
"""States in which sync saves nothing more, however long it is waited for."""
NAMED = 5
"""So many of the files that are left behind are named."""


class Stops:
    def __init__(
        self,
        cluster: Cluster,
        starts: Starts,
        gone_seconds: float,
    ) -> None:
        """`gone_seconds`: for which what is deleted may still be there."""
        self._cluster = cluster
        self._starts = starts
        self._gone_seconds = gone_seconds

    async def stop(self, ref: ProjectRef, leaving: Leaving) -> None:
        """Return when all of its objects are gone. Raises Unsaved: then it goes on running."""
        slug, holder = names.slug(ref), new_holder()
        for _ in range(TAKE_OVERS):
            seen = await self._cluster.leases.get(ref)
            if seen is None:
                break
            is_ours = seen.holder == holder  # our take-over was carried out, and its answer was lost
            if not is_ours and seen.is_stopping and leaving_of(seen).covers(leaving) and seen.is_worked_on(time.time()):
                # Another server stops it.
                await self._cluster.view.until(slug, lambda: self._is_over(slug), self._gone_seconds)
                continue
            changes = {names.STOPPING: leaving.value, names.DEADLINE: state.stamp(time.time() + HOLD_SECONDS)}
            taken = await self._cluster.leases.take_over(seen, holder, changes)
            if taken is not None:
                async with self._starts.holding(taken):
                    await self._stop(taken, leaving)
                break
        await self._wait_until_gone(slug)

    async def forget(self, ref: ProjectRef) -> None:
        """Delete a Lease that only says how the REPL ended."""
        seen = await self._cluster.leases.get(ref)
        if seen is not None and seen.is_over:
            await self._cluster.leases.release(seen)

    async def _stop(self, ours: Anchor, leaving: Leaving) -> None:
        pod, left = await self._starts.pod_of(ours), ""
        if pod is not None and ours.generation:
            try:
                left = await (self._rest(ours, pod) if leaving is Leaving.ANYTHING else self._save(ours, pod, leaving))
            except ReplError:
                await self._cluster.leases.note(ours, {names.STOPPING: "", names.DEADLINE: ""})
                raise
        if left:
            words = state.words(f"Not saved when it was stopped: {left}", "All else is kept. Start it again.")
            await self._starts.finish(ours, {names.LEFT: words})
        else:
            await self._starts.remove(ours)

    async def _save(self, ours: Anchor, pod: Object, leaving: Leaving) -> str:
        """Everything is in the store, and no program is left that could write more. What is left behind, in words.
        Raises Unsaved."""
        await self._flush(ours, pod, leaving)
        try:
            await self._cluster.pods.drain(pod, ours.generation)
        except ReplError:  # the runner is being started again, or hangs: what it wrote is there to be saved
            pass
        return await self._flush(ours, pod, leaving)

    async def _flush(self, ours: Anchor, pod: Object, leaving: Leaving) -> str:
        said = await self._flushed(ours, pod)
        if said is None:
            return ""
        if not said["saved"]:
            if leaving is Leaving.UNSAVABLE and said.get("state") in NEVER_SAVED:
                return f"what was changed last. {said['reason']}"
            raise Unsaved(
                f"Not everything is saved yet: {said['reason'] or 'files are still on their way.'}",
                said["hint"] or "The REPL goes on running. Stop it again when S3 answers.",
            )
        left = _named([f"{path} ({reason})" for path, reason in said["unsaved"].items()])
        if left and leaving is Leaving.NOTHING:
            hint = "Move these files elsewhere, or stop it without them: what is not saved is lost then."
            raise Unsaved(f"Not everything can be saved: {left}", hint)
        return left

    async def _flushed(self, ours: Anchor, pod: Object) -> Any:
        """What sync says to a flush; None if the pod is on its way out, or its node is gone: SIGTERM saves too, as far
        as there is somebody to hear it."""
        until = time.monotonic() + SILENCE_SECONDS
        while True:
            try:
                return await self._cluster.pods.flush(pod, ours.generation)
            except NotSync as error:
                raise Unsaved(error.message, error.hint) from error
            except Unreachable as error:
                if await self._starts.pod_of(ours) is None:
                    return None
                if time.monotonic() > until:
                    raise Unsaved(
                        "Not everything is saved yet: what saves the files does not answer.",
                        "It is started again by itself: stop the REPL in a minute, or stop it without waiting.",
                    ) from error
                await asyncio.sleep(AGAIN_SECONDS)

    async def _rest(self, ours: Anchor, pod: Object) -> str:
        """What is not saved now, in words. It has the pod's grace, and nobody will hear what came of that."""
        try:
            said = await self._cluster.pods.status(pod, ours.generation)
        except ReplError as error:
            return f"what that is, is not known. {error.message}"
        unsaved, marks = [f"{path} ({reason})" for path, reason in said["unsaved"].items()], said["marks"]
        return _named([*unsaved, *marks["paths"]], len(unsaved) + marks["pending"])

    def _is_over(self, slug: str) -> bool:
        lease = self._cluster.view.lease(slug)
        return (lease is None or Anchor.of(lease).is_over) and not self._cluster.view.pods_of(slug)

    async def _wait_until_gone(self, slug: str) -> None:
        if not await self._cluster.view.until(slug, lambda: self._is_over(slug), self._gone_seconds):
            raise Unavailable("The pod takes long to end.", hint="The cluster goes on with it; nothing is lost.")


def leaving_of(seen: Anchor) -> Leaving:
    """What the stop that is under way may leave behind, by the Lease."""
    return Leaving(seen.stopping) if seen.stopping in set(Leaving) else Leaving.NOTHING


def _named(names: list[str], count: int = 0) -> str:
    """The first NAMED of them, and how many there are more of `count`, or of all."""
    more = max(count, len(names)) - min(len(names), NAMED)
    said = ", ".join(names[:NAMED])
    if not more:
        return said
    return f"{said} and {more} more" if said else f"{more} files"
