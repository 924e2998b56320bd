"""Ports for the servers of the tests. Each worker of pytest-xdist has a range of its own.

The kernel would hand out the same free port twice: to two workers that ask at the same moment, or to a client's
connection before the server that asked has bound it. The ranges lie below those of the kernel's own choice.
"""

import itertools
import os
import socket

FIRST, SIZE, WORKERS = 12_000, 1_200, 16

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_next = itertools.count(os.getpid() % SIZE)
"""Starts somewhere else in each process: a run that ended a moment ago may have left connections that linger."""


def free_port() -> int:
    """A port of this worker's range on which nothing listens; OSError if there is none."""
    for _ in range(SIZE):
        port = FIRST + _worker * SIZE + next(_next) % SIZE
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"worker {_worker} has no free port left")
