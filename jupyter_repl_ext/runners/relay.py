"""Relays the bytes of a channel between a browser and a runner, after their handshake.

Frames are not parsed: the runner unmasks the browser's frames itself, and sends its own unmasked. Only the ends of the
runner's frames are followed, so that the server can end a channel with a close frame. Each direction reads the next
bytes only when the receiver has taken the last ones, so a relay never holds more than that.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tornado.iostream import IOStream, StreamClosedError

from jupyter_repl_runner import tasks

from .boundaries import Boundaries

CHUNK_BYTES = 1 << 16
PONG_BYTES = 6
PAUSE_SECONDS = 120.0
"""How long a receiver may take nothing at all. Credit keeps a well-behaved receiver far below that; the runner
disconnects a silent client."""
END_SECONDS = 3.0
"""How long an ending relay waits for the rest of a frame, and for the browser to close after the close frame."""
CLOSE_RESTART = 1012
"""The server restarts: come back at once."""


class Relay:
    """Joins two connections until one of them ends, or `end` is called; then both are closed.

    `touch` is called when the browser sends something that a person did: an open tab alone is not use.
    """

    def __init__(self, browser: IOStream, runner: IOStream, touch: Callable[[], None]) -> None:
        self._browser = browser
        self._runner = runner
        self._touch = touch
        self._frames = Boundaries()
        self._asked = asyncio.Event()
        self._close = b""
        self._is_closed = False

    def end(self, code: int, reason: str) -> None:
        """End the channel with this code, after the frame that is on its way to the browser. Idempotent."""
        if not self._asked.is_set():
            payload = code.to_bytes(2, "big") + reason.encode()[:120]
            self._close = bytes([0x88, len(payload)]) + payload
            self._asked.set()

    async def run(self) -> None:
        to_runner = tasks.awaited(self._to_runner(), "relay to the runner")
        to_browser = tasks.awaited(self._to_browser(), "relay to the browser")
        ending = tasks.awaited(self._end(to_runner), "end of a relay")
        try:
            await asyncio.wait({to_runner, to_browser}, return_when=asyncio.FIRST_COMPLETED)
            if self._is_closed:
                await asyncio.wait({ending})  # it has a limit of its own
        finally:
            self._browser.close()
            self._runner.close()
            await tasks.stop(to_runner, to_browser, ending)

    async def _to_runner(self) -> None:
        try:
            while True:
                data = await self._browser.read_bytes(CHUNK_BYTES, partial=True)
                if not _is_pong(data):
                    self._touch()
                await _write(self._runner, data)
        except (StreamClosedError, TimeoutError):
            return

    async def _to_browser(self) -> None:
        try:
            while await self._pass_on(await self._runner.read_bytes(CHUNK_BYTES, partial=True)):
                pass
        except (StreamClosedError, TimeoutError):
            return

    async def _pass_on(self, data: bytes) -> bool:
        """Returns False once the close frame is sent."""
        if self._is_closed:
            return False
        taken = self._frames.feed(data, first_only=self._asked.is_set())
        await _write(self._browser, data[:taken] if taken < len(data) else data)
        if self._asked.is_set() and self._frames.is_between:
            await self._say_close()
        return not self._is_closed

    async def _end(self, to_runner: "asyncio.Task[None]") -> None:
        """Ends the relay once that is asked for. The browser answers a close frame by closing. Neither a runner that
        stops within a frame nor a browser that reads nothing is waited for longer than END_SECONDS."""
        await self._asked.wait()
        with suppress(StreamClosedError, TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                if self._frames.is_between:
                    await self._say_close()
                await asyncio.wait({to_runner})
        self._browser.close()
        self._runner.close()

    async def _say_close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            await _write(self._browser, self._close)


async def _write(target: IOStream, data: bytes) -> None:
    written = target.write(data)
    if not written.done():
        async with asyncio.timeout(PAUSE_SECONDS):
            await written


def _is_pong(data: bytes) -> bool:
    """Returns True for a browser's answer to the runner's ping alone: a final frame without a payload, masked."""
    return len(data) == PONG_BYTES and data[0] == 0x8A
