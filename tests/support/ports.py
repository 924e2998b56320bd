"""Ports for the servers of the tests. Each worker of pytest-xdist has a range of its own.

The kernel may hand out the same free port twice: to two workers that ask at the same moment, or to a client's
connection before the server that asked has bound it. The ranges lie below those from which the kernel chooses.
"""

import itertools
import os
import socket

FIRST, SIZE, WORKERS = 12_000, 1_200, 16

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_next = itertools.count(os.getpid() % SIZE)
"""Each process starts at another number, because connections of a run that has just ended may linger."""


def free_port() -> int:
    """Returns a port of this worker's range on which nothing listens. Raises OSError if there is none."""
    for _ in range(SIZE):
        port = FIRST + _worker * SIZE + next(_next) % SIZE
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"worker {_worker} has no free port left")
