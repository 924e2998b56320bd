"""A program for a terminal: prints `total` random bytes made from `seed`, and reads `wanted` bytes meanwhile.

`python mill.py TOTAL SEED WANTED`. It prints BEGIN, the bytes, and the SHA-256 of the input in hex.
"""

import hashlib
import os
import random
import select
import sys
import tty
from collections.abc import Iterator

BEGIN = b"BEGIN"


def stream(total: int, seed: int) -> Iterator[bytes]:
    """Yield the output in pieces."""
    rng = random.Random(seed)
    while total:
        piece = rng.randbytes(min(total, rng.choice((1, 80, 4000, 30_000))))
        total -= len(piece)
        yield piece


def main(total: int, seed: int, wanted: int) -> None:
    tty.setraw(0)
    os.set_blocking(1, False)
    os.write(1, BEGIN)
    pieces, piece, read = stream(total, seed), memoryview(b""), hashlib.sha256()
    is_printing = True
    while is_printing or wanted:
        readable, writable, _ = select.select([0] if wanted else [], [1] if is_printing else [], [])
        if readable:
            data = os.read(0, min(wanted, 1 << 16))
            read.update(data)
            wanted -= len(data)
        if writable:
            piece = piece or memoryview(next(pieces, b""))
            is_printing = len(piece) > 0
            try:
                piece = piece[os.write(1, piece) :] if piece else piece
            except BlockingIOError:
                pass
    os.set_blocking(1, True)
    os.write(1, read.hexdigest().encode())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
