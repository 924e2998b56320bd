"""Measures the tests: seconds by the clock and seconds of CPU, by test, module and folder.

`make times` runs everything as `make test` does. The CPU of a test is that of its worker and of all processes below it,
such as servers and browsers. Pods and the node are not children of a test: their CPU is that of the whole machine minus
the sum of all tests. This prints the tables of CONTRIBUTING and writes `times.json`, by which `scheduling` orders the
modules.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from .scheduling import TIMES

SLOWEST = 20
WHOLE = "the whole run"
Record = tuple[str, float, float]
"""The id of a test, its seconds by the clock, and its seconds of CPU. Both include its fixtures."""


@contextmanager
def measured(test: str, place: Path) -> Iterator[None]:
    """Measure the block and append a record of it."""
    begun, before = time.monotonic(), _used()
    yield
    record(place, test, time.monotonic() - begun, _used() - before)


def record(place: Path, test: str, seconds: float, cpu: float) -> None:
    with open(place, "a") as file:
        file.write(json.dumps([test, seconds, cpu]) + "\n")


def busy() -> float:
    """Returns the seconds that this machine's processors have been busy since its boot."""
    user, nice, system, _idle, _waiting, *more = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + sum(more[:2])) / os.sysconf("SC_CLK_TCK")


def _used() -> float:
    """Returns the seconds of CPU that this process and all processes below it have used, including those that have
    ended."""
    this = psutil.Process()
    used = 0.0
    for process in [this, *this.children(recursive=True)]:
        with suppress(psutil.Error):
            used += sum(process.cpu_times()[:4])
    return used


def read(place: Path) -> list[Record]:
    return [tuple(json.loads(line)) for line in place.read_text().splitlines()]


def by(records: list[Record], depth: int) -> dict[str, tuple[int, float, float]]:
    """Returns count, seconds and seconds of CPU of the tests, summed by the first `depth` parts of their paths below
    tests/."""
    sums: dict[str, tuple[int, float, float]] = defaultdict(lambda: (0, 0.0, 0.0))
    for test, seconds, cpu in records:
        name = "/".join(test.partition("::")[0].split("/")[1:][:depth])
        count, all_seconds, all_cpu = sums[name]
        sums[name] = (count + 1, all_seconds + seconds, all_cpu + cpu)
    return dict(sorted(sums.items(), key=lambda item: -item[1][1]))


def tables(records: list[Record]) -> str:
    (_, seconds, cpu), *records = sorted(records, key=lambda record: record[0] != WHOLE)
    lines = [f"{seconds:.0f} s by the clock, {cpu:.0f} s of CPU", ""]
    lines += ["| folder | tests | waiting, s | CPU, s |", "|---|--:|--:|--:|"]
    rest = cpu - sum(record[2] for record in records)
    for name, (count, seconds, cpu) in {**by(records, 1), "pods and the node": (0, rest, rest)}.items():
        lines.append(f"| {name} | {count} | {max(0.0, seconds - cpu):.0f} | {cpu:.0f} |")
    lines += ["", "| the slowest | s | CPU, s |", "|---|--:|--:|"]
    for test, seconds, cpu in sorted(records, key=lambda record: -record[1])[:SLOWEST]:
        lines.append(f"| {test.removeprefix('tests/').replace('::', ' ')} | {seconds:.0f} | {cpu:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    tests = [record for record in found if record[0] != WHOLE]
    modules = {name: {"seconds": round(row[1], 1), "cpu": round(row[2], 1)} for name, row in by(tests, 9).items()}
    kept = {name: row for name, row in json.loads(TIMES.read_text()).items() if (TIMES.parent / name).exists()}
    TIMES.write_text(json.dumps(dict(sorted({**kept, **modules}.items())), indent=1) + "\n")
    print(tables(found))
