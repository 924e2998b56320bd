"""Leave for runners to work on projects in S3: a new generation at each start, and credentials for that project
alone."""

import asyncio
import logging
from dataclasses import astuple

from jupyter_repl_runner.contract.errors import ReplError, Unavailable
from jupyter_repl_runner.contract.grant import Credentials, Grant
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.each import together
from jupyter_repl_runner.store.generation import Generation, raise_generation
from jupyter_repl_runner.store.s3 import S3Store
from jupyter_repl_runner.store.s3_client import find_credentials
from jupyter_repl_runner.store.s3_errors import Unreachable
from jupyter_repl_runner.store.sts import Sts

from .projects import Projects, Record

log = logging.getLogger(__name__)


class Grants:
    """A `Granter` of the spawner's. `role`: see ReplExtension.s3_role_arn."""

    def __init__(self, store: S3Store, projects: Projects, role: str, max_file_bytes: int) -> None:
        self._store = store
        self._projects = projects
        self._role = role
        self._sts = Sts(store.settings, role)
        self._max_file_bytes = max_file_bytes
        self._has_sts: bool | None = None

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

    async def _raise(self, ref: ProjectRef) -> tuple[Record, Generation]:
        """A project that is no more gets no generation."""
        return (await self._projects.get(ref)).record, await raise_generation(self._store, ref)

    async def credentials(self, ref: ProjectRef) -> Credentials:
        """For this project alone where the store has STS, else the server's own."""
        settings = self._store.settings
        if self._has_sts is not False:
            try:
                credentials = await asyncio.to_thread(self._sts.mint, ref)
            except Unreachable:  # which says nothing of whether there is an STS: no reason to give more away
                raise
            except ReplError as error:
                if self._has_sts or self._role:
                    raise
                log.warning("STS gives no keys for one project (%s): runners get the server's own", error.message)
                self._has_sts = False
            else:
                self._has_sts = True
                return credentials
        found = await asyncio.to_thread(find_credentials, settings)
        if found is None:
            raise Unavailable(
                "There are no keys for S3.", hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
            )
        return found
