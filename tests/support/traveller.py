"""A viewer of one terminal that reconnects after each loss of its connection, and accounts for every byte."""

import hashlib
import random
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from websocket import WebSocketException

from . import mill
from .channel import Client
from .lab import Lab

WINDOW = 60_000
SILENCE = 2.0
"""Seconds of silence, while data is due, after which a connection counts as dead."""


class Traveller:
    """`port`: of the server, or of a proxy in front of it. `reconnects`: how often it has reconnected. `travel` checks
    all output and input at its end."""

    def __init__(self, lab: Lab, repl_id: str, port: int) -> None:
        self._lab, self._repl, self._port = lab, repl_id, port
        self._viewer = secrets.token_hex(8)
        self._terminal: int | None = None
        self._client: Client | None = None
        self._input = b""
        self.output = bytearray()
        self.reconnects = -1
        shutil.copy(mill.__file__, lab.project(repl_id) / "mill.py")

    def travel(self, total: int, wanted: int, happening: Callable[[int], None], seconds: float = 60.0) -> None:
        """Run the mill for `total` bytes of output and `wanted` of input. Raises AssertionError unless each byte
        arrived exactly once. Calls `happening` with the number of output bytes so far, again and again."""
        seed = random.randrange(1 << 30)
        command = f"stty -echo; PS1=; exec {self._lab.interpreter} mill.py {total} {seed} {wanted}\n".encode()
        self._input = command + b"".join(mill.stream(wanted, seed + 1))
        until = time.monotonic() + seconds
        typable = len(command)
        heard = time.monotonic()
        end = -1
        while end < 0 or len(self.output) < end:
            assert time.monotonic() < until, f"{len(self.output)} bytes after {seconds} s, {self.reconnects} reconnects"
            try:
                client = self._client or self._connect()
                self._type(client, typable)
                before = len(self.output), client.acked.get(self._number, 0)
                client.pump(0.25)
                self.output = client.output[self._number]
                if (len(self.output), client.acked.get(self._number, 0)) != before:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE:
                    raise ConnectionError("silence")
            except (OSError, WebSocketException) as error:
                self._leave(error)
                heard = time.monotonic()
                continue
            if end < 0 and (start := self.output.find(mill.BEGIN)) >= 0:
                end = start + len(mill.BEGIN) + total + 64
                typable = len(self._input)
            happening(len(self.output))
        self._check(end - total - 64, total, seed)

    def close(self) -> None:
        """Close the terminal, on a direct connection to the server."""
        if self._client is not None:
            self._client.drop()
        client = Client(self._lab, self._repl)
        client.request("closeTerminal", terminal=self._number)
        client.close()

    def resize(self, rows: int, cols: int) -> None:
        """Resize the terminal, if it is connected now."""
        message = {"event": "resizeTerminal", "data": {"terminal": self._number, "rows": rows, "cols": cols}}
        if self._client is not None:
            with suppress(OSError):  # the connection may be lost without our knowledge
                self._client.send(message)

    @property
    def _number(self) -> int:
        assert self._terminal is not None
        return self._terminal

    def _connect(self) -> Client:
        client = Client(self._lab, self._repl, port=self._port, timeout=SILENCE)
        known = {} if self._terminal is None else {"terminal": self._terminal, "from": self._end}
        if self._terminal is not None:
            client.output[self._terminal] = self.output
            client.next[self._terminal] = self._end
        self._terminal = client.terminal(viewer=self._viewer, **known)
        if not known:
            self._origin = client.next[self._terminal]
        client.acked[self._terminal] = client.typed[self._terminal]
        self._client = client
        self.reconnects += 1
        return client

    @property
    def _end(self) -> int:
        return self._origin + len(self.output)

    def _type(self, client: Client, typable: int) -> None:
        """Type as much as the credit allows."""
        typed = client.typed[self._number]
        room = WINDOW - (typed - client.acked.get(self._number, 0))
        piece = self._input[typed : min(typable, typed + min(room, 16_000))]
        if piece:
            client.type(self._number, piece)

    def _leave(self, error: BaseException) -> None:
        if self._client is not None:
            assert not self._client.gaps, error
            self._client.drop()
            self._client = None
        time.sleep(0.02)

    def _check(self, start: int, total: int, seed: int) -> None:
        # The connection may have been lost with the last byte.
        assert self._client is None or not self._client.gaps
        wanted = b"".join(mill.stream(total, seed))
        if self.output[start : start + total] != wanted:
            pairs = enumerate(zip(self.output[start:], wanted, strict=False))
            raise AssertionError(f"wrong from byte {next(index for index, (a, b) in pairs if a != b)} on")
        read = self._input[self._input.index(b"\n") + 1 :]
        assert bytes(self.output[start + total :]) == hashlib.sha256(read).hexdigest().encode(), "input"
