"""What one turn of the event loop reads of a PTY."""

import os
import time

from .pty import Pty

TICK_BYTES = 1 << 16
"""The most of one turn."""
FEW_BYTES = 1 << 10
"""Less than this was all there is: another read would only say so."""
FLOOD_BYTES = 8 << 10
"""So much in a turn, and more will come."""


def read_turn(pty: Pty, until: float) -> tuple[bytes, bool]:
    """What there is, at most TICK_BYTES, and no longer than `until` by the monotonic clock; and whether it was the
    last."""
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
            os.sched_yield()  # more is being written: the larger a frame, the less is spent on each byte
    return pieces[0] if len(pieces) == 1 else b"".join(pieces), piece == b""
