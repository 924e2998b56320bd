"""The one way to a runner: have a candidate pod, claim it, assign it.

Whoever makes the Lease, or takes it over from a holder that has died or whose pod was lost, is the one that does this;
everybody else follows. A generation is raised for each assignment anew and used for one pod only, so there are never
two pods of one.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from logging import getLogger

from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.pod import Order
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Granter, Progress

from . import manifests, names, reasons, state
from .anchor import Leases, Lost
from .assign import Sidecars
from .claim import claim, is_claimable
from .client import Api, ApiError, Object, Unreachable
from .keys import Keys
from .manifests import PodTemplate
from .sight import Sight
from .state import Anchor

HOLD_SECONDS = 30.0
"""After so long without a word of its holder, a Lease is anybody's. The servers' clocks must agree far better."""
BEAT_SECONDS = 8.0
ATTEMPTS = 3
CLAIMS = 3
ANSWER_SECONDS = 20.0
"""For which an assigned pod may not answer: its containers are about to come up."""
RESTORE_SECONDS = 30.0
"""Without any progress."""
EVENTS_AFTER_SECONDS = 2.0
LEFTOVER_SECONDS = 15.0
SERVICE_ATTEMPTS, SERVICE_SECONDS = 5, 3.0

log = getLogger(__name__)


@dataclass(frozen=True)
class Deadlines:
    """`node`: until a node has the pod; `image`: from then until its containers run."""

    node: float = 120.0
    image: float = 300.0


class Starts:
    """`template_of`: what pods of a language are made of; raises InvalidRequest."""

    def __init__(
        self,
        api: Api,
        sight: Sight,
        leases: Leases,
        sidecars: Sidecars,
        keys: Keys,
        granter: Granter,
        template_of: Callable[[str], PodTemplate],
        deadlines: Deadlines,
    ) -> None:
        self._api = api
        self._sight = sight
        self._leases = leases
        self._sidecars = sidecars
        self._keys = keys
        self._granter = granter
        self._template_of = template_of
        self._deadlines = deadlines
        self._services: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._services:
            task.cancel()
        await asyncio.gather(*self._services, return_exceptions=True)

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        """Return when it runs, whoever has started it. Raises Unavailable with the reason; cancelled, it leaves
        nothing."""
        self._template_of(assignment.language)
        holder = new_holder()
        try:
            await self._start(assignment, progress, holder)
        except asyncio.CancelledError:
            await asyncio.shield(self._take_back(names.slug(assignment.ref), holder))
            raise

    async def _start(self, assignment: Assignment, progress: Progress, holder: str) -> None:
        ref, slug = assignment.ref, names.slug(assignment.ref)
        until = time.monotonic() + self._deadlines.node + self._deadlines.image
        while time.monotonic() < until:
            seen, is_ours = await self._leases.acquire(ref, holder, begin(assignment))
            if not is_ours:
                if seen.is_worked_on(time.time()):
                    progress(self._sight.phase(ref).step or "Looking for a pod")
                    await self._sight.changed(slug, 1.0)
                    continue
                if not seen.failure and not seen.deadline and await self.is_alive(seen):
                    return
                taken = await self._leases.take_over(seen, holder, begin(assignment))
                if taken is None:
                    continue
                seen = taken
            await self.drive(seen, assignment, progress)
            return
        raise Unavailable("The REPL did not start in time.", hint="Stop it, then try again.")

    async def drive(self, ours: Anchor, assignment: Assignment, progress: Progress) -> None:
        """From a Lease that we hold to a runner. A failure is kept in the Lease. Raises Lost and Unavailable."""
        try:
            async with self._holding(ours):
                await self._bring_up(ours, assignment, progress)
        except Lost:
            raise
        except ReplError as error:
            with suppress(ReplError):
                await self._fail(ours, error)
            raise

    async def is_alive(self, seen: Anchor) -> bool:
        """Whether the pod that a Lease names is there; asked of the API where our memory does not know it."""
        if seen.pod_of(self._sight.pods_of(seen.name)) is not None:
            return True
        found = await self._api.list("pods", labelSelector=f"{names.ID}={seen.name}")
        return seen.pod_of(found.get("items", ())) is not None

    # -- parts

    async def _bring_up(self, ours: Anchor, assignment: Assignment, progress: Progress) -> None:
        for attempt in range(ATTEMPTS):
            await self._clear(ours)
            pod = await self._candidate(ours, assignment, progress)
            grant = await self._granter.grant(assignment.ref)
            uid = pod["metadata"]["uid"]
            await self._leases.note(ours, {names.POD: uid, names.GENERATION: str(grant.generation)})
            order = Order(assignment, grant, self._keys.token(uid, grant.generation))
            try:
                await self._sidecars.assign(pod, order, progress, ANSWER_SECONDS, RESTORE_SECONDS)
            except Unreachable:
                if attempt == ATTEMPTS - 1:
                    raise
                log.warning("%s: the pod %s does not answer; taking another", ours.name, pod["metadata"]["name"])
                await self._api.delete("pods", pod["metadata"]["name"], uid)
                continue
            settled = {names.DEADLINE: "", names.ATTEMPT: "", names.FAILURE: ""}
            await self._leases.note(ours, settled, touch=True)
            return

    async def _clear(self, ours: Anchor) -> None:
        """Pods of earlier generations go; the store has fenced them off, or will."""
        for pod in self._sight.pods_of(ours.name):
            metadata = pod["metadata"]
            if metadata["labels"].get(names.STATE) == names.CLAIMED and not metadata.get("deletionTimestamp"):
                await self._api.delete("pods", metadata["name"], metadata["uid"])

    async def _candidate(self, ours: Anchor, assignment: Assignment, progress: Progress) -> Object:
        """A pod that is ours now: a warm one, else the one of the REPL's own Deployment."""
        ref, template = assignment.ref, self._template_of(assignment.language)
        self._make_service(ref, ours)
        if not self._has_deployment(ours):
            progress("Looking for a pod")
            for _ in range(CLAIMS):
                warm = [pod for pod in self._sight.pods.objects.values() if _is_warm(pod, template)]
                if not warm:
                    break
                if pod := await claim(self._api, ref, ours.reference, warm, names.WARM):
                    self._sight.pods.learn(pod)
                    return pod
            await self._deploy(ref, ours, template)
        while True:
            pod = await self._cold(ours, progress)
            claimed = await claim(self._api, ref, ours.reference, [pod], names.COLD)
            if claimed is not None:
                self._sight.pods.learn(claimed)
                return claimed
            await self._sight.changed(ours.name, 0.5)

    def _has_deployment(self, ours: Anchor) -> bool:
        """Whether it was started cold, and gets a new pod for each that is lost."""
        found = self._sight.deployments.objects.get(ours.name)
        owners = found["metadata"].get("ownerReferences", ()) if found else ()
        return any(owner["uid"] == ours.uid for owner in owners)

    async def _deploy(self, ref: ProjectRef, ours: Anchor, template: PodTemplate) -> None:
        """Raises Unavailable if the cluster's rules forbid it."""
        made = manifests.deployment(ref, ours.reference, template)
        until = time.monotonic() + LEFTOVER_SECONDS
        while True:
            try:
                await self._api.create("deployments", made)
                return
            except ApiError as error:
                if error.status_code in (403, 422):
                    reason = reasons.refused(error.message)
                    raise Unavailable(reason.text, hint=reason.hint) from error
                if error.status_code != 409:
                    raise
                if self._has_deployment(ours):
                    return
                if time.monotonic() > until:
                    raise
            await self._api.delete("deployments", ours.name)  # of an earlier Lease, which is collected about now
            await self._sight.changed(ours.name, 0.3)

    async def _cold(self, ours: Anchor, progress: Progress) -> Object:
        """The own Deployment's pod, as soon as it has an address. Raises Unavailable with what keeps it from one."""
        began, told = time.monotonic(), ""
        events = _Events(self._api)
        try:
            while True:
                pods = [pod for pod in self._sight.pods_of(ours.name) if _is_cold(pod)]
                if pods and pods[-1].get("status", {}).get("podIP"):
                    return pods[-1]
                waited = time.monotonic() - began
                if pods:
                    reason = reasons.waiting_for(pods[-1], events.known)
                    if waited > EVENTS_AFTER_SECONDS:
                        events.follow(pods[-1]["metadata"]["name"])
                else:
                    reason = reasons.undeployed(self._sight.deployments.objects.get(ours.name))
                if reason.text != told:
                    told = reason.text
                    progress(told)
                limit = self._deadlines.image if pods and pods[-1]["spec"].get("nodeName") else self._deadlines.node
                if reason.is_final or waited > limit:
                    raise Unavailable(reason.text, hint=reason.hint or "Try again, or ask the administrator.")
                await self._sight.changed(ours.name, 1.0)
        finally:
            await events.close()

    def _make_service(self, ref: ProjectRef, ours: Anchor) -> None:
        """Beside the start: nothing waits for it."""

        async def make() -> None:
            made = manifests.service(ref, ours.reference)
            for _ in range(SERVICE_ATTEMPTS):
                try:
                    await self._api.create("services", made)
                    return
                except ApiError as error:
                    if error.status_code != 409:
                        log.warning("%s has no Service: %s", ours.name, error.message)
                        return
                except ReplError as error:
                    log.warning("%s has no Service: %s", ours.name, error.message)
                await asyncio.sleep(SERVICE_SECONDS)  # it is there already, or that of an earlier Lease still is

        task = asyncio.create_task(make(), name=f"service of {ours.name}")
        self._services.add(task)
        task.add_done_callback(self._services.discard)

    @asynccontextmanager
    async def _holding(self, ours: Anchor) -> AsyncIterator[None]:
        """Our deadline moves on as long as we live; if the Lease is lost meanwhile, so is what is done inside."""
        task = asyncio.current_task()
        lost = False

        async def beat() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(BEAT_SECONDS)
                try:
                    await self._leases.note(ours, {names.DEADLINE: state.stamp(time.time() + HOLD_SECONDS)})
                except Lost:
                    lost = True
                    assert task is not None
                    task.cancel()
                    return
                except ReplError as error:
                    log.warning("%s: the deadline was not moved: %s", ours.name, error.message)

        beating = asyncio.create_task(beat(), name=f"hold {ours.name}")
        try:
            yield
        except asyncio.CancelledError:
            if lost and task is not None and task.uncancel() == 0:
                raise Lost from None
            raise
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _take_back(self, slug: str, holder: str) -> None:
        """A cancelled start leaves nothing. A Lease that is another's by now stays."""
        for _ in range(ATTEMPTS):
            try:
                ours = await self._leases.get(slug)
                if ours is None or ours.holder != holder:
                    return
                await self._leases.note(ours, {names.STOPPING: "cancelled"})
                await self.remove(ours)
            except Lost:
                return
            except ReplError as error:
                log.warning("%s: the cancelled start could not be taken back: %s", slug, error.message)
                await asyncio.sleep(1.0)
            else:
                await self._sight.until(slug, lambda: self._sight.lease(slug) is None, 2.0)
                return

    async def remove(self, ours: Anchor) -> None:
        """The Lease, and what garbage collection would take its time with."""
        is_cold = await self._scale_down(ours)
        await self._leases.release(ours)
        if not is_cold:
            await self._delete_pods(ours)

    async def _scale_down(self, ours: Anchor) -> bool:
        """Whether it has a Deployment, which would else put another pod in the place of one that is deleted."""
        try:
            await self._api.patch("deployments", ours.name, {"spec": {"replicas": 0}})
        except ApiError as error:
            if error.status_code != 404:
                raise
            return False
        return True

    async def _delete_pods(self, ours: Anchor) -> None:
        for pod in self._sight.pods_of(ours.name):
            await self._api.delete("pods", pod["metadata"]["name"], pod["metadata"]["uid"])

    async def _fail(self, ours: Anchor, error: ReplError) -> None:
        """The Lease says why until the next start or stop; nothing else stays."""
        failure = state.failure(error.message, error.hint)
        await self._leases.note(ours, {names.FAILURE: failure, names.DEADLINE: ""})
        if await self._scale_down(ours):
            await self._api.delete("deployments", ours.name)
        await self._delete_pods(ours)


