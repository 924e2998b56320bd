"""The Service of a REPL, and its Ingress where the administrator wants hosts.

They are made beside a start: nothing waits for them, and our own requests do not use them."""

import asyncio
from logging import getLogger

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef

from . import manifests
from .client import Api
from .client_errors import ApiError, Object
from .manifests import Hosts
from .state import Anchor

ATTEMPTS, PAUSE_SECONDS = 5, 3.0
_FINAL = (400, 422)
"""Not 403: an API server that has just been started knows no rights for a moment."""

log = getLogger(__name__)


class Publisher:
    """Owns its tasks; `close` ends them."""

    def __init__(self, api: Api, hosts: Hosts | None) -> None:
        self._api = api
        self._hosts = hosts
        self._tasks = tasks.Tasks()

    def publish(self, ref: ProjectRef, ours: Anchor) -> None:
        made = [("services", manifests.service(ref, ours.reference))]
        if self._hosts is not None:
            made.append(("ingresses", manifests.ingress(ref, ours.reference, self._hosts)))
        for kind, manifest in made:
            self._tasks.spawn(self._make(kind, manifest), f"{kind} of {ours.name}")

    async def close(self) -> None:
        await self._tasks.stop()

    async def _make(self, kind: str, manifest: Object) -> None:
        """It may be there already, or that of an earlier Lease still is, for a moment."""
        for _ in range(ATTEMPTS):
            try:
                await self._api.create(kind, manifest)
                return
            except ReplError as error:
                status = error.status_code if isinstance(error, ApiError) else 0
                if status != 409:
                    log.warning("%s: %s could not be made: %s", manifest["metadata"]["name"], kind, error.message)
                if status in _FINAL:
                    return
            await asyncio.sleep(PAUSE_SECONDS)
