"""Reports a store that does not answer long before a request times out."""

import asyncio
import time
from collections.abc import Callable

from .status import Status

SILENCE_SECONDS = 4.0
"""After so long without an answer the marks say that the store is away."""
SLOWEST = 500_000
"""Bytes a second of a line on which a large file is still on its way, and not stuck."""


async def tell_silence(status: Status, heard: Callable[[], float]) -> None:
    """Return once that is reported. An upload may take its time. `heard`: when the store has answered last, by the
    monotonic clock."""
    begun = time.monotonic()
    while True:
        patience = SILENCE_SECONDS + status.sending / SLOWEST
        left = max(begun, heard()) + patience - time.monotonic()
        if left <= 0:
            break
        await asyncio.sleep(min(left, SILENCE_SECONDS))
    status.tell("away", "S3 does not answer.", "It is asked again and again.")
