"""Repairs starts whose server has died, REPLs whose pod was lost, pods that no Lease names, and renews credentials.

Each server does it; compare-and-swap on the Lease decides which one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Granter

from . import names, state
from .client import between
from .client_errors import Object
from .cluster import Cluster
from .pods import NotSync
from .start import ATTEMPTS, Starts, begin, new_holder
from .state import Anchor
from .stop import Stops, leaving_of

LOOK_SECONDS = 5.0
SPREAD_SECONDS = 0.5
"""Servers don't all try at the same moment."""
STORM_SECONDS = 0.1
"""Changes within so long are one turn."""
AT_ONCE, AT_A_TIME = 8, 100
"""REPLs that are repaired at once, and as many that are asked: repairs take minutes, and credentials can't wait for
them. REPLs that are checked in one turn of the loop."""
STATUS_SECONDS = 30.0
"""Between two questions to the sync of a REPL that runs."""
RENEW_SHARE = 0.5
LIFETIME_SECONDS = 3600.0

log = getLogger(__name__)


class Reconciler:
    """`run` is owned by the spawner; `close` ends what it has begun."""

    def __init__(self, cluster: Cluster, granter: Granter, starts: Starts, stops: Stops) -> None:
        self._cluster = cluster
        self._granter = granter
        self._starts = starts
        self._stops = stops
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._mending, self._asking = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._ask_at: dict[str, float] = {}
        cluster.view.leases.listen(lambda lease, _: self._note(lease["metadata"]["name"]))
        cluster.view.pods.listen(lambda pod, _: self._note(pod["metadata"].get("labels", {}).get(names.ID, "")))

    async def run(self) -> None:
        """Until it is cancelled: check what has changed, and now and then everything."""
        loop = asyncio.get_running_loop()
        whole_look_at = loop.time()
        try:
            while True:
                self._wake.clear()
                changed, self._changed = self._changed, set()
                if loop.time() >= whole_look_at:
                    changed |= {*self._cluster.view.leases.objects, *self._ask_at}
                    whole_look_at = loop.time() + LOOK_SECONDS
                for place, slug in enumerate(changed):
                    try:
                        self._look(slug)
                    except Exception:  # of one Lease, which somebody has written by hand
                        log.exception("%s can't be looked after", slug)
                    if place % AT_A_TIME == AT_A_TIME - 1:
                        await asyncio.sleep(0)
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(whole_look_at):
                        await self._wake.wait()
                        await asyncio.sleep(STORM_SECONDS)
        finally:
            await tasks.stop(*self._tasks.values())

    def _note(self, slug: str) -> None:
        if slug:
            self._changed.add(slug)
            self._wake.set()

    def _look(self, slug: str) -> None:
        lease, now = self._cluster.view.lease(slug), time.time()
        ref = names.ref_of(lease["metadata"].get("annotations", {})) if lease is not None else None
        if lease is None or ref is None:
            self._ask_at.pop(slug, None)
            self._cluster.view.complain(slug)
            return
        if slug in self._tasks:
            return
        seen, pods = Anchor.of(lease), self._cluster.view.pods_of(slug)
        if seen.is_abandoned(now):
            self._begin(slug, lambda: self._finish(seen, ref))
        elif seen.has_lost(pods):
            self._begin(slug, lambda: self._restart(seen, ref))
        elif not seen.is_over and not seen.deadline:
            strays = [pod for pod in pods if _is_stray(pod, seen)]
            if strays:
                self._begin(slug, lambda: self._delete(strays))
            elif time.monotonic() > self._ask_at.setdefault(slug, time.monotonic() + STATUS_SECONDS):
                self._begin(slug, lambda: self._look_after(seen, ref), self._asking)

    def _begin(self, slug: str, work: Callable[[], Awaitable[None]], turn: asyncio.Semaphore | None = None) -> None:
        async def run() -> None:
            try:
                async with turn or self._mending:
                    await asyncio.sleep(between(0, SPREAD_SECONDS))
                    await work()
            except ReplError as error:
                log.warning("%s: %s %s", slug, error.message, error.hint)
            except Exception:
                log.exception("%s could not be put right; it is tried again", slug)
            finally:
                self._tasks.pop(slug, None)

        self._tasks[slug] = tasks.spawn(run(), f"reconcile {slug}")

    async def _finish(self, seen: Anchor, ref: ProjectRef) -> None:
        """Finish what its dead holder has begun."""
        if seen.is_stopping:
            await self._stops.stop(ref, leaving_of(seen))
        else:
            await self._restart(seen, ref)

    async def _restart(self, seen: Anchor, ref: ProjectRef) -> None:
        """With a new generation; after ATTEMPTS in a row it has failed."""
        if not seen.deadline and await self._starts.pod_of(seen) is not None:
            return  # the cluster view was behind
        assignment, attempt = seen.to_do, seen.attempt + 1
        lost = await self._why(seen) if seen.pod else seen.lost
        changes = begin(assignment or Assignment(ref), attempt, lost)
        ours = await self._cluster.leases.take_over(seen, new_holder(), changes)
        if ours is None:
            return
        if assignment is None:
            await self._starts.fail(ours, "The REPL's Lease was damaged.", "Your files are kept. Start it again.")
            return
        log.warning("%s: its pod or its server was lost; starting it again (%s)", seen.name, attempt)
        if attempt > ATTEMPTS:
            await self._starts.fail(ours, "The REPL was lost again and again.", "Your files are kept. Start it again.")
            return
        await self._starts.drive(ours, assignment, lambda step: None)

    async def _why(self, seen: Anchor) -> str:
        """Check its pod."""
        pods = self._cluster.view.pods_of(seen.name)
        pod = next((each for each in pods if each["metadata"]["uid"] == seen.pod), None)
        events: list[Object] = []
        if pod is not None:
            of_it = f"involvedObject.name={pod['metadata']['name']}"
            events = (await self._cluster.api.list("events", fieldSelector=of_it)).get("items", [])
        return state.loss(pod, events)

    async def _delete(self, strays: list[Object]) -> None:
        for pod in strays:
            log.warning("The pod %s belongs to no start; it is deleted", pod["metadata"]["name"])
            await self._cluster.api.delete("pods", pod["metadata"]["name"], pod["metadata"]["uid"])

    async def _look_after(self, seen: Anchor, ref: ProjectRef) -> None:
        """Ask sync for its status, with proof. The first server that finds credentials at half their life renews
        them."""
        self._ask_at[seen.name] = time.monotonic() + STATUS_SECONDS
        pod = seen.pod_of(self._cluster.view.pods_of(seen.name))
        if pod is None:
            return
        try:
            expires = float((await self._cluster.pods.status(pod, seen.generation))["expires"])
            if expires and expires - time.time() < LIFETIME_SECONDS * RENEW_SHARE:
                await self._cluster.pods.renew(pod, seen.generation, await self._granter.credentials(ref))
        except NotSync as error:
            self._cluster.view.complain(seen.name, error.message, error.hint)
            raise
        self._cluster.view.complain(seen.name)


def _is_stray(pod: Object, seen: Anchor) -> bool:
    metadata = pod["metadata"]
    is_claimed = metadata["labels"].get(names.STATE) == names.CLAIMED
    return is_claimed and state.is_alive(pod) and metadata["uid"] != seen.pod
