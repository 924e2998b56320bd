"""The servers' secret: signs orders to sync, and gives each assigned pod its token. All servers of an installation
have the same; pods have the public half."""

import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.pod import signed

SIZE = 32


class Keys:
    """`seed`: SIZE random bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._tokens = hmac.digest(seed, b"jupyter-repl tokens", "sha256")

    @property
    def public(self) -> str:
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, pod_uid: str, path: str, body: bytes) -> str:
        return self._key.sign(signed(pod_uid, path, body)).hex()

    def token(self, pod_uid: str, generation: int) -> str:
        """Of the runner in that pod; any server can compute it."""
        return hmac.digest(self._tokens, f"{pod_uid} {generation}".encode(), "sha256").hex()


def read_keys(path: Path) -> Keys:
    """Of a file with the seed in hexadecimal, made with mode 600 if there is none. Raises Unavailable. Blocks."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(SIZE))
        except FileExistsError:
            pass
        return Keys(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        hint = f"A file of {SIZE * 2} hexadecimal digits is wanted, the same for each server."
        raise Unavailable(f"The servers' key can't be read from {path}: {error}", hint=hint) from error
