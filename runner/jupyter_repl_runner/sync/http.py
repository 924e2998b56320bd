"""Sync's port in a pod: five orders, each of them signed, and answers with a proof, see `contract.proof`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Protocol

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.errors import InvalidRequest, NoPermissions, ReplError, Unavailable
from jupyter_repl_runner.contract.proof import NONCE_HEADER, Question

from .orders import Orders
from .status import MARKS_BYTES, Status


class Sidecar(Protocol):
    """Who answers, see `pod.Sidecar`."""

    orders: Orders
    order: pod.Order | None
    status: Status

    @property
    def secret(self) -> str: ...
    @property
    def expires(self) -> float: ...
    @property
    def is_open(self) -> bool: ...
    def take(self, order: pod.Order) -> None: ...
    def renew(self, renewal: pod.Renewal) -> None: ...
    async def flush(self) -> bool: ...
    def words(self) -> AsyncIterator[dict[str, Any]]: ...


class _Handler(RequestHandler):
    def initialize(self, here: Sidecar) -> None:
        self._here = here
        self._lines = 0
        self._saying: asyncio.Task[Any] | None = None
        self._has_left = False

    async def prepare(self) -> None:
        headers = self.request.headers
        self._question = Question(self.request.path, headers.get(NONCE_HEADER, ""))
        self.set_header("Content-Type", "application/x-ndjson")
        if not self._here.orders.is_ours(self._question, self.request.body, headers.get(pod.SIGNATURE_HEADER, "")):
            raise NoPermissions("The signature is wrong.", hint="Only the servers of this installation may ask.")

    def say(self, said: dict[str, Any]) -> None:
        """The next line of the answer."""
        self.write(self._question.line(self._here.secret, self.get_status(), self._lines, said))
        self._lines += 1

    async def say_progress(self) -> None:
        """A line for each step of the restore; the last says `open`, or why it can't be. It ends with its reader."""
        self._saying = asyncio.current_task()
        try:
            async for word in self._here.words():
                self.say(word)
                await self.flush()
        except (StreamClosedError, asyncio.CancelledError):
            if not self._has_left:
                raise
        finally:
            self._saying = None

    def on_connection_close(self) -> None:
        self._has_left = True
        if self._saying is not None:
            self._saying.cancel()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, ReplError):
            error = Unavailable("Something went wrong in sync.", hint="Its log says more.")
        self.set_status(error.status)
        self.say(error.to_json())
        self.finish()

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, ReplError):
            super().log_exception(typ, value, tb)


class _AssignHandler(_Handler):
    async def post(self) -> None:
        try:
            order = pod.Order.from_json(self.request.body.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("That is no assignment.", hint="Are server and image of one version?") from error
        self._here.take(order)
        await self.say_progress()


class _ProgressHandler(_Handler):
    async def post(self) -> None:
        if self._here.order is None:
            raise Unavailable("This pod has no assignment.", hint="Take another one.")
        await self.say_progress()


class _CredentialsHandler(_Handler):
    async def post(self) -> None:
        try:
            renewal = pod.Renewal.from_json(self.request.body.decode())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidRequest("Those are no credentials.") from error
        self._here.renew(renewal)
        self.say({"expires": self._here.expires})


class _StatusHandler(_Handler):
    async def post(self) -> None:
        here = self._here
        self.say(
            {
                "generation": here.order.grant.generation if here.order else 0,
                "open": here.is_open,
                "expires": here.expires,
                "marks": asdict(here.status.marks.shortened(MARKS_BYTES)),
                "unsaved": here.status.unsaved_short,
            }
        )


class _FlushHandler(_Handler):
    async def post(self) -> None:
        is_saved = await self._here.flush()
        marks = self._here.status.marks
        self.say(
            {
                "saved": is_saved,
                "state": marks.state,
                "reason": marks.reason,
                "hint": marks.hint,
                "pending": marks.pending,
                "unsaved": self._here.status.unsaved_short,
            }
        )


def make_application(here: Sidecar) -> Application:
    routes = {
        pod.ASSIGN: _AssignHandler,
        pod.PROGRESS: _ProgressHandler,
        pod.CREDENTIALS: _CredentialsHandler,
        pod.STATUS: _StatusHandler,
        pod.FLUSH: _FlushHandler,
    }
    return Application(
        [(path, handler, {"here": here}) for path, handler in routes.items()], log_function=lambda handler: None
    )
