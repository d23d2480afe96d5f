"""Results as lines for the terminal, as JSON to keep, and as a table for docs/benchmarks.md."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks.scenarios import Result
from tests.support.marked_part import MarkedPart

PART = MarkedPart(
    begin="<!-- what it costs: made by python -m benchmarks -->",
    end="<!-- end of what it costs -->",
)

HEADINGS = ("what", "on", "seconds", "of the floor", "rows/s", "peak MB", "calls", "round trips")


def cells(result: Result) -> tuple[str, ...]:
    """A result under the HEADINGS; "" where nobody counts."""
    seen = result.measured
    return (
        result.name,
        result.database,
        f"{seen.wall_s:.2f}",
        f"{result.ratio:.1f} x {result.floor_s:.2f} s" if result.ratio else "",
        f"{result.rows / seen.wall_s:,.0f}" if result.rows else "",
        f"{seen.peak_mb:.0f}",
        "" if seen.calls is None else str(seen.calls),
        "" if seen.round_trips is None else str(seen.round_trips),
    )


def line(texts: Sequence[str]) -> str:
    """A row of the table on the terminal."""
    what, database, *numbers = texts
    return f"{what:34} {database:8}" + "".join(f" {text:>13}" for text in numbers)


def document(result: Result) -> str:
    """A result as JSON on one line."""
    return json.dumps({**asdict(result), "ratio": result.ratio})


def markdown(results: Sequence[Result], rounds: int) -> str:
    """The table, and what it was measured with."""
    rows = [HEADINGS, ("---", "---", *["---:"] * (len(HEADINGS) - 2)), *map(cells, results)]
    runs = f"medians of {rounds} runs" if rounds > 1 else "one run of each"
    return "\n".join((*(f"| {' | '.join(row)} |" for row in rows), "", f"{os.cpu_count()} cores, {runs}."))
