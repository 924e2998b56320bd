"""What makes an answer of sync believable: a keyed hash that sync and the servers alone can compute. Pure.

Programs share the pod's network, so one of them may hold sync's port while sync is away, and repeat what it has
recorded. A question carries a nonce, which is never used twice; each line of its answer begins with its proof.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from .json_text import parse_json

NONCE_HEADER = "X-Jupyter-Repl-Nonce"
UNPROVED = "-"
"""In place of a proof, from a sync that has no assignment and so no secret."""


@dataclass(frozen=True)
class Question:
    """One request to sync."""

    path: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    def line(self, secret: str, status: int, number: int, said: dict[str, Any]) -> str:
        """The line `number` of an answer with that HTTP status; `secret` empty: without a proof."""
        body = json.dumps(said)
        return f"{self._proof(secret, status, number, body) if secret else UNPROVED} {body}\n"

    def read(self, secret: str, status: int, number: int, line: bytes) -> dict[str, Any]:
        """What such a line says. Raises ValueError if it has not the right proof; `secret` empty: none is wanted."""
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
