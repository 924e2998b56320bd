"""Relays the bytes of a channel between a browser and a runner, after their handshake.

Frames are not parsed: the runner unmasks the browser's frames itself, and sends its own unmasked. Each direction reads
the next bytes only when the receiver has taken the last ones, so a relay never holds more than that.
"""

import asyncio
from collections.abc import Callable

from tornado.iostream import IOStream, StreamClosedError

from jupyter_repl_runner import tasks

CHUNK_BYTES = 1 << 16
PONG_BYTES = 6
PAUSE_SECONDS = 120.0
"""How long a receiver may take nothing at all. Credit keeps a well-behaved receiver far below that; the runner
disconnects a silent client."""


async def relay(browser: IOStream, runner: IOStream, touch: Callable[[], None]) -> None:
    """Relay until either connection closes, then close both. Calls `touch` when the browser sends more than a pong: an
    open tab alone is not use."""
    copies = [
        tasks.awaited(_copy(browser, runner, touch), "relay to the runner"),
        tasks.awaited(_copy(runner, browser, lambda: None), "relay to the browser"),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        browser.close()
        runner.close()
        await tasks.stop(*copies)


async def _copy(source: IOStream, target: IOStream, touch: Callable[[], None]) -> None:
    try:
        while True:
            data = await source.read_bytes(CHUNK_BYTES, partial=True)
            if not _is_pong(data):
                touch()
            written = target.write(data)
            if not written.done():
                async with asyncio.timeout(PAUSE_SECONDS):
                    await written
    except (StreamClosedError, TimeoutError):
        return


def _is_pong(data: bytes) -> bool:
    """Returns True for a browser's answer to the runner's ping: a final, masked frame without a payload."""
    return len(data) == PONG_BYTES and data[0] == 0x8A
