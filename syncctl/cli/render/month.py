"""Renders the month for head office: its figures on the screen, as JSON, or as one HTML page."""

from __future__ import annotations

import sys
from calendar import day_abbr
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result
from syncctl.domain.records import CorrectionOutcome
from syncctl.domain.run_documents import instant
from syncctl.domain.sources import LeadType
from syncctl.errors import UsageError
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phones
from syncctl.text import Number, grouped, quantity

if TYPE_CHECKING:
    from collections import Counter

    from syncctl.cli.render.clock import Clock
    from syncctl.cli.render.documents.checks import MonthDocument
    from syncctl.services.monthly.summary import MonthSummary, StoreMonth

Redact = Callable[[str], str]

_PAGE = Path(__file__).with_name("month.html")
_KINDS = {
    LeadType.BOOKING: "Bookings",
    LeadType.RETURN: "Returns",
    LeadType.GENERAL: "Walk-ins",
    LeadType.LOSS_OF_SALE: "Losses of sale",
    "justDial": "Just Dial",
}
"""People's words for lead types, in the order of the columns; others follow under their own name."""

_CORRECTIONS = {
    CorrectionOutcome.TAKEN: "taken over by the lead",
    CorrectionOutcome.LEFT: "left, as somebody had worked on the lead",
    CorrectionOutcome.NEW_LEAD: "a new lead, as nobody had been reached",
    CorrectionOutcome.FINISHED: "of a finished lead, which stays away",
    CorrectionOutcome.DELETED: "of a deleted lead, which stays away",
    CorrectionOutcome.SECOND_LEAD: "a second lead of one booking",
}
_CHART_WIDTH, _BARS_HEIGHT, _LABELS_HEIGHT = 720, 60, 16


def require_jinja() -> None:
    """Raises UsageError, which says what to install, where Jinja2 is missing."""
    try:
        import jinja2  # noqa: F401 - only whether it is there
    except ImportError:
        raise UsageError(
            "The page needs Jinja2, which is not installed.",
            hint=f"Install it with `{sys.executable} -m pip install Jinja2`, or leave --html out.",
        ) from None


