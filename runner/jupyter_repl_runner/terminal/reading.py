"""Reads as much of a PTY as one turn of the event loop may."""

import os
import time

from .pty import Pty

TICK_BYTES = 1 << 16
"""The most that one turn reads."""
FEW_BYTES = 1 << 10
"""If less than this was read, it was all: another read would find nothing."""
FLOOD_BYTES = 8 << 10
"""If a turn has read this much, more is expected soon."""


def read_turn(pty: Pty, until: float) -> tuple[bytes, bool]:
    """Read what there is: at most TICK_BYTES, and no longer than `until` by the monotonic clock. Returns the bytes, and
    True if the PTY is at its end."""
    pieces: list[bytes] = []
    size = 0
    while True:
        piece = pty.read()
        if piece:
            pieces.append(piece)
            size += len(piece)
        if piece == b"" or size < FEW_BYTES or size >= TICK_BYTES or time.monotonic() >= until:
            break
        if piece is None:
            if size < FLOOD_BYTES:
                break
            os.sched_yield()  # let the program write more: a larger frame costs less for each byte
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), piece == b""
