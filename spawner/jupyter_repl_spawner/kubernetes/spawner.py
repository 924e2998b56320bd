"""KubernetesSpawner: a pod per REPL, in one namespace. REPLs outlive the server; any server of the installation sees
and drives all of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from logging import getLogger
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.assignment import Assignment
from jupyter_repl_runner.contract.errors import InvalidRequest, ReplError, Unavailable
from jupyter_repl_runner.contract.phases import Phase
from jupyter_repl_runner.contract.pod import RUNNER_PORT
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Address, Granter, Leaving, Progress, Spawner

from . import manifests, names
from .anchor import Leases
from .candidate import Candidates, Deadlines
from .client import Api
from .client_errors import ApiError
from .cluster import Cluster
from .cluster_view import ClusterView
from .keys import Keys, read_keys
from .manifests import Hosts
from .pod_template import DEFAULT, PodTemplate
from .pods import Pods
from .pool import Bounds, Pools
from .publish import Publisher
from .reach import Reach, Way
from .reconcile import Reconciler
from .start import Starts
from .state import Anchor
from .stop import Stops

log = getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """`templates` and `pools` by language. `kubeconfig` empty: the pod's own account, else the usual file."""

    namespace: str
    templates: Mapping[str, PodTemplate]
    key_file: Path
    pools: Mapping[str, Bounds] = field(default_factory=dict)
    kubeconfig: str = ""
    context: str = ""
    way: Way = "auto"
    deadlines: Deadlines = field(default_factory=Deadlines)
    hosts: Hosts | None = None
    gone_seconds: float = 90.0


class KubernetesSpawner(Spawner):
    """Raises Unavailable from every verb as long as the cluster does not answer."""

    ends_with_server = False

    def __init__(self, settings: Settings, granter: Granter) -> None:
        self._settings = settings
        self._granter = granter
        self._stack = AsyncExitStack()
        self._opened = False

    async def __aenter__(self) -> Self:
        settings = self._settings
        await self._connect()
        cluster = Cluster(
            self._api,
            self._view,
            Leases(self._api, self._view.leases.learn),
            Pods(self._api, self._reach, self._keys),
            self._keys,
        )
        publisher = Publisher(self._api, settings.hosts)
        candidates = Candidates(cluster, self._template_of, settings.deadlines)
        self._starts = Starts(cluster, self._granter, candidates, publisher, settings.deadlines)
        self._stops = Stops(cluster, self._starts, settings.gone_seconds)
        reconciler = Reconciler(cluster, self._granter, self._starts, self._stops)
        pools = Pools(cluster, self._templates, settings.pools)
        await self._stack.enter_async_context(self._view)
        self._stack.push_async_callback(publisher.close)
        self._reconciling = tasks.spawn(reconciler.run(), "reconcile", lasting=True)
        for work in (tasks.spawn(pools.run(), "pools", lasting=True), self._reconciling):
            self._stack.push_async_callback(tasks.stop, work)
        await self._check_templates()
        return self

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[Self]:
        async with self._stack:
            await self._connect()
            await self._stack.enter_async_context(self._view)
            yield self

    async def _connect(self) -> None:
        settings = self._settings
        self._keys = await asyncio.to_thread(read_keys, settings.key_file)
        self._templates = {name: _with_key(each, self._keys) for name, each in settings.templates.items()}
        self._api = await self._stack.enter_async_context(
            Api(settings.namespace, settings.kubeconfig, settings.context)
        )
        self._reach = Reach(self._api, settings.way)
        self._view = ClusterView(self._api)
        self._opened = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """REPLs go on; another server, or this one started again, finds them."""
        await self._stack.aclose()

    async def hand_over(self) -> None:
        self._starts.is_leaving = True
        await tasks.stop(self._reconciling)  # or it would take them over itself

    @property
    def requests(self) -> int:
        """Requests to the API so far."""
        return self._api.requests

    async def start(self, assignment: Assignment, progress: Progress) -> None:
        self._check()
        await self._starts.start(assignment, progress)

    async def stop(self, ref: ProjectRef, leaving: Leaving = Leaving.NOTHING) -> None:
        self._check()
        await self._stops.stop(ref, leaving)

    async def poll(self, ref: ProjectRef) -> Phase:
        self._check()
        return self._view.phase(ref)

    async def list(self) -> list[ProjectRef]:
        self._check()
        leases = self._view.leases.objects.values()
        refs = [names.ref_of(lease["metadata"].get("annotations", {})) for lease in leases]
        return sorted(ref for ref in refs if ref is not None)

    async def forget(self, ref: ProjectRef) -> None:
        """A pod's files went with it; what a Lease still says of it is deleted now."""
        self._check()
        await self._stops.forget(ref)

    async def address(self, ref: ProjectRef) -> Address:
        self._check()
        lease = self._view.lease_of(ref)
        seen = Anchor.of(lease) if lease is not None else None
        pod = seen.pod_of(self._view.pods_of(seen.name)) if seen is not None and not seen.deadline else None
        if seen is None or pod is None:
            raise Unavailable(f"{ref} is not running.", hint="Start it.")
        return await self._reach.address(pod, RUNNER_PORT, self._keys.of(pod).token(seen.pod, seen.generation))

    def _check(self) -> None:
        if not self._opened:
            raise Unavailable("The cluster is not connected.", hint="The server's log says why.")
        if not self._view.is_known:  # else what runs would appear stopped
            raise Unavailable("The cluster does not answer.", hint="It is asked again and again.")

    def _template_of(self, language: str) -> PodTemplate:
        found = self._templates.get(language) or self._templates.get(DEFAULT)
        if found is None:
            raise InvalidRequest(f"No pod is described for {language}.", hint="Ask the administrator.")
        return found

    async def _check_templates(self) -> None:
        """Log at the start of the server what the cluster would refuse at the first start of a REPL."""
        for template in self._templates.values():
            try:
                made = manifests.pool(template, self._settings.namespace, 0)
                await self._api.create("deployments", made, dry_run=True)
            except ApiError as error:
                if error.status_code != 409:
                    log.error("The pods of %s can't be made: %s", template.language, error.message)
            except ReplError as error:
                log.error("The pods of %s can't be made: %s %s", template.language, error.message, error.hint)


def _with_key(template: PodTemplate, keys: Keys) -> PodTemplate:
    return replace(template, public_key=keys.current.public)
