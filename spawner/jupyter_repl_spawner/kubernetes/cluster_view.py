"""What the cluster holds of ours, in memory: Leases, pods and Deployments, each kept by a watch."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from logging import getLogger
from typing import Self

from jupyter_repl_runner.contract.phases import Phase
from jupyter_repl_runner.contract.refs import ProjectRef

from . import names, state
from .client import Api
from .client_errors import Object
from .watch import Watch

KNOWN_SECONDS = 10.0
OURS = f"{names.MANAGED_BY}={names.DOMAIN}"

log = getLogger(__name__)


class ClusterView:
    """An async context manager around its watches."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._watches = self.leases, self.pods, self.deployments = tuple(
            Watch(api, kind, OURS) for kind in ("leases", "pods", "deployments")
        )
        self._pods_of: dict[str, dict[str, Object]] = {}
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._complaints: dict[str, tuple[str, str]] = {}
        for watch in self._watches:
            watch.listen(self._wake)
        self.pods.listen(self._sort)

    async def __aenter__(self) -> Self:
        """Return when everything is known, or after KNOWN_SECONDS: the watches go on until it is."""
        found = await asyncio.gather(*(watch.start(KNOWN_SECONDS) for watch in self._watches), return_exceptions=True)
        if any(found):
            log.error("The cluster does not tell what it holds; it is asked again and again")
        return self

    async def __aexit__(self, *_: object) -> None:
        for watch in self._watches:
            await watch.stop()

    @property
    def is_known(self) -> bool:
        """Whether each kind was listed once."""
        return all(watch.is_known for watch in self._watches)

    def lease(self, slug: str) -> Object | None:
        return self.leases.objects.get(slug)

    def lease_of(self, ref: ProjectRef) -> Object | None:
        """The REPL's own Lease, not just one of its name."""
        lease = self.lease(names.slug(ref))
        is_its = lease is not None and names.ref_of(lease["metadata"].get("annotations", {})) == ref
        return lease if is_its else None

    def pods_of(self, slug: str) -> list[Object]:
        """Those with the REPL's label, the oldest first."""
        return sorted(self._pods_of.get(slug, {}).values(), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def phase(self, ref: ProjectRef) -> Phase:
        slug = names.slug(ref)
        phase = state.phase(self.lease_of(ref), self.pods_of(slug))
        reason, hint = self._complaints.get(slug, ("", ""))
        return replace(phase, reason=reason, hint=hint) if reason and phase.name == "running" else phase

    def complain(self, slug: str, reason: str = "", hint: str = "") -> None:
        """Note what is wrong with a running REPL, as this server sees it; without a reason: nothing any more."""
        if reason:
            self._complaints[slug] = reason, hint
        else:
            self._complaints.pop(slug, None)

    async def changed(self, slug: str, seconds: float) -> None:
        """Return when something of the REPL changes, or after `seconds`."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(slug, set())
        waiting.add(event)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await event.wait()
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(slug, None)

    async def until(self, slug: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in time; checked with each change of the REPL."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not condition():
            if (left := until - loop.time()) <= 0:
                return False
            await self.changed(slug, min(left, 1.0))
        return True

    def _sort(self, pod: Object, is_there: bool) -> None:
        slug, name = pod["metadata"].get("labels", {}).get(names.ID), pod["metadata"]["name"]
        if not slug:
            return
        pods = self._pods_of.setdefault(slug, {})
        if is_there:
            pods[name] = pod
        else:
            pods.pop(name, None)
            if not pods:
                del self._pods_of[slug]

    def _wake(self, item: Object, _: bool) -> None:
        labels = item["metadata"].get("labels", {})
        for event in self._waiting.get(labels.get(names.ID, ""), ()):
            event.set()
