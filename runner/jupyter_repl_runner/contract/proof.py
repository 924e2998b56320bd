"""Proofs that an answer comes from sync: a keyed hash that only sync and the servers can compute. Pure.

Programs share the pod's network, so a program may take over sync's port while sync is down, and replay answers that it
recorded. So each question carries a nonce, which is never used twice, and each line of the answer begins with a proof.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from .json_text import parse_json

NONCE_HEADER = "X-Jupyter-Repl-Nonce"
UNPROVED = "-"
"""Replaces the proof while sync has no assignment, and so no secret."""


@dataclass(frozen=True)
class Question:
    """One request to sync."""

    path: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    def line(self, secret: str, status: int, number: int, said: dict[str, Any]) -> str:
        """Returns line `number` of an answer with this HTTP status; without a proof if `secret` is empty."""
        body = json.dumps(said)
        return f"{self._proof(secret, status, number, body) if secret else UNPROVED} {body}\n"

    def read(self, secret: str, status: int, number: int, line: bytes) -> dict[str, Any]:
        """Returns the content of such a line. Raises ValueError if the proof is wrong; an empty `secret` skips that
        check."""
        proof, _, body = line.decode().rstrip("\n").partition(" ")
        if secret and not hmac.compare_digest(proof.encode(), self._proof(secret, status, number, body).encode()):
            raise ValueError("the proof is wrong")
        said = parse_json(body)
        if not isinstance(said, dict):
            raise ValueError("not an object")
        return said

    def _proof(self, secret: str, status: int, number: int, body: str) -> str:
        text = f"{self.path}\n{self.nonce}\n{status}\n{number}\n{body}"
        return hmac.digest(bytes.fromhex(secret), text.encode(), "sha256").hex()
