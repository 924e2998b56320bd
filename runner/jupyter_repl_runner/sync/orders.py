"""The servers' signatures; the only module here that knows cryptography."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from jupyter_repl_runner.contract.pod import signed


class Orders:
    """`public_key` in hexadecimal. Orders for another pod have another signature."""

    def __init__(self, public_key: str, pod_uid: str) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._pod_uid = pod_uid

    def is_ours(self, path: str, body: bytes, signature: str) -> bool:
        try:
            self._key.verify(bytes.fromhex(signature), signed(self._pod_uid, path, body))
        except (InvalidSignature, ValueError):
            return False
        return True
