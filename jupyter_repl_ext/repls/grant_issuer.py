"""Leave for runners to work on projects in S3: a new generation at each start, and credentials for that project
alone."""

import asyncio
import logging
import time
from dataclasses import astuple

from jupyter_repl_ext.projects.projects import Projects
from jupyter_repl_ext.projects.records import ProjectRecord
from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.grant import Credentials, Grant
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.each import together
from jupyter_repl_runner.store.generation import Generation, raise_generation
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import find_credentials
from jupyter_repl_runner.store.s3_errors import Denied, map_s3_errors
from jupyter_repl_runner.store.sts import NoSts, Sts

NO_STS_SECONDS = 60.0
"""For which an S3 without STS is not asked again."""

log = logging.getLogger(__name__)


class GrantIssuer:
    """A `Granter` of the spawner's. `role`: see ReplExtension.s3_role_arn. `scoped_only`: no runner ever gets the
    server's own keys."""

    def __init__(
        self, store: S3Store, projects: Projects, role: str, max_file_bytes: int, *, scoped_only: bool = False
    ) -> None:
        self._store = store
        self._projects = projects
        self._role = role
        self._sts = Sts(store.settings, role)
        self._max_file_bytes = max_file_bytes
        self._scoped_only = scoped_only
        self._no_sts_until = 0.0
        """By the monotonic clock: S3 said that it has none. What said so may have been something before it that was
        there for a moment only."""

    async def grant(self, ref: ProjectRef) -> Grant:
        honoured = await self._store.probe()
        credentials, (record, generation) = await together(self.credentials(ref), self._raise(ref))
        return Grant(
            ref=ref,
            generation=generation.number,
            holder=generation.holder,
            project=record.created,
            store=self._store.settings,
            credentials=credentials,
            conditions=astuple(honoured),
            max_file_bytes=self._max_file_bytes,
        )

    async def _raise(self, ref: ProjectRef) -> tuple[ProjectRecord, Generation]:
        """A project that is no more gets no generation."""
        return (await self._projects.get(ref)).record, await raise_generation(self._store, ref)

    async def credentials(self, ref: ProjectRef) -> Credentials:
        """For this project alone; else, where that is allowed, the server's own."""
        refusal: ReplError = NoSts()
        if time.monotonic() > self._no_sts_until:
            try:
                return await asyncio.to_thread(self._sts.mint, ref)
            except NoSts:
                self._no_sts_until = time.monotonic() + NO_STS_SECONDS
            except Denied as error:
                refusal = error
        if self._scoped_only or (self._role and isinstance(refusal, Denied)):
            raise Unavailable(
                f"There are no keys for this project alone: {refusal.message}",
                hint='See s3_role_arn. With s3_runner_keys = "server" each REPL gets the keys of the server.',
            )
        log.warning("There are no keys for one project alone (%s): runners get the server's own", refusal.message)
        with map_s3_errors(self._store.settings, ""):
            found = await asyncio.to_thread(find_credentials, self._store.settings)
        if found is None:
            raise Unavailable(
                "There are no keys for S3.", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
            )
        return found
