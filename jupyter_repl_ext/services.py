"""The parts of the extension that handlers use, and their common start and stop."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakSet

from jupyter_server.auth import User
from tornado.web import RequestHandler

from jupyter_repl_ext.drive.drives import Drives
from jupyter_repl_ext.projects.archives import Archives
from jupyter_repl_ext.projects.catalog import Catalog
from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.repls.activity import Activity
from jupyter_repl_ext.repls.idle import Idle
from jupyter_repl_ext.repls.lifecycle import Lifecycle
from jupyter_repl_ext.repls.recovery import Recovery
from jupyter_repl_ext.runners.channels import Channels
from jupyter_repl_ext.runners.client import RunnerClient
from jupyter_repl_ext.runners.relay import CLOSE_RESTART
from jupyter_repl_ext.settings.stores import warn_if_passing
from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.errors import ReplError
from jupyter_repl_runner.store.port import Store
from jupyter_repl_spawner.port import Spawner

SETTING = "jupyter_repl"
STOP_SECONDS = 45.0
"""More than the spawner's own limits for a stop, during which sync saves the rest."""

log = logging.getLogger(__name__)


@dataclass
class Services:
    """Wired in `app`; found by handlers in the web application's settings under SETTING."""

    store: Store
    spawner: Spawner
    catalog: Catalog
    projects: Projects
    archives: Archives
    lifecycle: Lifecycle
    client: RunnerClient
    activity: Activity
    idle: Idle
    recovery: Recovery
    drives: Drives
    owner_of: Callable[[User], str]
    """The owner of an authenticated user's projects."""
    is_admin: Callable[[User], bool]
    """Whether an authenticated user may see and stop the REPLs of others."""
    is_shared: bool = False
    """Whether many people share this server: what they do is logged, see handlers/audit."""
    channels: Channels = field(default_factory=Channels)
    requests: "WeakSet[RequestHandler]" = field(default_factory=WeakSet)
    """Those that are being served. A channel is one of `channels` once it is open."""
    background: tasks.Tasks = field(default_factory=tasks.Tasks)
    """The work that requests do after their answer; each task ends by itself."""
    _started: "asyncio.Task[None] | None" = field(default=None)

    async def started(self) -> None:
        """Returns when the services have started, which happens once. A failed sweep or publication is only logged."""
        if self._started is None:
            self._started = tasks.awaited(self._start(), "start of jupyter-repl")
        await asyncio.shield(self._started)

    async def stop(self) -> None:
        """Flush and stop the REPLs that do not outlive this server, and stop the services. Never raises: after an error
        here, the server would never exit."""
        self.channels.end_all(CLOSE_RESTART, "The server is stopping.")
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if self._started is not None:
                    await self._started
                await self.activity.stop()
                await self.idle.stop()
                await self.lifecycle.close()
                await self.projects.close()
                await self.spawner.__aexit__(None, None, None)
                await self.background.stop()
        except TimeoutError:
            log.error("The shutdown of jupyter-repl took over %s s: REPLs stop by themselves", STOP_SECONDS)
        except Exception:
            log.exception("The shutdown of jupyter-repl failed: REPLs stop by themselves")
        finally:
            self.client.close()

    async def _start(self) -> None:
        steps = (
            ("sweep", self.spawner.__aenter__),
            ("store", self._look_at_store),
            ("templates", self.catalog.publish),
        )
        for name, step in steps:
            try:
                await step()
            except ReplError as error:
                log.warning("The start of jupyter-repl (%s): %s %s", name, error.message, error.hint)
            except Exception:
                log.exception("The start of jupyter-repl (%s) failed", name)
        self.activity.start()
        self.idle.start()

    async def _look_at_store(self) -> None:
        """Log which conditions the store ignores, and what replaces them; and if it will not outlive this server."""
        warn_if_passing(self.store)
        honoured = await self.store.probe()
        if not honoured.put:
            log.warning("The store ignores conditions on PUT: a lock file on this machine replaces them")
        if not honoured.delete:
            log.warning("The store ignores conditions on DELETE: an object is compared just before it is deleted")
        if not honoured.copy:
            log.warning("The store ignores conditions on COPY: a copy is made only where a listing shows nothing")
