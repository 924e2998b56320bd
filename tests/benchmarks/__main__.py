"""`make bench ARGS="Start Tab"`: measure beside the peers and write docs/benchmarks.md."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from . import cluster, fairness, saving, start, store, tab, terminal, weight
from .table import render

VERSIONS = ("jupyterlab", "jupyter_server", "jupyter_server_terminals", "terminado", "tornado", "uvloop")
PARTS = {
    "Start": start,
    "Tab": tab,
    "Terminal": terminal,
    "Fairness": fairness,
    "Saving": saving,
    "Store": store,
    "Cluster": cluster,
    "Weight": weight,
}
PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"


def machine() -> str:
    kind = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as cpus:
        kind = next((line.split(":")[1].strip() for line in cpus if line.startswith("model name")), kind)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    software = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({kind}), {memory:.0f} GiB, {software}"


def main(chosen: list[str]) -> None:
    """Measure the parts that are named, or all; what was measured before stays on the page."""
    sections = dict(part.split("\n", 1) for part in PAGE.read_text().split("\n## ")[1:])
    when = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. {', '.join(f'{name} {version(name)}' for name in VERSIONS)}."
    for name in chosen or PARTS:
        sections[name] = "\n".join(["", when, "", *render(PARTS[name].measure())]) + "\n"
        print(f"## {name}\n{sections[name]}")
    head = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Medians of interleaved repeats; the range is from the fastest to the slowest.",
        "The machine is shared and noisy: compare rows of one table, not tables of two days.",
        "",
    ]
    PAGE.write_text("\n".join([*head, *(f"## {name}\n{sections[name]}" for name in PARTS if name in sections)]))


if __name__ == "__main__":
    main(sys.argv[1:])