def month_page(summary: MonthSummary, clock: Clock, redact: Redact) -> str:
    """The month as one HTML page, which needs nothing else. Needs Jinja2."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(_PAGE.read_text(encoding="utf-8"))
    return template.render(
        title=summary.month.title,
        made=clock.moment(summary.made_at),
        zone=clock.zone_name,
        unfinished=summary.month.next_first > summary.made_at.astimezone(clock.zone).date(),
        figures=list(_figures(summary)),
        kinds=[_kind(lead_type) for lead_type in _lead_types(summary)],
        charts=[_chart(summary, lead_type) for lead_type in _lead_types(summary)],
        days=[_day_row(day, counts, _lead_types(summary)) for day, counts in summary.by_day.items()],
        weeks=[_short(max(week, summary.month.first)) for week in summary.month.weeks],
        heat=list(_heat(summary)),
        stores=[_store_row(name, store, _lead_types(summary)) for name, store in summary.stores.items()],
        rejects=[
            {"store": store, "reason": reason, "rows": f"{rows:,}"}
            for (store, reason), rows in _rejects(summary, redact)
        ],
        weekdays=list(day_abbr),
        calendar=list(_calendar(summary, clock.now.astimezone(clock.zone).date())),
        changes=list(_changes(summary)),
    )


def print_month(summary: MonthSummary, clock: Clock, redact: Redact) -> None:
    """The figures, then the stores: a table on a terminal, tab-separated lines in a pipe."""
    lead_types = _lead_types(summary)
    titles = ("Store", *map(_kind, lead_types), "Finished", "First call")
    number: Number = grouped if sys.stdout.isatty() else str
    rows = [(name, *_store_cells(store, lead_types, number)) for name, store in summary.stores.items()]
    facts = (*_figures(summary, number), *_changes(summary, number))
    if not sys.stdout.isatty():
        for name, value in (("month", str(summary.month)), *facts):
            print_line(f"{name.lower()}\t{value}")
        for row in rows:
            print_line("\t".join(("store", *(printable(redact(cell)) for cell in row))))
        return
    out = console()
    out.print(f"[bold]Leads in {summary.month.title}[/bold]  [dim]{clock.moment(summary.made_at)}[/dim]\n")
    figures = plain_table(show_header=False)
    for name, value in facts:
        figures.add_row(name, value)
    out.print(figures)
    table = plain_table(header_style="dim")
    for title in titles:
        table.add_column(title, justify="left" if title == "Store" else "right")
    for row in rows:
        table.add_row(*(_plain(redact(cell)) for cell in row))
    if rows:
        out.print()
        out.print(table)


def print_month_document(summary: MonthSummary, redact: Redact) -> None:
    """The month as one JSON object."""
    document: MonthDocument = {
        "command": "report",
        "ok": True,
        "month": str(summary.month),
        "made_at": instant(summary.made_at),
        "leads": summary.leads,
        "by_type": dict(summary.by_type),
        "finished": summary.finished,
        "median_days_to_call": _rounded(summary.median_days_to_call),
        "by_day": {day.isoformat(): dict(counts) for day, counts in summary.by_day.items()},
        "stores": [
            {
                "store": name,
                "by_type": dict(store.by_type),
                "by_week": {week.isoformat(): count for week, count in sorted(store.by_week.items())},
                "finished": store.finished,
                "median_days_to_call": _rounded(store.median_days_to_call),
            }
            for name, store in summary.stores.items()
        ],
        "rejects": [
            {"store": store, "reason": reason, "rows": rows}
            for (store, reason), rows in _rejects(summary, redact)
        ],
        "runs": {
            day.isoformat(): {"succeeded": runs.succeeded, "failed": runs.failed}
            for day, runs in summary.runs.items()
        },
        "duplicates": {"sets": summary.duplicate_sets, "extra_copies": summary.extra_copies},
        "changed_at_source": summary.changed_at_source,
        "corrected_phones": {outcome.value: count for outcome, count in summary.corrections.items()},
    }
    print_result(document)


def _figures(summary: MonthSummary, number: Number = grouped) -> Iterator[tuple[str, str]]:
    yield "Leads", number(summary.leads)
    for lead_type in _lead_types(summary):
        yield _kind(lead_type), number(summary.by_type[lead_type])
    yield "Finished", _share(summary.finished, summary.leads)
    yield "First call", _days(summary.median_days_to_call)
    yield "Rejects", number(sum(summary.rejects.values()))


def _changes(summary: MonthSummary, number: Number = grouped) -> Iterator[tuple[str, str]]:
    copies = quantity(summary.extra_copies, "copy too many", "copies too many", number)
    sets = quantity(summary.duplicate_sets, "set", shown=number)
    yield "Duplicates", f"{sets}, {copies}" if summary.duplicate_sets else "none"
    changed = quantity(summary.changed_at_source, "time", shown=number)
    yield (
        "Bookings and returns changed in the rental system",
        changed if summary.changed_at_source else "never",
    )
    for outcome, count in summary.corrections.items():
        yield f"Corrected phone number: {_CORRECTIONS[outcome]}", number(count)


def _rejects(summary: MonthSummary, redact: Redact) -> Iterator[tuple[tuple[str, str], int]]:
    """By store and reason, numbers masked."""
    for (store, reason), rows in summary.rejects.items():
        yield (store, mask_phones(redact(reason), mistyped=True)), rows


def _lead_types(summary: MonthSummary) -> list[str]:
    """Those that the month has, in the order of the columns."""
    order = {lead_type: rank for rank, lead_type in enumerate(_KINDS)}
    return sorted(summary.by_type, key=lambda lead_type: (order.get(lead_type, len(order)), lead_type))


def _kind(lead_type: str) -> str:
    return _KINDS.get(lead_type, lead_type)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def _days(days: float | None) -> str:
    """`5 h`, `2.5 days`."""
    if days is None:
        return "-"
    return f"{days * 24:.0f} h" if days < 2 else f"{days:.1f} days"


def _rounded(days: float | None) -> float | None:
    return None if days is None else round(days, 2)


def _plain(cell: str) -> str:
    return escape(printable(cell))


class _Bar(NamedTuple):
    """A day's bar, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    title: str
    """What a reader sees who points at it."""


