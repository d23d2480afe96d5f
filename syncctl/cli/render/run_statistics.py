"""Renders `history --stats`: a line per figure, or JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from syncctl.cli.render.history import step_word
from syncctl.cli.render.printer import console, plain_table, print_line, print_result
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import redacted
from syncctl.services.checks.run_statistics import TARGET_S, TARGET_SUCCESS, statistics_document
from syncctl.text import duration, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from syncctl.cli.render.clock import Clock
    from syncctl.services.checks.run_statistics import RunStatistics

Moment = Callable[["datetime"], str]


def render_statistics(
    found: RunStatistics, redact: Callable[[str], str], clock: Clock, *, as_json: bool
) -> None:
    """Render them; `redact` removes secrets and phone numbers."""
    if as_json:
        print_result(redacted(statistics_document(found), redact))
        return
    if not sys.stdout.isatty():
        for label, text in _figures(found, instant, str):
            print_line(f"{label}\t{printable(redact(text))}")
        return
    from rich.text import Text

    table = plain_table(show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _figures(found, clock.moment, "{:,}".format):
        table.add_row(label, Text(printable(redact(text))))
    console().print(table)


def _figures(found: RunStatistics, moment: Moment, number: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Title and figure of each row."""
    days = quantity(found.days, "day")
    yield "runs", f"{number(found.runs)} of `syncctl api` in {days}, since {moment(found.since)}"
    if not found.runs:
        return
    met = "met" if found.succeeded >= TARGET_SUCCESS * found.runs else "missed"
    target = f"the target of {TARGET_SUCCESS:.0%} is {met}"
    yield "succeeded", f"{number(found.succeeded)}, {_share(found.succeeded, found.runs)}: {target}"
    yield f"within {TARGET_S} s", f"{number(found.within_target)}, {_share(found.within_target, found.runs)}"
    shares = ((50, found.p50_s), (95, found.p95_s), (99, found.p99_s))
    yield (
        "duration",
        ", ".join(f"p{share} {seconds:.1f} s" for share, seconds in shares if seconds is not None),
    )
    if gap := found.longest_gap:
        end = f"to {moment(gap.end)}" if gap.end else "until now"
        yield "longest gap", f"{duration(found.longest_gap_s)}: {moment(gap.begin)} {end}"
    if worst := found.worst:
        place = " ".join(filter(None, (step_word(worst.report), "of location", worst.location, worst.store)))
        yield "worst location", f"{place}: failed in {quantity(worst.failed, 'run')}, last: {worst.error}"
    else:
        yield "worst location", "none failed"
    rows, saved = _average(found.rows_per_day), _average(found.saved_per_day)
    yield "rows a day", f"{number(rows)} came in, {number(saved)} new leads were added, on average"


def _share(part: int, whole: int) -> str:
    """In percent, rounded down: 100.0% is all of them."""
    return f"{math.floor(part * 1000 / whole) / 10}%"


def _average(per_day: Mapping[str, int]) -> int:
    return round(sum(per_day.values()) / len(per_day))
