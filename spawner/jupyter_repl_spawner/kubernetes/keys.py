"""The servers' keys: they sign orders to sync, give each assigned pod its token and secret, and seal new credentials.
All servers of an installation have the same; pods have the public half of the one that they were made with."""

import hmac
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupyter_repl_runner.contract import pod as contract
from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_runner.contract.pod import Renewal
from jupyter_repl_runner.contract.proof import Question

from . import names
from .client_errors import Object

SIZE = 32


class Key:
    """`seed`: SIZE random bytes. Any server that has it computes the same tokens and secrets."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._tokens = hmac.digest(seed, b"jupyter-repl tokens", "sha256")
        self._secrets = hmac.digest(seed, b"jupyter-repl secrets", "sha256")
        self.public = self._key.public_key().public_bytes_raw().hex()
        self.id = contract.key_id(self.public)

    def sign(self, pod_uid: str, question: Question, body: bytes) -> str:
        signed = contract.signed(pod_uid, question.path, question.nonce, body)
        return f"{self.id}:{self._key.sign(signed).hex()}"

    def token(self, pod_uid: str, generation: int) -> str:
        """Of the runner in that pod."""
        return f"{self.id}.{self._derived(self._tokens, pod_uid, generation)}"

    def secret(self, pod_uid: str, generation: int) -> str:
        """Of the sync in that pod, of which the proofs of its answers are made."""
        return self._derived(self._secrets, pod_uid, generation)

    def seal(self, pod_uid: str, generation: int, credentials: Credentials) -> Renewal:
        nonce = secrets.token_bytes(contract.SEAL_NONCE_BYTES)
        key = contract.renewal_key(self.secret(pod_uid, generation))
        text, context = json.dumps(asdict(credentials)).encode(), contract.renewal_context(pod_uid, generation)
        return Renewal(generation, (nonce + AESGCM(key).encrypt(nonce, text, context)).hex())

    def _derived(self, key: bytes, pod_uid: str, generation: int) -> str:
        return hmac.digest(key, f"{self.id} {pod_uid} {generation}".encode(), "sha256").hex()


class Keys:
    """A ring: new pods are made with the first key, and a pod keeps the one that it was made with."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        keys = [Key(seed) for seed in seeds]
        self.current = keys[0]
        self._by_id = {key.id: key for key in keys}

    def of(self, pod: Object) -> Key:
        """Raises Unavailable if the ring has it no more."""
        named = pod["metadata"].get("annotations", {}).get(names.KEY, self.current.id)
        if named not in self._by_id:
            raise Unavailable(
                f"The REPL's pod was made with the key {named}, which this server has not.",
                hint="Ask the administrator to put that key back into the servers' key file, below the new one.",
            )
        return self._by_id[named]


def read_keys(path: Path) -> Keys:
    """Of a file with a seed in hexadecimal in each line, the newest first; made with mode 600 and one seed if there is
    none. Raises Unavailable. Blocks."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(SIZE) + "\n")
        except FileExistsError:
            pass
        seeds = [bytes.fromhex(line) for line in path.read_text().split()]
        if not seeds or any(len(seed) != SIZE for seed in seeds):
            raise ValueError("no line, or one of another length")
        return Keys(seeds)
    except (OSError, ValueError) as error:
        hint = f"A file with {SIZE * 2} hexadecimal digits in each line is wanted, the same for each server."
        raise Unavailable(f"The servers' keys can't be read from {path}: {error}", hint=hint) from error
