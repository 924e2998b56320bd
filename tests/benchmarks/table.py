"""A table of measurements."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`values` in `unit`; `target` is the most that the median may be, None for a peer."""

    what: str
    unit: str
    values: Sequence[float]
    target: float | None = None


def render(rows: list[Row]) -> list[str]:
    lines = ["| what | median | range | target |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        median, low, high = statistics.median(row.values), min(row.values), max(row.values)
        if row.target is None:
            judged = "peer"
        else:
            holds = "holds" if median <= row.target else "**does not hold**"
            judged = f"≤ {_number(row.target, row.unit)}: {holds}"
        lines.append(f"| {row.what} | {_number(median, row.unit)} | {low:.3g} to {high:.3g} | {judged} |")
    return lines


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}".rstrip()
