"""`project`: create, list, describe, rename and delete."""

import json
import logging
from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from jupyter_repl_ext.projects.records import Project
from jupyter_repl_runner.contract.errors import InvalidRequest, NoPermissions, ReplError, Unavailable
from jupyter_repl_runner.contract.messages import field
from jupyter_repl_runner.contract.phases import Phase

from .base import ReplHandler

log = logging.getLogger(__name__)


class OwnersHandler(ReplHandler):
    """`owner`: all owners, for an administrator."""

    @authenticated
    @authorized
    async def get(self) -> None:
        if not self.services.is_admin(self.current_user):
            raise NoPermissions("Only an administrator can see the owners of REPLs.")
        owners = await self.services.projects.owners.all()
        self.finish(json.dumps([{"owner": owner, "name": name} for owner, name in owners]))


class ProjectsHandler(ReplHandler):
    for_visitors = frozenset({"GET"})

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]
        return self.request.method == "POST"

    @authenticated
    @authorized
    async def get(self) -> None:
        projects = await self.services.projects.list(self.owner)
        self.finish(json.dumps([await _in_list(self, project) for project in projects]))

    @authenticated
    @authorized
    async def post(self) -> None:
        body = self.json_body()
        ref = await self.new_ref(field(body, "replId", str))
        if not isinstance(body.get("language"), str):
            raise InvalidRequest("The language is missing.", hint="GET repl/template lists the languages.")
        project = await self.services.projects.create(ref, body["language"])
        answer_created(self, await describe(self, project))


class ProjectHandler(ReplHandler):
    for_visitors = frozenset({"GET", "DELETE"})

    @property
    def _track_activity(self) -> bool:  # type: ignore[override]
        return self.request.method != "GET"

    @authenticated
    @authorized
    async def get(self, repl_id: str) -> None:
        project = await self.services.projects.get(self.ref(repl_id))
        self.finish(json.dumps(await describe(self, project)))

    @authenticated
    @authorized
    async def patch(self, repl_id: str) -> None:
        project = await self.services.projects.rename(self.ref(repl_id), self.json_body().get("title"))
        self.finish(json.dumps(await describe(self, project)))

    @authenticated
    @authorized
    async def delete(self, repl_id: str) -> None:
        await self.services.lifecycle.delete(self.ref(repl_id))
        self.set_status(204)
        self.finish()


def answer_created(handler: ReplHandler, project: dict[str, Any]) -> None:
    handler.set_status(201)
    handler.set_header("Location", url_path_join(handler.base_url, "repl", "project", quote(project["replId"])))
    handler.finish(json.dumps(project))


async def describe(handler: ReplHandler, project: Project) -> dict[str, Any]:
    """Returns the project with its phase, as JSON."""
    phase = await handler.services.lifecycle.phase(project.ref)
    described = {**project.to_json(), "phase": phase.to_json()}
    if handler.is_visit:
        described["ownerName"] = await handler.services.projects.owners.name_of(project.ref.owner)
    return described


async def _in_list(handler: ReplHandler, project: Project) -> dict[str, Any]:
    """Like `describe`, but an error makes the phase `failed`, so that one project's error does not hide the others."""
    try:
        if project.refusal is not None:
            raise project.refusal
        return await describe(handler, project)
    except ReplError as raised:
        error = raised
    except Exception:  # a bug of ours, triggered by something that a program has written
        log.exception("The phase of %s is not known", project.ref)
        error = Unavailable("The REPL's phase is not known.", hint="See the server's log.")
    return {**project.to_json(), "phase": Phase("failed", reason=error.message, hint=error.hint).to_json()}
