"""Stopping: flush, see in the store that all is there, end the programs, flush again, then let the Lease go."""

import time

from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef

from . import names, state
from .anchor import Leases
from .client import Api, Object, Unreachable
from .pods import Pods
from .sight import Sight
from .start import HOLD_SECONDS, Starts, new_holder
from .state import Anchor

TAKE_OVERS = 5


class Stops:
    def __init__(
        self,
        api: Api,
        sight: Sight,
        leases: Leases,
        pods: Pods,
        starts: Starts,
        gone_seconds: float,
    ) -> None:
        """`gone_seconds`: for which what is deleted may still be there."""
        self._api = api
        self._sight = sight
        self._leases = leases
        self._pods = pods
        self._starts = starts
        self._gone_seconds = gone_seconds

    async def stop(self, ref: ProjectRef) -> None:
        """Return when everything of it is gone. Raises Unavailable if not all is saved: then it goes on running."""
        slug = names.slug(ref)
        for _ in range(TAKE_OVERS):
            seen = await self._leases.get(slug)
            if seen is None:
                break
            if seen.is_stopping and seen.is_worked_on(time.time()):  # another server is at it
                await self._sight.until(slug, lambda: self._sight.lease(slug) is None, self._gone_seconds)
                continue
            changes = {names.STOPPING: "stopping", names.DEADLINE: state.stamp(time.time() + 2 * HOLD_SECONDS)}
            taken = await self._leases.take_over(seen, new_holder(), changes)
            if taken is not None:
                await self._stop(taken)
                break
        await self._wait_until_gone(slug)

    async def _stop(self, ours: Anchor) -> None:
        pod = ours.pod_of(self._sight.pods_of(ours.name))
        if pod is not None and ours.generation:
            try:
                await self._save(ours, pod)
            except Unreachable:  # it is on its way out, or its node is gone: SIGTERM saves too
                pass
            except ReplError:
                await self._leases.note(ours, {names.STOPPING: "", names.DEADLINE: ""})
                raise
        await self._starts.remove(ours)

    async def _save(self, ours: Anchor, pod: Object) -> None:
        """Everything is in the store, and no program is left that could write more."""
        await self._flush(pod)
        try:
            await self._pods.drain(pod, ours.generation)
        except ReplError:  # the runner is being started again, or hangs: what it wrote is there to be saved
            pass
        await self._flush(pod)

    async def _flush(self, pod: Object) -> None:
        said = await self._pods.flush(pod)
        if not said["saved"]:
            raise Unavailable(
                f"Not everything is saved yet: {said['reason'] or 'files are still on their way.'}",
                hint="The REPL goes on running. Stop it again when S3 answers.",
            )

    async def _wait_until_gone(self, slug: str) -> None:
        def is_gone() -> bool:
            return self._sight.lease(slug) is None and not self._sight.pods_of(slug)

        if not await self._sight.until(slug, is_gone, self._gone_seconds):
            raise Unavailable("The pod takes long to end.", hint="The cluster goes on with it; nothing is lost.")
