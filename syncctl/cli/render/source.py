"""Renders a source check: a summary, then records that are missing, changed or dropped by the API."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from syncctl.cli.render.checks import print_check, print_checks_table, report_document
from syncctl.cli.render.printer import console, escape, print_fields, print_result
from syncctl.domain.sources import PLURALS
from syncctl.locations import ALL_LOCATIONS
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone, redacted
from syncctl.services.reconcile.checks import counts_in_words, source_checks
from syncctl.services.reconcile.results import ChangedBy

if TYPE_CHECKING:
    from syncctl.cli.render.documents.checks import (
        SourceCountsDocument,
        SourceDetailsDocument,
        SourceDocument,
        SubjectDocument,
    )
    from syncctl.services.reconcile.completeness import OnLocation
    from syncctl.services.reconcile.results import Completeness, LocationCheck, Subject

WITHDRAWN = "dropped by the API"
"""The kind of a lead whose record the source no longer has, by the name that `--json` has always given it."""

_KIND_WORDS = {WITHDRAWN: "dropped by the API"}

MAX_FINDINGS_SHOWN = 50
"""Findings per kind shown on a terminal; a pipe and --json have all of them."""


def render_source(
    found: Completeness, redact: Callable[[str], str], *, as_json: bool, quiet: bool = False
) -> None:
    """Render the result; `redact` removes secrets and phone numbers. `quiet`: only what is wrong."""
    report = source_checks(found)
    if quiet and not as_json:
        report = report.only_wrong()
    if as_json:
        document: SourceDocument = {**report_document(report), **_document(found)}
        print_result(redacted(document, redact))
    elif sys.stdout.isatty():
        if report.checks:
            print_checks_table(report.checks, redact)
        _screen(found, redact)
    else:
        for check in report.checks:
            print_check(check, redact)
        for kind, subject, what in _findings(found):
            place = (subject.report.value, subject.location, subject.store)
            cells = (_KIND_WORDS.get(kind, kind), *place, *_cells(subject), what)
            print_fields(cells, redact)


def field_text(value: Any) -> str:
    """A field's value for a person: dates without a time zone, as they are the source's wall clock."""
    if value is None:
        return "nothing"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == datetime.min.time() else "%Y-%m-%d %H:%M")
    return f"{value:g}" if isinstance(value, float) else str(value)


@contextmanager
def source_progress(*, quiet: bool, verbose: bool, redact: Callable[[str], str]) -> Iterator[OnLocation]:
    """Shows a check's progress: a bar on a terminal, and with `verbose` one line per location."""
    if not sys.stderr.isatty():
        yield (lambda check, total: _print_location(check, redact)) if verbose else lambda check, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    from syncctl.cli.terminal.progress import Bars, TimeColumn
    from syncctl.cli.terminal.waiting import WaitLine
    from syncctl.ports.waiting import watched_by

    columns = (
        TextColumn("Asking the API"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeColumn(),
    )
    waits = WaitLine()
    bars = Bars(*columns, console=console(stderr=True), disable=quiet, transient=True, redirect_stdout=False)
    bars.lines = (lambda width: waits.text(),)
    with watched_by(waits), bars as progress:
        task = progress.add_task("", total=None)

        def on_location(check: LocationCheck, total: int) -> None:
            progress.update(task, total=total, advance=1)
            if verbose:
                _print_location(check, redact)

        yield on_location


def _print_location(check: LocationCheck, redact: Callable[[str], str]) -> None:
    if check.is_refused:  # said once, at the end
        return
    text = check.error or counts_in_words(check.counts)
    place = f"{check.report.value} {check.location or ALL_LOCATIONS} {check.store}".rstrip()
    sys.stderr.write(printable(redact(f"{place}: {text}")) + "\n")


def _findings(found: Completeness) -> Iterator[tuple[str, Subject, str]]:
    """Each finding: its kind, the record it is about, and details."""
    for check in found.locations:
        for entry in check.missing:
            repaired = found.run is not None and entry not in check.left
            yield ("repaired" if repaired else "missing"), entry.subject, entry.reason
    for check in found.locations:
        for difference in check.differences:
            field = difference.field
            text = f"{field.field}: lead {field_text(field.lead)}, source {field_text(field.source)}"
            if field.changed_by is ChangedBy.EITHER:
                text += " (or a telecaller's edit)"
            yield "changed", difference.subject, text
    for withdrawn in found.withdrawn:
        yield WITHDRAWN, withdrawn.subject, f"lead {withdrawn.lead_id}"


def _cells(subject: Subject) -> tuple[str, str, str]:
    """A record's booking number, phone and date; "-" for missing values, as in invalid rows."""
    day = subject.dated_at.strftime("%Y-%m-%d") if subject.dated_at else "-"
    return subject.booking_no or "-", mask_phone(subject.phone) or "-", day


def _place(subject: Subject) -> str:
    words = (PLURALS[subject.report], subject.location or ALL_LOCATIONS, subject.store)
    return " · ".join(filter(None, words))


def _screen(found: Completeness, redact: Callable[[str], str]) -> None:
    from rich.padding import Padding

    out = console()
    by_kind: dict[str, dict[str, list[str]]] = {}
    shown: Counter[str] = Counter()
    for kind, subject, what in _findings(found):
        shown[kind] += 1
        if shown[kind] <= MAX_FINDINGS_SHOWN:
            places = by_kind.setdefault(kind, {})
            line = " · ".join((*_cells(subject), *filter(None, [what])))
            places.setdefault(_place(subject), []).append(line)
    for kind, places in by_kind.items():
        title = _KIND_WORDS.get(kind, kind)
        out.print(f"\n[bold]{title[:1].upper()}{title[1:]}[/bold]")
        for place, lines in places.items():
            out.print(Padding(escape(printable(redact(place))), (0, 0, 0, 2)))
            for line in lines:
                out.print(Padding(escape(printable(redact(line))), (0, 0, 0, 4)))
        if (more := shown[kind] - MAX_FINDINGS_SHOWN) > 0:
            out.print(f"  [dim]… and {more:,} more: all of them are in a pipe and in --json[/dim]")


def _document(found: Completeness) -> SourceDetailsDocument:
    """What `--json` adds to the summary lines."""
    return {
        "window": {"from": str(found.first), "to": str(found.last)},
        "run_id": found.run.run_id if found.run else None,
        "locations": [
            {
                "report": check.report.value,
                "location": check.location,
                "store": check.store,
                **cast("SourceCountsDocument", asdict(check.counts)),
                "repaired": check.repair.counts.saved if check.repair else 0,
                "error": check.error,
            }
            for check in found.locations
            if check.counts.rows or check.error
        ],
        "findings": [
            {"kind": kind, **_subject_document(subject), "what": what or None}
            for kind, subject, what in _findings(found)
        ],
    }


def _subject_document(subject: Subject) -> SubjectDocument:
    return {
        "report": subject.report.value,
        "location": subject.location,
        "store": subject.store,
        "booking_no": subject.booking_no or None,
        "phone": mask_phone(subject.phone) or None,
        "date": subject.dated_at.strftime("%Y-%m-%dT%H:%M:%S") if subject.dated_at else None,
    }
