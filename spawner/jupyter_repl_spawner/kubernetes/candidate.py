"""A pod for a start: a warm one of the pool, else the one that the REPL's own Deployment makes."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Progress

from . import manifests, names, reasons, state
from .claim import claim, is_claimable
from .client import Api
from .client_errors import ApiError, Object
from .cluster import Cluster
from .pod_template import PodTemplate
from .state import Anchor

CLAIMS = 3
COLD_CLAIMS = 40
"""Of the REPL's own pod, which nobody else takes, half a second apart."""
EVENTS_AFTER_SECONDS = 2.0
DIAL_SECONDS = (0.02, 0.5)
"""Between two checks whether a pod that has an address answers."""
LEFTOVER_SECONDS = 15.0
"""For which objects of an earlier Lease may be in the way."""


@dataclass(frozen=True)
class Deadlines:
    """`node`: until a node has the pod; `image`: until its containers run; `restore`: without any progress."""

    node: float = 120.0
    image: float = 300.0
    restore: float = 30.0


class Candidates:
    """`template_of`: what pods of a language are made of; raises InvalidRequest."""

    def __init__(
        self,
        cluster: Cluster,
        template_of: Callable[[str], PodTemplate],
        deadlines: Deadlines,
    ) -> None:
        self._cluster = cluster
        self._template_of = template_of
        self._deadlines = deadlines

    async def get(self, ours: Anchor, assignment: Assignment, progress: Progress) -> Object:
        """A pod that was claimed for this REPL. Raises Unavailable with the reason."""
        ref, template = assignment.ref, self._template_of(assignment.language)
        if not await self._redeploy(ours):
            progress("Looking for a pod")
            pool = manifests.pool_name(template)
            for _ in range(CLAIMS):
                warm = [pod for pod in self._cluster.view.pods.objects.values() if _is_warm(pod, pool)]
                if not warm:
                    break
                if pod := await claim(self._cluster.api, ref, ours.reference, warm, names.WARM, self._is_free):
                    self._cluster.view.pods.learn(pod)
                    return pod
            await self._deploy(ref, ours, template)
        for _ in range(COLD_CLAIMS):
            pod = await self._cold(ours, progress)
            claimed = await claim(self._cluster.api, ref, ours.reference, [pod], names.COLD)
            if claimed is not None:
                self._cluster.view.pods.learn(claimed)
                return claimed
            await self._cluster.view.changed(ours.name, 0.5)
        raise Unavailable(
            "The pod can't be taken.", hint="Something changes it all the time, or forbids it: see events."
        )

    def _is_free(self, pod: Object) -> bool:
        known = self._cluster.view.pods.objects.get(pod["metadata"]["name"])
        return known is not None and is_claimable(known, names.WARM)

    async def _redeploy(self, ours: Anchor) -> bool:
        """Whether it was started cold: then its Deployment makes the pod. Who was stopping it may have died between the
        pods and the Lease, so it is set to one pod."""
        found = self._cluster.view.deployments.objects.get(ours.name)
        owners = found["metadata"].get("ownerReferences", ()) if found else ()
        if not any(owner["uid"] == ours.uid for owner in owners):
            return False
        return await self._cluster.api.scale(ours.name, 1)

    async def _deploy(self, ref: ProjectRef, ours: Anchor, template: PodTemplate) -> None:
        """Raises Unavailable if the cluster's rules forbid it."""
        made = manifests.deployment(ref, ours.reference, template)
        until = time.monotonic() + LEFTOVER_SECONDS
        while True:
            try:
                await self._cluster.api.create("deployments", made)
                return
            except ApiError as error:
                if error.status_code in (403, 422):
                    reason = reasons.refused(error.message)
                    raise Unavailable(reason.sentence, hint=reason.hint) from error
                if error.status_code != 409:
                    raise
                if await self._redeploy(ours):
                    return
                if time.monotonic() > until:
                    raise
            # It is of an earlier Lease, which is collected about now.
            await self._cluster.api.delete("deployments", ours.name)
            await self._cluster.view.changed(ours.name, 0.3)

    async def _cold(self, ours: Anchor, progress: Progress) -> Object:
        """The own Deployment's pod, as soon as its sync answers: that is long before the API calls it ready, and an
        address is there before the image is. Raises Unavailable with what keeps it from that."""
        began, reported, pause = time.monotonic(), "", DIAL_SECONDS[0]
        events = _Events(self._cluster.api)
        try:
            while True:
                pods = [pod for pod in self._cluster.view.pods_of(ours.name) if _is_cold(pod)]
                pod = pods[-1] if pods else None
                if pod is not None and pod.get("status", {}).get("podIP"):
                    if await self._cluster.pods.answers(pod):
                        return pod
                    pause = min(pause * 1.5, DIAL_SECONDS[1])
                waited = time.monotonic() - began
                if pod is not None and waited > EVENTS_AFTER_SECONDS:
                    events.follow(pod["metadata"]["name"])
                reason = (
                    reasons.waiting_for(pod, events.known)
                    if pod is not None
                    else reasons.undeployed(self._cluster.view.deployments.objects.get(ours.name))
                )
                if reason.text != reported:
                    reported = reason.text
                    progress(reported)
                limit = (
                    self._deadlines.image if pod is not None and pod["spec"].get("nodeName") else self._deadlines.node
                )
                if reason.is_final or waited > limit:
                    raise Unavailable(reason.sentence, hint=reason.hint or "Try again, or ask the administrator.")
                has_address = pod is not None and bool(pod.get("status", {}).get("podIP"))
                await self._cluster.view.changed(ours.name, pause if has_address else 1.0)
        finally:
            await events.close()


class _Events:
    """What the cluster says of one pod while a start waits for it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._task: asyncio.Task[None] | None = None
        self.known: list[Object] = []

    def follow(self, pod: str) -> None:
        if self._task is None:
            self._task = tasks.spawn(self._follow(pod), f"events of {pod}")

    async def close(self) -> None:
        await tasks.stop(self._task)

    async def _follow(self, pod: str) -> None:
        with suppress(ReplError):
            async for event in self._api.watch("events", 300, 90, fieldSelector=f"involvedObject.name={pod}"):
                if event["type"] == "ADDED":
                    self.known.append(event["object"])


def _is_warm(pod: Object, pool: str) -> bool:
    labels = pod["metadata"].get("labels", {})
    return labels.get(names.POOL) == pool and is_claimable(pod, names.WARM)


def _is_cold(pod: Object) -> bool:
    return pod["metadata"]["labels"].get(names.STATE) == names.COLD and state.is_alive(pod)
