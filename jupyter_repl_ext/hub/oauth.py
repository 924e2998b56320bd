"""Asks a JupyterHub who a token belongs to, and logs browsers in. Any number of replicas may share the work.

JupyterHub's own class keeps the state of a login in the memory of one process. A login that ends at another replica
then loses its address (JupyterHub 5) or fails with 500 (JupyterHub 6).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from typing import Any

from jupyterhub.services.auth import HubOAuth
from tornado import web
from tornado.web import HTTPError, RequestHandler
from traitlets import Bytes, Float

from jupyter_repl_runner import tasks
from jupyter_repl_runner.contract.json_text import parse_json

REFUSED_SECONDS = 2.0
"""How long a refusal of the hub's counts: only to spare the hub a client that repeats itself."""
MAX_KEPT_SECONDS = 25.0
MAX_ANSWERS = 10_000
NONCE_LENGTH = 32


class StatelessHubOAuth(HubOAuth):  # type: ignore[misc] # JupyterHub has no types
    """The state of a login is signed and travels with the browser, so that each replica can end the login."""

    secret = Bytes(help="Signs the state of logins. All replicas need the same.")
    hub_timeout = Float(3.0, config=True, help="Seconds that the hub may take to say who a user is.")

    kept_seconds = Float(
        MAX_KEPT_SECONDS, min=0, max=MAX_KEPT_SECONDS, config=True, help="How long the hub's word on a user counts."
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._answers: OrderedDict[str, tuple[float, dict[str, Any] | None]] = OrderedDict()
        self._questions: dict[str, asyncio.Task[dict[str, Any] | None]] = {}

    # -- the login

    def generate_pkce_code_challenge(self, method: str = "S256") -> tuple[str, str, str]:
        """The verifier is made from a nonce and the secret: so the state can name it by the nonce alone."""
        verifier = self._verifier(secrets.token_hex(NONCE_LENGTH // 2))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        return verifier, challenge, method

    def generate_state(self, next_url: str | None = None, **extra: Any) -> str:
        nonce = str(extra.pop("code_verifier", "") or "")[:NONCE_LENGTH] or secrets.token_hex(NONCE_LENGTH // 2)
        state = json.dumps({"next_url": next_url, "nonce": nonce, **extra})
        return web.create_signed_value(self.secret, "state", state).decode()

    def _decode_state(self, state_id: str, /) -> dict[str, Any]:
        days = self.oauth_state_max_age / 86400
        raw = web.decode_signed_value(self.secret, "state", state_id, max_age_days=days)
        state = parse_json(raw) if raw else {}
        return {**state, "code_verifier": self._verifier(state["nonce"])} if state else {}

    def clear_oauth_state(self, state_id: str) -> None:
        """The browser holds the state, and its cookie is cleared."""

    def _verifier(self, nonce: str) -> str:
        return nonce + hmac.new(self.secret, nonce.encode(), "sha256").hexdigest()

    # -- who a token belongs to

    def get_token(self, handler: RequestHandler, in_cookie: bool = True) -> str | None:
        """From the header or the cookie. A token in an address ends up in logs, so it never counts."""
        found = self.auth_header_pat.match(handler.request.headers.get(self.auth_header_name, ""))
        if found:
            return str(found.group(1))
        return self._get_token_cookie(handler) if in_cookie else None

    def user_for_token(self, token: str, use_cache: bool = True, session_id: str = "", *, sync: bool = True) -> Any:
        """Returns the hub's model of the user, or None. Raises HTTPError 503 if the hub does not answer in time.
        Requests that come at once with the same token ask the hub once."""
        if sync:
            return super().user_for_token(token, use_cache, session_id)
        return self._answer(token, use_cache, session_id)

    async def _answer(self, token: str, use_cache: bool, session_id: str) -> dict[str, Any] | None:
        key = hashlib.sha256(f"{session_id}\n{token}".encode("utf8", "replace")).hexdigest()
        if use_cache and (kept := self._answers.get(key)) and kept[0] > time.monotonic():
            return kept[1]
        question = self._questions.get(key)
        if question is None:
            question = self._questions[key] = tasks.awaited(self._ask(token, session_id), "question to the hub")
            question.add_done_callback(lambda done: self._forget(key, done))
        model = await asyncio.shield(question)
        self._answers[key] = time.monotonic() + (REFUSED_SECONDS if model is None else self.kept_seconds), model
        self._answers.move_to_end(key)
        if len(self._answers) > MAX_ANSWERS:
            self._answers.popitem(last=False)
        return model

    def _forget(self, key: str, question: "asyncio.Task[Any]") -> None:
        self._questions.pop(key, None)
        if not question.cancelled():
            question.exception()  # retrieved: all who asked may have left

    async def _ask(self, token: str, session_id: str) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(self.hub_timeout):
                model: dict[str, Any] | None = await super().user_for_token(token, False, session_id, sync=False)
                return model
        except (TimeoutError, HTTPError) as error:
            raise HTTPError(503, "JupyterHub does not answer: try again.") from error
