"""WebSocket framing (RFC 6455) of a server after the handshake: bytes in, messages out. Pure.

We have our own because the parsers of tornado and `websockets` take longer for a key than everything else together
(docs/decisions.md).
"""

import base64
import hashlib
import struct
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_CONTINUATION = 0
_WHOLE = 0x80 | BINARY
NORMAL, PROTOCOL_ERROR, INVALID_TEXT, TOO_LARGE = 1000, 1002, 1007, 1009
_MAX_CONTROL = 125
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Message(NamedTuple):
    """`kind` is TEXT, BINARY, CLOSE, PING or PONG; the payload of a TEXT is valid UTF-8, not decoded."""

    kind: int
    payload: bytes


class FramingError(Exception):
    """The client breaks the protocol: close the connection with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def accept_key(key: str) -> str:
    """The answer to a `Sec-WebSocket-Key`."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def build_frame(kind: int, payload: bytes) -> bytes:
    """Returns a message of the server as a single frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | kind, size)) + payload
    if size < 1 << 16:
        return struct.pack(">BBH", 0x80 | kind, 126, size) + payload
    return struct.pack(">BBQ", 0x80 | kind, 127, size) + payload


def build_close(code: int, reason: str) -> bytes:
    """Returns a CLOSE frame. `reason` is cut to what fits into a control frame."""
    text = reason.encode()[: _MAX_CONTROL - 2].decode(errors="ignore").encode()
    return build_frame(CLOSE, code.to_bytes(2, "big") + text)


class Parser:
    """Messages of up to `max_size` bytes, fed in pieces of any size."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._rest = bytearray()
        self._needed = 0
        """How many bytes `_rest` must have before it can hold a whole frame."""
        self._kind = _CONTINUATION
        self._whole = bytearray()
        """What has come so far of a message that is split into several frames."""

    def feed(self, data: bytes) -> list[Message]:
        """Returns the messages that `data` completes. Raises FramingError."""
        size = len(data) - 6
        if 0 < size < 126 and data[0] == _WHOLE and data[1] == 0x80 | size and not self._rest and not self._kind:
            return [Message(BINARY, _unmask(data[2:6], data[6:]))]  # a fast path for a key, which skips the parser
        if not self._rest:
            return self._parse(data)
        self._rest += data
        if len(self._rest) < self._needed:
            return []
        buffer = bytes(self._rest)
        self._rest.clear()
        return self._parse(buffer)

    def _parse(self, buffer: bytes) -> list[Message]:
        found: list[Message] = []
        self._needed = 0
        start, end = 0, len(buffer)
        while end - start >= 2:
            first, size = buffer[start], buffer[start + 1]
            if size < 0x80 or first & 0x70:
                raise FramingError(PROTOCOL_ERROR, "a frame is not masked, or uses an extension")
            size &= 0x7F
            body = start + 6
            if size >= 126:
                length = 2 if size == 126 else 8
                body += length
                if body > end:
                    break
                size = int.from_bytes(buffer[start + 2 : start + 2 + length], "big")
            if size + len(self._whole) > self._max_size:
                raise FramingError(TOO_LARGE, "a message is too large")
            if body + size > end:
                self._needed = body + size - start
                break
            payload = _unmask(buffer[body - 4 : body], buffer[body : body + size])
            start = body + size
            if (message := self._take(first & 0x0F, first >= 0x80, payload)) is not None:
                found.append(message)
        self._rest += buffer[start:]
        return found

    def _take(self, kind: int, is_final: bool, payload: bytes) -> Message | None:
        if kind >= CLOSE:
            if kind > PONG or not is_final or len(payload) > _MAX_CONTROL:
                raise FramingError(PROTOCOL_ERROR, "a control frame is malformed")
            return Message(kind, payload)
        if kind > BINARY or (kind == _CONTINUATION) != (self._kind != _CONTINUATION):
            raise FramingError(PROTOCOL_ERROR, "a frame is out of order")
        if kind == _CONTINUATION or not is_final:
            self._kind = self._kind or kind
            self._whole += payload
            if not is_final:
                return None
            kind, payload = self._kind, bytes(self._whole)
            self._kind = _CONTINUATION
            self._whole.clear()
        if kind == TEXT:
            try:
                payload.decode()
            except UnicodeDecodeError:
                raise FramingError(INVALID_TEXT, "a text is not UTF-8") from None
        return Message(kind, payload)


def _unmask(mask: bytes, data: bytes) -> bytes:
    # One XOR of two large integers is the fastest way in pure Python.
    size = len(data)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(data, "little") ^ key).to_bytes(size, "little")