def _chart(summary: MonthSummary, lead_type: str) -> dict[str, Any]:
    """A bar for each day with leads of a kind."""
    counts = [(day, by_type[lead_type]) for day, by_type in summary.by_day.items()]
    largest = max(count for _, count in counts)
    step = _CHART_WIDTH / len(counts)
    bars = [
        _Bar(
            round(number * step + 1, 1),
            round(_BARS_HEIGHT * (1 - count / largest), 1),
            round(step - 2, 1),
            round(_BARS_HEIGHT * count / largest, 1),
            f"{day:%a} {_short(day)}: {count:,}",
        )
        for number, (day, count) in enumerate(counts)
        if count
    ]
    labels = [
        {"x": round((number + 0.5) * step, 1), "text": day.day} for number, (day, _) in enumerate(counts)
    ]
    return {
        "title": _kind(lead_type),
        "total": f"{summary.by_type[lead_type]:,}",
        "width": _CHART_WIDTH,
        "height": _BARS_HEIGHT + _LABELS_HEIGHT,
        "base": _BARS_HEIGHT,
        "largest": f"{largest:,}",
        "bars": bars,
        "labels": labels,
    }


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _day_row(day: date, counts: Counter[str], lead_types: Sequence[str]) -> dict[str, Any]:
    return {
        "day": f"{day:%a} {_short(day)}",
        "counts": [f"{counts[lead_type]:,}" for lead_type in lead_types],
        "all": f"{counts.total():,}",
    }


def _heat(summary: MonthSummary) -> Iterator[dict[str, Any]]:
    largest = max((count for store in summary.stores.values() for count in store.by_week.values()), default=1)
    for name, store in summary.stores.items():
        counts = [store.by_week[week] for week in summary.month.weeks]
        cells = [{"count": f"{count:,}", "share": round(count / largest, 2)} for count in counts]
        yield {"store": name, "cells": cells, "all": f"{store.leads:,}"}


def _store_cells(store: StoreMonth, lead_types: Sequence[str], number: Number = grouped) -> tuple[str, ...]:
    counts = (number(store.by_type[lead_type]) for lead_type in lead_types)
    return (*counts, _share(store.finished, store.leads), _days(store.median_days_to_call))


def _store_row(name: str, store: StoreMonth, lead_types: Sequence[str]) -> dict[str, Any]:
    *counts, finished, first_call = _store_cells(store, lead_types)
    bookings, returns = store.by_type[LeadType.BOOKING], store.by_type[LeadType.RETURN]
    ratio = f"{returns / bookings:.2f}" if bookings else "-"
    return {"store": name, "counts": counts, "ratio": ratio, "finished": finished, "first_call": first_call}


def _calendar(summary: MonthSummary, today: date) -> Iterator[list[dict[str, Any] | None]]:
    """The weeks of the month, each of seven days; None: a day of another month."""
    days: list[dict[str, Any] | None] = [None] * summary.month.first.weekday()
    for day, runs in summary.runs.items():
        count = quantity(runs.succeeded + runs.failed, "sync") if day <= today else ""
        days.append({"number": day.day, "runs": count, "failed": runs.failed})
    days += [None] * (-len(days) % 7)
    return (days[at : at + 7] for at in range(0, len(days), 7))
