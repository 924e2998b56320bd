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
            judged = f"≤ {row.target:g} {row.unit}: " + ("holds" if median <= row.target else "**does not hold**")
        lines.append(f"| {row.what} | {median:.3g} {row.unit} | {low:.3g} to {high:.3g} | {judged} |")
    return lines
