"""Results as lines for the terminal, as JSON to keep, and as a table for docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.scenarios import Result
from tests.support.marked_part import MarkedPart

PART = MarkedPart(
    begin="<!-- what it costs: made by python -m benchmarks -->",
    end="<!-- end of what it costs -->",
)

HEADINGS = (
    *("what", "on", "x the floor", "seconds", "floor's", "rows/s", "peak MB", "calls", "round trips"),
    "goals",
)
WIDTHS = (35, 8, 11, 8, 8, 8, 8, 6, 11)


def cells(result: Result) -> tuple[str, ...]:
    """A result under the HEADINGS; "" where nobody counts."""
    seen = result.measured
    return (
        result.name,
        result.database,
        "" if result.ratio is None else f"{result.ratio:.1f}",
        f"{seen.wall_s:.2f}",
        "" if result.floor_s is None else f"{result.floor_s:.2f}",
        f"{result.rows / seen.wall_s:,.0f}" if result.rows else "",
        f"{seen.peak_mb:.0f}",
        "" if seen.calls is None else str(seen.calls),
        "" if seen.round_trips is None else str(seen.round_trips),
        result.verdicts,
    )


def line(texts: Sequence[str], widths: Sequence[int] = WIDTHS) -> str:
    """A row of the table on the terminal: two columns of words, numbers, and words again."""
    *columns, last = texts
    padded = [
        f"{text:{width}}" if number < 2 else f"{text:>{width}}"
        for number, (text, width) in enumerate(zip(columns, widths, strict=True))
    ]
    return " ".join((*padded, "", last)).rstrip()


def document(result: Result) -> str:
    """A result as JSON on one line."""
    return json.dumps({**asdict(result), "ratio": result.ratio, "verdicts": result.verdicts})


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]], below: str, words: int = 2) -> str:
    """A table in Markdown with a line of text below it. Left-aligned are the first columns, as many as
    `words`, and that of the goals."""
    marks = [
        "---" if number < words or heading == "goals" else "---:" for number, heading in enumerate(headings)
    ]
    return "\n".join((*(f"| {' | '.join(row)} |" for row in (headings, marks, *rows)), "", below))


def machine(rounds: int, exception: str = "") -> str:
    """What it was measured with. `exception`: what was measured otherwise."""
    runs = f"medians of {rounds} runs{exception}" if rounds > 1 else "one run of each"
    busy = os.getloadavg()[0]
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"{os.cpu_count()} cores ({_processor()}), {system}, "
        f"Python {platform.python_version()}; {runs}; the load average was {busy:.1f} at the end."
    )


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    described = file.exists() and re.search(r"^model name\s*: (.+)$", file.read_text(encoding="utf-8"), re.M)
    return described[1] if described else platform.machine()
