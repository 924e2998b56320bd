"""What others do to the echo of a terminal, through the extension: the slowest of a hundred keys.

Processes that have nothing to do with us compete for the cores as well; so many of them are the measure of the machine.
"""

import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.channel import Client
from support.disturbances import ALL, echoes, going_on, quiet
from support.lab import Lab

from .table import Row

REPEATS = 5
KEYS = 400
MOST = 6.0
"""Milliseconds that others may add."""
WHAT = {
    "flood": "`yes` in another terminal",
    "deaf": "Input for a program that does not read it",
    "exits": "Shells that end, one after another",
    "paste": "2 MB pasted, again and again",
    "upload": "Uploads of 30 MB",
}
BUSY = 3
"""An upload keeps its client, the server and the runner busy."""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder)).start()
        try:
            lab.make("abc")
            return _compare(lab)
        finally:
            lab.stop()


def _compare(lab: Lab) -> list[Row]:
    client = Client(lab, "abc")
    terminal = quiet(client)
    alone: list[float] = []
    machine: list[float] = []
    added: dict[str, list[float]] = {action.__name__: [] for action in ALL}
    for _ in range(REPEATS):
        alone.append(_slowest(client, terminal))
        with _busy():
            machine.append(max(0.0, _slowest(client, terminal) - alone[-1]))
        for action in ALL:
            with going_on(action, lab):
                added[action.__name__].append(max(0.0, _slowest(client, terminal) - alone[-1]))
    client.close()
    rows = [Row(f"{WHAT[name]} adds", "ms", values, MOST) for name, values in added.items()]
    return [
        Row("Key to echo with nothing else, 99th percentile", "ms", alone),
        Row(f"{BUSY} processes that have nothing to do with it add", "ms", machine),
        *rows,
    ]


@contextmanager
def _busy() -> Iterator[None]:
    processes = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(BUSY)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _slowest(client: Client, terminal: int) -> float:
    return statistics.quantiles(echoes(client, terminal, KEYS), n=100)[-1]
