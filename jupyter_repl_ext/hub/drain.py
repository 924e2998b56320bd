"""The end of a replica that nobody notices: SIGTERM lets its clients go to another one, then the process exits.

1. The readiness probe gets 503, so that Kubernetes takes the replica out of the Service. Each answer closes its
   connection, because the hub's proxy keeps connections and would send the next request here.
2. The replica serves on for `drain_seconds`, until the Service's endpoints have reached all nodes.
3. Starts that are under way are left to another replica. Channels are ended with 1012: come back at once.
4. Requests that have begun get their answer, for at most REQUEST_SECONDS. Streams of events are cut: clients ask again.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from tornado.web import Application

from jupyter_repl_ext.handlers.base import ReplMixin
from jupyter_repl_ext.handlers.events import EventsHandler
from jupyter_repl_ext.runners.relay import CLOSE_RESTART
from jupyter_repl_ext.services import Services

REQUEST_SECONDS = 15.0
CHANNEL_SECONDS = 4.0
"""A relay ends by itself within 3 s."""
LOOK_SECONDS = 0.05

log = logging.getLogger(__name__)


class Drain:
    def __init__(self, app: Application, services: Services, seconds: float) -> None:
        self._app = app
        self._services = services
        self._seconds = seconds
        self.has_begun = False

    async def run(self) -> None:
        """Returns when nothing is left to serve, or its time is over."""
        log.info("Draining: no new requests are wanted, and %d channels will be ended", len(self._services.channels))
        self.has_begun = True
        self._app.settings["headers"] = {**self._app.settings.get("headers", {}), "Connection": "close"}
        await asyncio.sleep(self._seconds)
        await self._services.spawner.hand_over()
        await self._services.lifecycle.close()
        self._services.channels.end_all(CLOSE_RESTART, "The service restarts: come back at once.")
        await self._until(lambda: not self._services.channels, CHANNEL_SECONDS)
        for request in list(self._services.requests):
            if isinstance(request, EventsHandler):
                request.cut()
        await self._until(lambda: not self._services.requests, REQUEST_SECONDS)
        for request in list(self._services.requests):
            cast(ReplMixin, request).cut()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        for _ in range(int(seconds / LOOK_SECONDS)):
            if condition():
                return
            await asyncio.sleep(LOOK_SECONDS)
