"""Where the time of the tests goes: seconds by the clock and seconds of CPU, by test, module and folder.

`make times` runs everything in one process, one test after the other, on a machine that does nothing else: what the
machine's processors do meanwhile is the test's, also in servers, browsers and pods. It prints the tables of
CONTRIBUTING and writes `times.json`, by which `scheduling` orders the modules.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .scheduling import TIMES

SLOWEST = 20
Record = tuple[str, float, float]
"""The id of a test, its seconds by the clock and of CPU, with what sets it up and takes it down."""


@contextmanager
def measured(test: str, place: Path) -> Iterator[None]:
    """Append a record of what happens meanwhile."""
    begun, before = time.monotonic(), _busy()
    yield
    with open(place, "a") as file:
        file.write(json.dumps([test, time.monotonic() - begun, _busy() - before]) + "\n")


def _busy() -> float:
    """Seconds that this machine's processors have worked so far."""
    user, nice, system, _idle, _waiting, *more = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + sum(more[:2])) / os.sysconf("SC_CLK_TCK")


def read(place: Path) -> list[Record]:
    return [tuple(json.loads(line)) for line in place.read_text().splitlines()]


def by(records: list[Record], depth: int) -> dict[str, tuple[int, float, float]]:
    """Count, seconds and seconds of CPU by the first `depth` parts of the paths below tests/."""
    sums: dict[str, tuple[int, float, float]] = defaultdict(lambda: (0, 0.0, 0.0))
    for test, seconds, cpu in records:
        name = "/".join(test.partition("::")[0].split("/")[1:][:depth])
        count, all_seconds, all_cpu = sums[name]
        sums[name] = (count + 1, all_seconds + seconds, all_cpu + cpu)
    return dict(sorted(sums.items(), key=lambda item: -item[1][1]))


def tables(records: list[Record]) -> str:
    lines = ["| folder | tests | waiting, s | CPU, s |", "|---|--:|--:|--:|"]
    folders = {**by(records, 1), "all": (len(records), sum(r[1] for r in records), sum(r[2] for r in records))}
    for name, (count, seconds, cpu) in folders.items():
        lines.append(f"| {name} | {count} | {max(0.0, seconds - cpu):.0f} | {cpu:.0f} |")
    lines += ["", "| the slowest | s | CPU, s |", "|---|--:|--:|"]
    for test, seconds, cpu in sorted(records, key=lambda record: -record[1])[:SLOWEST]:
        lines.append(f"| {test.removeprefix('tests/').replace('::', ' ')} | {seconds:.0f} | {cpu:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    modules = {name: {"seconds": round(row[1], 1), "cpu": round(row[2], 1)} for name, row in by(found, 9).items()}
    kept = {name: row for name, row in json.loads(TIMES.read_text()).items() if (TIMES.parent / name).exists()}
    TIMES.write_text(json.dumps(dict(sorted({**kept, **modules}.items())), indent=1) + "\n")
    print(tables(found))
