"""The one way to a runner: have a candidate pod, claim it, assign it.

The server that creates the Lease, or takes it over from a holder that has died or whose pod was lost, does this;
everybody else follows. A generation is raised for each assignment anew and used for one pod only, so there are never
two pods of one.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.pod import GRACE_SECONDS, Order
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Granter, Progress

from . import names, reasons, state
from .anchor import Lost
from .candidate import Candidates, Deadlines
from .client_errors import Object, Unreachable
from .cluster import Cluster
from .publish import Publisher
from .state import Anchor

HOLD_SECONDS = 30.0
"""A Lease that its holder has not renewed for so long may be taken over. The servers' clocks must agree far better."""
BEAT_SECONDS = 8.0
ATTEMPTS = 3
ANSWER_SECONDS = 20.0
"""For which a pod may not answer that did before it was assigned."""
RUNNER_SECONDS, LOOK_SECONDS = 60.0, 0.5
"""From an open project until the runner's container serves it; between two checks whether it still may."""

log = getLogger(__name__)


class Starts:
    def __init__(
        self,
        cluster: Cluster,
        granter: Granter,
        candidates: Candidates,
        publisher: Publisher,
        deadlines: Deadlines,
    ) -> None:
        self._cluster = cluster
        self._granter = granter
        self._candidates = candidates
        self._deadlines = deadlines
        self._publisher = publisher
        self.is_leaving = False
        """This server is about to shut down: other servers take over the starts that are cancelled."""

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        """Return when it runs, also if another server has started it. Raises Unavailable with the reason; cancelled,
        it leaves nothing."""
        holder = new_holder()
        try:
            await self._start(assignment, progress, holder)
        except asyncio.CancelledError:
            if not self.is_leaving:
                await asyncio.shield(self._take_back(assignment.ref, holder))
            raise

    async def _start(self, assignment: Assignment, progress: Progress, holder: str) -> None:
        ref = assignment.ref
        until = time.monotonic() + self._deadlines.node + self._deadlines.image
        while time.monotonic() < until:
            seen, is_ours = await self._cluster.leases.acquire(ref, holder, begin(assignment))
            if not is_ours:
                if seen.is_worked_on(time.time()):
                    await self._follow(ref, progress, until)
                    continue
                if not seen.is_over and not seen.deadline and await self.pod_of(seen) is not None:
                    return
                taken = await self._cluster.leases.take_over(seen, holder, begin(assignment))
                if taken is None:
                    continue
                seen = taken
            await self.drive(seen, assignment, progress)
            return
        raise Unavailable("The REPL did not start in time.", hint="Stop it, then try again.")

    async def drive(self, ours: Anchor, assignment: Assignment, progress: Progress) -> None:
        """Start a runner for a Lease that we hold. A failure is written into the Lease. Raises Lost and Unavailable."""
        async with self.holding(ours):
            try:
                await self._bring_up(ours, assignment, progress)
            except Lost:
                raise
            except ReplError as error:
                with suppress(ReplError):  # then a server that finds the Lease abandoned tries anew
                    await self.fail(ours, error.message, error.hint)
                raise

    async def pod_of(self, seen: Anchor) -> Object | None:
        """The pod that a Lease names; asks the API if the cluster view does not have it."""
        known = seen.pod_of(self._cluster.view.pods_of(seen.name))
        if known is not None or not seen.pod:
            return known
        found = await self._cluster.api.list("pods", labelSelector=f"{names.ID}={seen.name}")
        return seen.pod_of(found.get("items", ()))

    async def fail(self, ours: Anchor, reason: str, hint: str) -> None:
        """Delete all but the Lease, which says why until the next start or stop."""
        await self.finish(ours, {names.FAILURE: state.words(reason, hint)})

    async def finish(self, ours: Anchor, changes: Mapping[str, str]) -> None:
        """Nothing but the Lease stays. The failure is written last: a reader may start anew at once."""
        if await self._cluster.api.scale(ours.name, 0):
            await self._cluster.api.delete("deployments", ours.name)
        await self._delete_pods(ours)
        await self._cluster.leases.note(ours, {**changes, names.POD: "", names.STOPPING: "", names.DEADLINE: ""})

    # -- parts

    async def _follow(self, ref: ProjectRef, progress: Progress, until: float) -> None:
        """Return when the cluster view says that nobody works on it any more; makes no request."""
        slug, reported = names.slug(ref), ""
        while time.monotonic() < until:
            await self._cluster.view.changed(slug, 1.0)
            lease, phase = self._cluster.view.lease(slug), self._cluster.view.phase(ref)
            if lease is None or not Anchor.of(lease).is_worked_on(time.time()):
                return
            if phase.step and phase.step != reported:
                reported = phase.step
                progress(reported)

    async def _bring_up(self, ours: Anchor, assignment: Assignment, progress: Progress) -> None:
        for attempt in range(ATTEMPTS):
            await self._clear(ours)
            self._publisher.publish(assignment.ref, ours)
            pod = await self._candidates.get(ours, assignment, progress)
            await self._wait_for_the_last_save(ours, pod, progress)
            grant = await self._granter.grant(assignment.ref)
            uid = pod["metadata"]["uid"]
            await self._cluster.leases.note(ours, {names.POD: uid, names.GENERATION: str(grant.generation)})
            key, generation = self._cluster.keys.of(pod), grant.generation
            order = Order(assignment, grant, key.token(uid, generation), key.secret(uid, generation))
            try:
                await self._cluster.pods.assign(pod, order, progress, ANSWER_SECONDS, self._deadlines.restore)
                await self._wait_for_runner(ours, pod, grant.generation)
            except Unreachable:
                reason = self._why(ours, uid)
                if attempt == ATTEMPTS - 1 or reason.is_final:
                    raise Unavailable(reason.sentence, hint=reason.hint or "Try again.") from None
                log.warning("%s: the pod %s does not answer; taking another", ours.name, pod["metadata"]["name"])
                await self._cluster.api.delete("pods", pod["metadata"]["name"], uid)
                continue
            settled = {names.DEADLINE: "", names.ATTEMPT: "", names.FAILURE: ""}
            await self._cluster.leases.note(ours, settled, touch=True)
            return

    async def _wait_for_the_last_save(self, ours: Anchor, pod: Object, progress: Progress) -> None:
        """A pod that was deleted or drained saves within its grace period, and a new generation would keep it from
        that. Of a dead node's pods the grace period is waited for as well: nobody knows if they run."""

        def saves() -> bool:
            now, uid = time.time(), pod["metadata"]["uid"]
            others = [each for each in self._cluster.view.pods_of(ours.name) if each["metadata"]["uid"] != uid]
            return any(state.may_still_save(each, now) for each in others)

        if saves():
            progress("Waiting for the last save of the pod before")
            await self._cluster.view.until(ours.name, lambda: not saves(), GRACE_SECONDS)

    async def _wait_for_runner(self, ours: Anchor, pod: Object, generation: int) -> None:
        """Return when it serves. Raises Unreachable, at once if it ends again and again."""
        waiting = tasks.awaited(self._cluster.pods.wait_for_runner(pod, generation, RUNNER_SECONDS), "runner")
        try:
            while not (await asyncio.wait({waiting}, timeout=LOOK_SECONDS))[0]:
                if self._why(ours, pod["metadata"]["uid"]).is_final:
                    raise Unreachable
            await waiting
        finally:
            await tasks.stop(waiting)

    def _why(self, ours: Anchor, uid: str) -> reasons.Reason:
        """What the cluster says of a pod that does not answer."""
        for pod in self._cluster.view.pods_of(ours.name):
            if pod["metadata"]["uid"] == uid:
                return reasons.waiting_for(pod)
        return reasons.Reason("The pod was lost while it started.", "Start it again.")

    async def _clear(self, ours: Anchor) -> None:
        """Delete pods of earlier generations, which the store has fenced off, or will."""
        for pod in self._cluster.view.pods_of(ours.name):
            metadata = pod["metadata"]
            if metadata["labels"].get(names.STATE) == names.CLAIMED and not metadata.get("deletionTimestamp"):
                await self._cluster.api.delete("pods", metadata["name"], metadata["uid"])

    @asynccontextmanager
    async def holding(self, ours: Anchor) -> AsyncIterator[None]:
        """Renew the deadline while the block runs; if the Lease is lost, the block is cancelled."""
        task = asyncio.current_task()
        lost = False

        async def beat() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                try:
                    await self._cluster.leases.note(ours, {names.DEADLINE: state.stamp(time.time() + HOLD_SECONDS)})
                except Lost:
                    lost = True
                    assert task is not None
                    task.cancel()
                    return
                except ReplError as error:
                    log.warning("%s: the deadline was not moved: %s", ours.name, error.message)

        beating = tasks.spawn(beat(), f"hold {ours.name}")
        try:
            yield
        except asyncio.CancelledError:
            if lost and task is not None and task.uncancel() == 0:
                raise Lost from None
            if self.is_leaving:
                await asyncio.shield(self._let_go(ours))
            raise
        finally:
            await tasks.stop(beating)

    async def _let_go(self, ours: Anchor) -> None:
        """Make the Lease one whose holder is gone, so that another server goes on at once."""
        with suppress(ReplError):  # then it is taken over after HOLD_SECONDS
            await self._cluster.leases.note(ours, {names.DEADLINE: state.stamp(time.time())})

    async def _take_back(self, ref: ProjectRef, holder: str) -> None:
        """Delete what a cancelled start has made. A Lease that another holder has by now stays."""
        slug = names.slug(ref)
        for _ in range(ATTEMPTS):
            try:
                ours = await self._cluster.leases.get(ref)
                if ours is None or ours.holder != holder:
                    return
                await self._cluster.leases.note(ours, {names.STOPPING: "cancelled"})
                await self.remove(ours)
            except Lost:
                return
            except ReplError as error:
                log.warning("%s: the cancelled start could not be taken back: %s", slug, error.message)
                await asyncio.sleep(1.0)
            else:
                await self._cluster.view.until(slug, lambda: self._cluster.view.lease(slug) is None, 2.0)
                return

    async def remove(self, ours: Anchor) -> None:
        """The Lease, and what garbage collection would take its time with."""
        is_cold = await self._cluster.api.scale(ours.name, 0)
        await self._cluster.leases.release(ours)
        if not is_cold:
            await self._delete_pods(ours)

    async def _delete_pods(self, ours: Anchor) -> None:
        for pod in self._cluster.view.pods_of(ours.name):
            await self._cluster.api.delete("pods", pod["metadata"]["name"], pod["metadata"]["uid"])


def begin(assignment: Assignment, attempt: int = 0, lost: str = "") -> Mapping[str, str]:
    """The annotations of a Lease whose holder begins to work; `lost`: why the pod that ran is gone."""
    return {
        names.ASSIGNMENT: assignment.to_json(),
        **({names.OWNER_NAME: assignment.owner_name} if assignment.owner_name else {}),
        names.DEADLINE: state.stamp(time.time() + HOLD_SECONDS),
        names.ATTEMPT: str(attempt) if attempt else "",
        names.FAILURE: "",
        names.LOST: lost,
        names.LEFT: "",
        names.STOPPING: "",
        names.POD: "",
    }


def new_holder() -> str:
    """A unique name."""
    return f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"
