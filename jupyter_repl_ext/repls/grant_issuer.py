"""Issues grants, with which sync works on a project in S3: a new generation at each start, and credentials for that
project alone."""

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
"""How long an S3 without STS is not asked again."""

log = logging.getLogger(__name__)


class GrantIssuer:
    """The `Granter` of the spawner port. `role`: see ReplExtension.s3_role_arn. `scoped_only`: never grants the
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
        """A time of the monotonic clock, set when S3 answers that it has no STS. S3 is asked again after it, because
        the answer may have come from a proxy in front of S3 that was there only for a moment."""

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
        """Raise the project's generation; returns the record and the generation. Raises FileNotFound for a deleted
        project, which must not get a generation."""
        return (await self._projects.get(ref)).record, await raise_generation(self._store, ref)

    async def credentials(self, ref: ProjectRef) -> Credentials:
        """Returns credentials for this project alone. If S3 issues none, returns the server's own if that is allowed,
        or raises Unavailable."""
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
        log.warning("There are no keys for one project alone (%s): sync gets the server's own", refusal.message)
        with map_s3_errors(self._store.settings, ""):
            found = await asyncio.to_thread(find_credentials, self._store.settings)
        if found is None:
            raise Unavailable(
                "There are no keys for S3.", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
            )
        return found
