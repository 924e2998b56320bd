"""The servers' signatures and sealed renewals; the only module here that knows cryptography."""

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupyter_repl_runner.contract import pod
from jupyter_repl_runner.contract.grant import Credentials
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_runner.contract.proof import Question


class Orders:
    """`public_key` in hexadecimal. Orders for another pod have another signature."""

    def __init__(self, public_key: str, pod_uid: str) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._key_id = pod.key_id(public_key)
        self._pod_uid = pod_uid

    def is_ours(self, question: Question, body: bytes, signature: str) -> bool:
        key_id, _, digits = signature.partition(":")
        try:
            signed = pod.signed(self._pod_uid, question.path, question.nonce, body)
            self._key.verify(bytes.fromhex(digits), signed)
        except (InvalidSignature, ValueError):
            return False
        return key_id == self._key_id

    def unseal(self, renewal: pod.Renewal, secret: str) -> Credentials:
        """Raises ValueError, KeyError or TypeError if they are not for us."""
        raw, start = bytes.fromhex(renewal.sealed), pod.SEAL_NONCE_BYTES
        context = pod.renewal_context(self._pod_uid, renewal.generation)
        try:
            text = AESGCM(pod.renewal_key(secret)).decrypt(raw[:start], raw[start:], context)
        except InvalidTag as error:
            raise ValueError("sealed for somebody else") from error
        return Credentials(**parse_json(text))
