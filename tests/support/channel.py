"""A blocking client of the channel for tests, written from docs/protocol.md."""

import json
import struct
import time
from typing import Any, ClassVar

import websocket

from .lab import TOKEN, Lab

OUTPUT, INPUT, ACK, INTERRUPT = 1, 2, 3, 4


class Closed(ConnectionError):
    """The server has closed the channel with this code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the server has closed the channel ({code})")


class Client:
    """Connected to a REPL's channel through the extension. It acknowledges terminal output as it arrives."""

    opened: ClassVar[list["Client"]] = []
    """All clients that were created; a fixture closes them after each test."""

    def __init__(
        self, lab: Lab, repl_id: str, port: int = 0, timeout: float = 20.0, owner: str = "", **headers: str
    ) -> None:
        """`port`: of a proxy before the server. `timeout`: seconds that a reply may take. `owner`: the owner whom an
        administrator visits."""
        self.timeout = timeout
        self.events: list[dict[str, Any]] = []
        self.output: dict[int, bytearray] = {}
        self.acked: dict[int, int] = {}
        self.next: dict[int, int] = {}
        self.gaps = 0
        self.may_repeat = False
        self.silent: set[int] = set()
        """Terminals whose output is not acknowledged."""
        self.typed: dict[int, int] = {}
        self._id = 0
        url = lab.url.replace("http", "ws", 1)
        url = url.replace(f":{lab.port}", f":{port}") if port else url
        visited = f"owner/{owner}/" if owner else ""
        self._ws = websocket.create_connection(
            f"{url}/repl/{visited}project/{repl_id}/channel",
            sslopt={"ca_certs": lab.certificate},
            subprotocols=["jupyter-repl.v1"],
            header={"Authorization": f"token {TOKEN}", **headers},
            timeout=timeout,
            skip_utf8_validation=True,  # in Python it takes longer than everything else; json.loads validates too
        )
        self.opened.append(self)
        self.loaded = self.wait_event("loaded")

    def close(self) -> None:
        self._ws.close()
        self._ws.shutdown()  # if the server has closed the connection, close() leaves the socket open

    def drop(self) -> None:
        """Cut the connection without a close frame."""
        if self._ws.sock is not None:
            self._ws.sock.close()

    def send(self, message: Any) -> None:
        self._ws.send(message if isinstance(message, str) else json.dumps(message))

    def send_frame(self, kind: int, terminal: int, offset: int, payload: bytes = b"") -> None:
        self._ws.send_binary(struct.pack(">BIQ", kind, terminal, offset) + payload)

    def request(self, event: str, **data: Any) -> dict[str, Any]:
        """Returns the reply's data. Raises RuntimeError with the code and message of an error."""
        reply = self.ask(event, **data)
        if "error" in reply:
            raise RuntimeError(f"{reply['error']['code']}: {reply['error']['message']}")
        return dict(reply["data"])

    def error(self, event: str, **data: Any) -> dict[str, str]:
        """Returns the error of a request that must fail."""
        reply = self.ask(event, **data)
        assert "error" in reply, reply
        return dict(reply["error"])

    def ask(self, event: str, **data: Any) -> dict[str, Any]:
        self._id += 1
        self.send({"event": event, "data": data, "id": self._id})
        return self._until(lambda m: m["event"] == "reply" and m.get("id") == self._id, self.timeout)

    def wait_event(self, name: str, seconds: float = 10.0, **fields: Any) -> dict[str, Any]:
        """Returns the data of the next event with that name and these fields."""

        def matches(message: dict[str, Any]) -> bool:
            data = message.get("data") or {}
            return message["event"] == name and all(data.get(key) == value for key, value in fields.items())

        for message in self.events:
            if matches(message):
                self.events.remove(message)
                return dict(message["data"])
        return dict(self._until(matches, seconds)["data"])

    def terminal(self, **data: Any) -> int:
        """Open or attach to a terminal. Returns its number."""
        reply = self.request("requestTerminal", **{"rows": 24, "cols": 80, **data})
        number = int(reply["terminal"])
        self.output.setdefault(number, bytearray())
        self.next[number] = reply["offset"]
        self.typed[number] = reply["input"]
        return number

    def type(self, terminal: int, data: bytes) -> None:
        """Type as one viewer, and count its offset in `typed`."""
        self.send_frame(INPUT, terminal, self.typed[terminal], data)
        self.typed[terminal] += len(data)

    def interrupt(self, terminal: int) -> None:
        """Press Ctrl+C."""
        self.send_frame(INTERRUPT, terminal, self.typed[terminal])

    def read_until(self, terminal: int, wanted: bytes, seconds: float = 10.0) -> bytes:
        """Wait until the output holds `wanted`. Returns all output so far."""
        until, searched = time.monotonic() + seconds, 0
        while self.output[terminal].find(wanted, searched) < 0:
            searched = max(0, len(self.output[terminal]) - len(wanted))
            left = until - time.monotonic()
            assert left > 0, f"{wanted!r} did not come: {bytes(self.output[terminal][-500:])!r}"
            self.pump(left)
        return bytes(self.output[terminal])

    def wait_close(self, seconds: float = 10.0) -> int:
        """Read on until the server closes the channel, and return its code. A frame that is cut is an error."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self.pump(left)
            except Closed as closed:
                return closed.code
        raise AssertionError("the channel is still open")

    def pump(self, seconds: float) -> dict[str, Any] | None:
        """Handle one frame or message. Returns a message; None for a frame, or if nothing came."""
        self._ws.settimeout(seconds)
        try:
            opcode, data = self._ws.recv_data()
        except websocket.WebSocketTimeoutException:
            return None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"))
        if opcode == websocket.ABNF.OPCODE_TEXT:
            message: dict[str, Any] = json.loads(data)
            self.events.append(message)
            return message
        kind, terminal, offset = struct.unpack_from(">BIQ", data)
        payload = data[13:]
        if kind == OUTPUT:
            expected = self.next.get(terminal, 0)
            self.gaps += max(0, offset - expected)
            assert offset >= expected or self.may_repeat, "output was repeated"
            self.output.setdefault(terminal, bytearray()).extend(payload)
            self.next[terminal] = offset + len(payload)
            if terminal not in self.silent:
                self.send_frame(ACK, terminal, self.next[terminal])
        elif kind == ACK:
            self.acked[terminal] = offset
        return None

    def _until(self, matches: Any, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = self.pump(left)
            if message is not None and matches(message):
                self.events.remove(message)
                return message
        raise TimeoutError(f"nothing came in {seconds} s; events: {self.events[-5:]}")
