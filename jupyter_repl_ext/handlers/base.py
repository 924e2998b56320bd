"""The shared code of our handlers: access to the services, the resource for authorization, and errors as JSON."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import HTTPError, RequestHandler, authenticated

from jupyter_repl_ext import __version__
from jupyter_repl_ext.identity import AUTH_RESOURCE
from jupyter_repl_ext.services import SETTING, Services
from jupyter_repl_runner.contract.errors import (
    FileNotFound,
    InvalidRequest,
    NoPermissions,
    ReplError,
    Unavailable,
)
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.messages import VISITOR_HEADER
from jupyter_repl_runner.contract.refs import ProjectRef
from jupyter_repl_runner.store.transfer import RequestBody
from jupyter_repl_spawner.port import Address

from . import audit

VERSION_HEADER = "X-Jupyter-Repl-Version"
"""In each answer, so that a server that forwards knows an answer of a proxy's from one of ours."""

Method = TypeVar("Method", bound=Callable[..., Any])

_CODES: dict[int, type[ReplError]] = {400: InvalidRequest, 403: NoPermissions, 404: FileNotFound}


def may_execute(method: Method) -> Method:
    """Like `authorized`, but with the action `execute`, for requests that start or stop programs. By itself,
    `authorized` uses read or write, depending on the HTTP method."""
    return cast(Method, authorized("execute")(method))


OWNER_IN_PATH = re.compile(r"/repl/owner/([^/]+)/")


class ReplMixin(JupyterHandler):
    """The shared code of REST and WebSocket handlers. `services` can be used once `prepare` has run."""

    auth_resource = AUTH_RESOURCE
    for_visitors: ClassVar[frozenset[str]] = frozenset()
    """The methods by which an administrator may visit the REPLs of another owner: to look, to stop, to delete."""
    _ref: ProjectRef | None = None
    """The project that the request is about, once `ref` has named it."""

    @property
    def services(self) -> Services:
        return cast(Services, self.settings[SETTING])

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header(VERSION_HEADER, __version__)

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        await self.ready()

    async def ready(self) -> None:
        """Return once the services have started."""
        self.services.requests.add(self)
        await self.services.started()

    def on_finish(self) -> None:
        services: Services | None = self.settings.get(SETTING)
        if services is not None:
            services.requests.discard(self)
            if services.is_shared:
                audit.note(self, self._ref, is_visit=self.current_user is not None and self.is_visit)
        super().on_finish()

    def cut(self) -> None:
        """Close the connection, also within an answer."""
        if stream := getattr(self.request.connection, "stream", None):
            stream.close()

    @property
    def owner(self) -> str:
        """Whose projects the request is about: the user's own, unless the address names another owner. Raises
        NoPermissions if the user may not visit that one in this way, and InvalidRequest."""
        own, named = self.services.owner_of(self.current_user), self._named_owner
        if named in (None, own):
            return own
        if not self.services.is_admin(self.current_user):
            raise NoPermissions("These are another user's REPLs.", hint="Only an administrator can see them.")
        if self.request.method not in self.for_visitors:
            raise NoPermissions("You may only look at another user's REPL, stop it, or delete it.")
        return str(named)

    @property
    def is_visit(self) -> bool:
        """Whether the request is about another user's REPLs."""
        return self._named_owner not in (None, self.services.owner_of(self.current_user))

    @property
    def _named_owner(self) -> str | None:
        found = OWNER_IN_PATH.search(str(self.request.path))
        return found.group(1) if found else None

    async def address(self, ref: ProjectRef) -> Address:
        """Where the runner listens. It learns that a visitor may only look. Raises Unavailable if none runs."""
        address = await self.services.spawner.address(ref)
        if not self.is_visit:
            return address
        name = quote(self.current_user.username, safe="")
        return replace(address, headers={**address.headers, VISITOR_HEADER: name})

    def ref(self, repl_id: str) -> ProjectRef:
        """Raises InvalidRequest if the id is not valid."""
        self._ref = ProjectRef(self.owner, repl_id)
        return self._ref

    async def new_ref(self, repl_id: str) -> ProjectRef:
        """Like `ref`, for a project that is about to be made: the true name of its owner is recorded."""
        ref = self.ref(repl_id)
        if ref.owner:
            await self.services.projects.owners.remember(self.current_user.username)
        return ref

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, ReplError):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, ReplError):
            message = error.log_message if isinstance(error, HTTPError) and error.log_message else self._reason
            kind = _CODES.get(status_code, InvalidRequest if status_code < 500 else Unavailable)
            error = kind(message, status=status_code)
        self.set_status(error.status)
        if error.status == 405:
            self.set_header("Allow", ", ".join(self._allowed()))
        self.set_header("Content-Type", "application/json")
        if error.status == 503:
            self.set_header("Retry-After", "1")
        self.finish(json.dumps(error.to_json()))

    def _allowed(self) -> list[str]:
        """Returns the methods of this resource: RFC 9110 requires that a 405 lists them."""
        missing = RequestHandler._unimplemented_method
        return [name for name in self.SUPPORTED_METHODS if getattr(type(self), name.lower()) is not missing]


class ReplHandler(ReplMixin, APIHandler):
    """Base of the REST handlers. Answers a ReplError that a handler raises as JSON, with the error's status."""

    async def check_rights(self, action: str) -> None:
        """Check what `@authorized` checks, for a request whose body is used while it arrives. Raises HTTPError 403."""
        user = self.current_user
        answer = user and self.authorizer.is_authorized(self, user, action, self.auth_resource)
        if not (await answer if asyncio.iscoroutine(answer) else answer):
            raise HTTPError(403)

    def json_body(self) -> dict[str, Any]:
        """Returns the JSON object in the request's body. Raises InvalidRequest."""
        try:
            body = parse_json(self.request.body or b"{}")
        except ValueError:
            raise InvalidRequest("The body is not JSON.", hint="See repl/openapi.yaml.") from None
        if not isinstance(body, dict):
            raise InvalidRequest("The body is not a JSON object.", hint="See repl/openapi.yaml.")
        return body


class NoSuchHandler(ReplHandler):
    """Any other address below `repl/`. Jupyter's own answer is a page, or leads to a login."""

    @authenticated
    @authorized
    async def get(self) -> None:
        raise FileNotFound("There is no such address.", hint="See repl/openapi.yaml.")

    head = post = put = patch = delete = get


class TypedHandler(ReplHandler):
    """For handlers that set the Content-Type of their answer themselves; that of the others is JSON."""

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("set_content_type", self._headers.get("Content-Type", "application/json"))
        return super().finish(*args, **kwargs)


class StreamedBody(RequestHandler):
    """For handlers that pass a body on while it arrives. `prepare` sets `_body`; without it the body is ignored."""

    _body: RequestBody[None] | None = None

    async def data_received(self, chunk: bytes) -> None:
        if self._body is not None:
            await self._body.feed(chunk)

    def on_connection_close(self) -> None:
        if self._body is not None:
            self._body.cancel()
