"""Sync's port in a pod: four orders, each of them signed."""

import json
from typing import TYPE_CHECKING, Any

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.errors import InvalidRequest, NoPermissions, ReplError, Unavailable

if TYPE_CHECKING:
    from .pod import Sidecar


class _Handler(RequestHandler):
    def initialize(self, here: "Sidecar") -> None:
        self._here = here

    async def prepare(self) -> None:
        signature = self.request.headers.get(pod.SIGNATURE_HEADER, "")
        if not self._here.orders.is_ours(self.request.path, self.request.body, signature):
            raise NoPermissions("The signature is wrong.", hint="Only the servers of this installation may ask.")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, ReplError):
            error = Unavailable("Something went wrong in sync.", hint="Its log says more.")
        self.set_status(error.status)
        self.finish(error.to_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, ReplError):
            super().log_exception(typ, value, tb)


class _AssignHandler(_Handler):
    """Answers a line of JSON for each step of the restore; the last says `open`, or why it can't be."""

    async def post(self) -> None:
        try:
            order = pod.Order.from_json(self.request.body.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("That is no assignment.", hint="Are server and image of one version?") from error
        self._here.take(order)
        self.set_header("Content-Type", "application/x-ndjson")
        try:
            async for word in self._here.words():
                self.write(json.dumps(word) + "\n")
                await self.flush()
        except StreamClosedError:
            return


class _CredentialsHandler(_Handler):
    async def post(self) -> None:
        try:
            renewal = pod.Renewal.from_json(self.request.body.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("Those are no credentials.") from error
        self._here.renew(renewal)
        self.write({"expires": self._here.expires})


class _StatusHandler(_Handler):
    async def post(self) -> None:
        here = self._here
        self.write(
            {
                "generation": here.order.grant.generation if here.order else 0,
                "open": here.is_open,
                "expires": here.expires,
                "marks": json.loads(here.status.marks.dump()),
            }
        )


class _FlushHandler(_Handler):
    async def post(self) -> None:
        is_saved = await self._here.flush()
        marks = self._here.status.marks
        self.write({"saved": is_saved, "reason": marks.reason, "hint": marks.hint, "pending": marks.pending})


def make_application(here: "Sidecar") -> Application:
    routes = {
        pod.ASSIGN: _AssignHandler,
        pod.CREDENTIALS: _CredentialsHandler,
        pod.STATUS: _StatusHandler,
        pod.FLUSH: _FlushHandler,
    }
    return Application(
        [(path, handler, {"here": here}) for path, handler in routes.items()], log_function=lambda handler: None
    )
