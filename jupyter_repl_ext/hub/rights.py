"""Ends what goes on for users whose rights are gone: open channels, streams of events, long transfers.

A request is checked when it begins. The hub may take a right away later: a token is revoked, a user logs out or is
deleted, a role changes. Each token of what is open is looked up again every CHECK_SECONDS.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from tornado.web import HTTPError, RequestHandler

from jupyter_repl_ext.handlers.base import ReplMixin
from jupyter_repl_ext.identity import ADMIN_SCOPE
from jupyter_repl_ext.services import Services
from jupyter_repl_runner import tasks

from .identity import HubIdentityProvider, is_person

CHECK_SECONDS = 30.0
"""Together with the time for which an answer of the hub's counts (`oauth.MAX_KEPT_SECONDS`) less than a minute."""
AT_ONCE = 20
"""The most questions to the hub at once."""
CLOSE_LOG_IN = 4401

log = logging.getLogger(__name__)


@dataclass
class _Held:
    """Something that goes on, the request that began it, and how to end it."""

    handler: ReplMixin
    end: Callable[[], None]


class Rights:
    def __init__(self, services: Services, identity: HubIdentityProvider, every: float = CHECK_SECONDS) -> None:
        self._services = services
        self._hub = identity.hub_auth
        self._every = every
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = tasks.spawn(self._run(), "check of rights", lasting=True)

    async def stop(self) -> None:
        await tasks.stop(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._check_all()
            except Exception:
                log.exception("A check of rights failed; the next one follows in %s s.", self._every)

    async def _check_all(self) -> None:
        """Looks each token up once."""
        by_token: defaultdict[tuple[str, str], list[_Held]] = defaultdict(list)
        for held in self._all():
            by_token[self._credentials(held.handler)].append(held)
        await asyncio.gather(*(self._check(*credentials, each) for credentials, each in by_token.items()))

    def _all(self) -> Iterator[_Held]:
        for request in list(self._services.requests):
            if cast(ReplMixin, request).current_user is not None:
                yield _Held(cast(ReplMixin, request), cast(ReplMixin, request).cut)
        for relay, request in self._services.channels.items():
            yield _Held(cast(ReplMixin, request), lambda relay=relay: relay.end(CLOSE_LOG_IN, "Log in again."))  # type: ignore[misc]

    def _credentials(self, handler: RequestHandler) -> tuple[str, str]:
        return self._hub.get_token(handler, in_cookie=False) or "", self._hub.get_session_id(handler)

    async def _check(self, token: str, session: str, held: list[_Held]) -> None:
        async with self._turns:
            try:
                model = await self._hub.user_for_token(token, session_id=session, sync=False)
            except HTTPError:
                return  # the hub is away: what is open goes on
        for each in held:
            if not self._may_go_on(model, each.handler):
                log.info("The rights of %s are gone: its request is ended", each.handler.current_user.username)
                each.end()

    def _may_go_on(self, model: dict[str, Any] | None, handler: ReplMixin) -> bool:
        if model is None or not is_person(model) or not self._hub.check_scopes(self._hub.access_scopes, model):
            return False
        return not handler.is_visit or ADMIN_SCOPE in model["scopes"]
