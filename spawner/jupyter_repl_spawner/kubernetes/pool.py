"""Warm pods: a Deployment per template whose size follows demand. Every server computes a size from what it sees.

Nobody leads. Servers with different bounds (at a rollout) agree by the time that the Deployment carries: a server that
wants it larger makes it larger, and it gets smaller only when nobody has wanted its size for a while.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from math import ceil

from jupyter_repl_runner.contract.errors import ReplError

from . import manifests, names, pod_template
from .claim import claimed_at
from .client_errors import ApiError, Object
from .cluster import Cluster
from .pod_template import PodTemplate
from .state import Anchor, seconds, stamp

LOOK_SECONDS = 2.0
REFILL_SECONDS = 5.0
"""From a claim until its replacement can be claimed: measured on one node, doubled."""
WINDOW_SECONDS = 60.0
"""Over which claims are counted."""
SHRINK_SECONDS = 120.0
"""A pool that was too large for so long gets smaller."""

log = getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """How many warm pods wait. `most` 0: none at all."""

    least: int = 0
    most: int = 0


def size(bounds: Bounds, claims: int, in_flight: int) -> int:
    """Of a pool, for `claims` within WINDOW_SECONDS and `in_flight` starts that have no pod yet."""
    expected = ceil(claims * REFILL_SECONDS / WINDOW_SECONDS)
    return min(bounds.most, max(bounds.least, expected + in_flight)) if bounds.most else 0


def resize(pool: Object, wanted: int, now: float) -> Object | None:
    """A merge patch that makes a pool's Deployment the wanted size, or fails with 409 if it has changed since; None if
    there is nothing to be done. Larger at once, smaller only SHRINK_SECONDS after anybody wanted what it is."""
    metadata, current = pool["metadata"], pool["spec"]["replicas"]
    age = now - seconds(metadata.get("annotations", {}).get(names.GROWN_AT, ""))
    if wanted < current and age < SHRINK_SECONDS:
        return None
    if wanted == current and age < SHRINK_SECONDS / 2:
        return None
    noted = {"resourceVersion": metadata["resourceVersion"], "annotations": {names.GROWN_AT: stamp(now)}}
    return {"metadata": noted, "spec": {"replicas": wanted}}


class Pools:
    """`run` is owned by the spawner."""

    def __init__(self, cluster: Cluster, templates: Mapping[str, PodTemplate], bounds: Mapping[str, Bounds]) -> None:
        self._cluster = cluster
        self._templates = templates
        self._bounds = bounds
        self._made: set[str] = set()
        """Our Deployments."""
        self._began = stamp(time.time())

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._look()
            except ReplError as error:
                log.warning("The pools: %s", error.message)
            except Exception:
                log.exception("The pools could not be looked after; it is tried again")
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        ours = set()
        for language, template in self._templates.items():
            bounds = self._bounds.get(language, Bounds())
            name = manifests.pool_name(template)
            if bounds.most:
                ours.add(name)
                try:
                    await self._keep(name, template, size(bounds, *self._demand(name, language)))
                except ReplError as error:  # of this template: the others have their pods
                    log.warning("The pool of %s: %s", language, error.message)
        await self._drain(ours)

    async def _keep(self, name: str, template: PodTemplate, wanted: int) -> None:
        found = self._cluster.view.deployments.objects.get(name)
        if found is None:
            if name in self._made:  # a server with newer templates has drained it: we are about to be replaced
                return
            try:
                made = manifests.pool(template, self._cluster.api.namespace, wanted)
                found = await self._cluster.api.create("deployments", made)
            except ApiError as error:
                if error.status_code != 409:
                    raise
                return
        self._made.add(name)
        if (change := resize(found, wanted, time.time())) is not None:
            with suppress(ApiError):  # another server was faster: the next turn sees the result
                self._cluster.view.deployments.learn(await self._cluster.api.patch("deployments", name, change))

    async def _drain(self, ours: set[str]) -> None:
        """Delete pools of earlier templates with their waiting pods; claimed pods belong to their REPLs. Pools of later
        templates are of servers that are about to replace us."""
        for name, found in list(self._cluster.view.deployments.objects.items()):
            metadata = found["metadata"]
            is_pool = names.TEMPLATE in metadata.get("labels", {})
            if is_pool and name not in ours and metadata["creationTimestamp"] <= self._began:
                await self._cluster.api.delete("deployments", name, metadata["uid"])

    def _demand(self, name: str, language: str) -> tuple[int, int]:
        """Pods of the pool that were claimed lately and still run, and starts that have no pod yet."""
        now = time.time()
        claims = sum(
            pod["metadata"].get("labels", {}).get(names.POOL) == name and now - claimed_at(pod) < WINDOW_SECONDS
            for pod in self._cluster.view.pods.objects.values()
        )
        leases = self._cluster.view.leases.objects.values()
        anchors = [anchor for anchor in map(Anchor.of, leases) if anchor.deadline]
        starting = [each for each in anchors if each.is_worked_on(now) and not each.pod and not each.is_stopping]
        wanted = [each.to_do for each in starting]
        return claims, sum(self._template_of(each.language if each else "") == language for each in wanted)

    def _template_of(self, language: str) -> str:
        return language if language in self._templates else pod_template.DEFAULT
