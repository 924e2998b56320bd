"""Reports use of REPLs to Jupyter's own culler: from frames through the relay, and from the runners' status."""

import asyncio
import logging
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_spawner.port import Spawner

from .silence import Silence

SETTING = "jupyter_repl_last_activity"
"""jupyter_server uses the newest time of all settings whose names end with `_last_activity`."""
ASK_SECONDS = 30.0

log = logging.getLogger(__name__)


class Activity:
    """Owns the task that asks runners for their last use. `settings` are the web application's."""

    def __init__(self, settings: MutableMapping[str, Any], spawner: Spawner, client: RunnerClient) -> None:
        self._settings = settings
        self._spawner = spawner
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self._last = 0.0
        self._silence = Silence()

    def start(self) -> None:
        """Begin to ask runners, but only if they stop with the server: else culling the server does them no harm."""
        if self._spawner.ends_with_server:
            self._task = tasks.spawn(self._ask(), "ask runners for activity", lasting=True)

    async def stop(self) -> None:
        await tasks.stop(self._task)

    def touch(self, seconds: float | None = None) -> None:
        """Note a use now, or at `seconds` since the epoch; a time in the future counts as now."""
        moment = time.time() if seconds is None else min(seconds, time.time())
        if moment >= self._last + 1:
            self._last = moment
            self._settings[SETTING] = datetime.fromtimestamp(moment, UTC)

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(ASK_SECONDS)
            try:
                for ref in await self._spawner.list():
                    await self._ask_one(ref)
            except Exception:
                log.exception("Asking runners for activity failed; trying again")

    async def _ask_one(self, ref: ProjectRef) -> None:
        """Ask one runner. If it does not answer, or its answer is invalid, the other runners are still asked."""
        try:
            status = await self._client.get_json(await self._spawner.address(ref), "/status")
            self.touch(float(status["lastActivity"]))
        except (ReplError, OSError, KeyError, TypeError, ValueError, OverflowError) as error:
            self._silence.failed(ref, error)
        else:
            self._silence.answered(ref)