class _Events:
    """What the cluster says of one pod, for as long as it is waited for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._task: asyncio.Task[None] | None = None
        self.known: list[Object] = []

    def follow(self, pod: str) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._follow(pod), name=f"events of {pod}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self, pod: str) -> None:
        with suppress(ReplError):
            async for event in self._api.watch("events", 300, 90, fieldSelector=f"involvedObject.name={pod}"):
                if event["type"] == "ADDED":
                    self.known.append(event["object"])


def begin(assignment: Assignment, attempt: int = 0) -> Mapping[str, str]:
    """The annotations of a Lease that somebody begins to work on."""
    return {
        names.ASSIGNMENT: assignment.to_json(),
        names.DEADLINE: state.stamp(time.time() + HOLD_SECONDS),
        names.ATTEMPT: str(attempt) if attempt else "",
        names.FAILURE: "",
        names.STOPPING: "",
        names.POD: "",
    }


def new_holder() -> str:
    """A name that nobody else has."""
    return f"{socket.gethostname()[:40]}-{secrets.token_hex(6)}"


def _is_warm(pod: Object, template: PodTemplate) -> bool:
    labels = pod["metadata"].get("labels", {})
    return labels.get(names.POOL) == manifests.pool_name(template) and is_claimable(pod, names.WARM)


def _is_cold(pod: Object) -> bool:
    return pod["metadata"]["labels"].get(names.STATE) == names.COLD and state.is_alive(pod)
