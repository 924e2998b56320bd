"""`make bench`: measure beside the peers and write docs/benchmarks.md. Medians of interleaved repeats."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from . import start, tab, weight
from .table import render

VERSIONS = ("jupyterlab", "jupyter_server", "jupyter_server_terminals", "terminado", "tornado")
PARTS = {"Start": start, "Tab": tab, "Weight": weight}
PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"


def machine() -> str:
    kind = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as cpus:
        kind = next((line.split(":")[1].strip() for line in cpus if line.startswith("model name")), kind)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    software = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({kind}), {memory:.0f} GiB, {software}"


def main() -> None:
    parts = {name: part.measure() for name, part in PARTS.items()}
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Medians of interleaved repeats; the range is from the fastest to the slowest.",
        "The machine is shared and noisy: compare rows of one table, not tables of two days.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. {versions}.",
    ]
    for title, rows in parts.items():
        lines += ["", f"## {title}", "", *render(rows)]
    PAGE.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
