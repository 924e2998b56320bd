"""The bytes of a channel between a browser and a runner, after their handshake.

Neither side's frames are taken apart: what a browser masked a runner may read, and the other way nothing is masked.
Each direction reads on when the other side has taken what was read before, so a relay never holds more than that.
"""

import asyncio
from collections.abc import Callable

from tornado.iostream import IOStream, StreamClosedError

from jupyter_repl_runner import tasks

CHUNK_BYTES = 1 << 16
PONG_BYTES = 6
PAUSE_SECONDS = 120.0
"""For which a side may take nothing at all. Credit keeps honest ends far from that; the runner ends a silent client."""


async def relay(browser: IOStream, runner: IOStream, touch: Callable[[], None]) -> None:
    """Until one of them ends; then both are closed. `touch` is called when the browser sends something of a person: an
    open tab alone is no use."""
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
    """Whether it is just a browser's answer to the runner's ping: a final frame without a payload, masked."""
    return len(data) == PONG_BYTES and data[0] == 0x8A
