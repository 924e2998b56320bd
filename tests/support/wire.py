"""A WebSocket client on a plain socket for measurements: it costs little and counts the bytes on the wire."""

import base64
import os
import socket
import struct
from collections.abc import Mapping

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Wire:
    """A blocking client. `received` counts all bytes since the handshake."""

    def __init__(
        self, connection: socket.socket, path: str, subprotocol: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Takes over `connection`. Raises ConnectionError if the server refuses the WebSocket."""
        self.socket = connection
        self.received = 0
        self._buffer = bytearray()
        wanted = {
            "Host": "127.0.0.1",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **({"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {}),
            **(headers or {}),
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in wanted.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))
        self._buffer = bytearray(rest)
        self.received = len(rest)

    def send(self, payload: bytes, kind: int = BINARY) -> None:
        # A client must mask its frames. A mask of zeros costs us nothing, and the server as much as any other.
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB4x", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH4x", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ4x", 0x80 | kind, 0x80 | 127, size)
        self.socket.sendall(head + payload)

    def receive(self) -> tuple[int, bytes]:
        """Returns kind and payload of the next whole message. Raises ConnectionError at the end of the connection, and
        TimeoutError."""
        whole, first = b"", 0
        while True:
            final, kind, payload = self._frame()
            if kind == PING:
                self.send(payload, PONG)
            elif kind == CLOSE:
                raise ConnectionError(f"closed: {payload!r}")
            elif kind != PONG:
                whole, first = whole + payload if whole else payload, first or kind
                if final:
                    return first, whole

    def close(self) -> None:
        self.socket.close()

    def _frame(self) -> tuple[bool, int, bytes]:
        head = self._take(2)
        size = head[1] & 127
        if size == 126:
            size = int.from_bytes(self._take(2), "big")
        elif size == 127:
            size = int.from_bytes(self._take(8), "big")
        return bool(head[0] & 128), head[0] & 15, self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self) -> None:
        data = self.socket.recv(1 << 17)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.received += len(data)
        self._buffer += data
