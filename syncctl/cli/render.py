"""The only printer: results as tables on a terminal, as plain lines in a pipe, as JSON on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from syncctl.cli.reporting import STEP_TITLES, counted, location_label, told, total_lines
from syncctl.models import FILE_STEPS, Counts, RunResult, StepName, StepResult, StepStatus
from syncctl.results import run_envelope

if TYPE_CHECKING:
    from rich.console import Console

    from syncctl.demo import DemoResult
    from syncctl.models import Reject

_MEASURES = (
    ("Rows", "rows"),
    ("Saved", "saved"),
    ("Updated", "updated"),
    ("Already there", "existing"),
    ("In reports", "reported"),
    ("Merged rows", "merged"),
    ("Invalid (rejects)", "invalid"),
    ("Not returned yet", "ignored"),
)
VALUES_SHOWN = 160
"""Characters of a raw row that `rejects list` shows; --json and the export have it whole."""

_STYLES = {
    StepStatus.SUCCESS: "green",
    StepStatus.PARTIAL: "yellow",
    StepStatus.FAILED: "red",
    StepStatus.SKIPPED: "dim",
}


def print_line(line: str) -> None:
    """One line of data."""
    sys.stdout.write(line + "\n")


def print_message(line: str) -> None:
    """One line for the person, beside the data."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def print_json(value: Any) -> None:
    """One JSON value on one line; what the stream can't write is escaped as JSON does."""
    unicode = (sys.stdout.encoding or "").casefold().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(value, ensure_ascii=not unicode, allow_nan=False) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A rich console that honours NO_COLOR and the terminal's width."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def render_run(result: RunResult, *, as_json: bool) -> None:
    """A run's result. In a pipe the log lines have told it already, unless only stdout is one."""
    if as_json:
        print_json(run_envelope(result))
    elif sys.stdout.isatty():
        _run_table(result)
    elif sys.stderr.isatty():
        for line in total_lines(result):
            print_line(line)


def _run_table(result: RunResult) -> None:
    from rich.table import Table

    out = console()
    if result.dry_run:
        _dry_run_table(result)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for step in result.steps:
        table.add_column(STEP_TITLES[step.name], justify="right")
    table.add_row("Status", *(_styled_status(step) for step in result.steps))
    files_only = all(step.name in FILE_STEPS for step in result.steps)
    any_file = any(step.name in FILE_STEPS for step in result.steps)
    title = "Files" if files_only else "Locations, files" if any_file else "Locations"
    table.add_row(title, *(_locations(step) for step in result.steps))
    for title, field in _MEASURES:
        numbers = [getattr(step.counts, field) for step in result.steps]
        if any(numbers):
            table.add_row(title, *(str(number) if number else "[dim]0[/dim]" for number in numbers))
    changed = [step.changed for step in result.steps]
    if any(changed):
        table.add_row("Changed at the source", *map(str, changed))
    if any(step.errors for step in result.steps):
        table.add_row("Errors", *(str(step.errors) for step in result.steps))
    out.print(table)
    footer = [line for line in total_lines(result) if not line.startswith("Total")]
    out.print(f"[dim]{' · '.join(footer)}[/dim]")


def _styled_status(step: StepResult) -> str:
    style = _STYLES[step.status]
    return f"[{style}]{step.status.value}[/{style}]"


def _locations(step: StepResult) -> str:
    if step.name is StepName.STORES:
        return "[dim]-[/dim]"
    return f"{step.processed}/{step.total}"


def _dry_run_table(result: RunResult) -> None:
    from rich.markup import escape

    out = console()
    for step in result.steps:
        for location in step.locations:
            outcome = location.error or told(location, dry_run=True)
            out.print(
                escape(f"{STEP_TITLES[step.name]} {location_label(location)}: {outcome}"), soft_wrap=True
            )


def render_demo(result: DemoResult) -> None:
    """What the demo did, whether it came out as promised, and how to look on."""
    if not sys.stdout.isatty():
        for fact in result.facts:
            print_line(f"{'ok' if fact.holds else 'FAILED'}\t{fact.what}\t{fact.seen}")
        for hint in result.hints:
            print_line(hint)
        return
    from rich.markup import escape
    from rich.table import Table

    out = console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for fact in result.facts:
        mark = "[green]✓[/green]" if fact.holds else "[red]✗[/red]"
        table.add_row(mark, escape(fact.what), f"[bold]{escape(fact.seen)}[/bold]")
    out.print()
    out.print(table)
    out.print()
    for hint in result.hints:
        out.print(escape(hint), soft_wrap=True)


def render_rejects(
    rejects: Sequence[Reject], total: int, redact: Callable[[str], str], *, as_json: bool
) -> None:
    """Rejects, their phone numbers masked; `total`: how many there are in all."""
    from syncctl.services.reject_list import masked_document
    from syncctl.setting_values import printable

    documents = [masked_document(reject) for reject in rejects]
    if as_json:
        print_json(documents)
        return
    for document in documents:
        place = document["where"] + (f" {document['sheet']}" if document["sheet"] else "")
        place += (
            f" row {document['row']}" if document["row"] is not None else f" {document['store']}".rstrip()
        )
        values = ", ".join(f"{title}: {value}" for title, value in document["values"].items() if value)
        shown = shorten(redact(values), VALUES_SHOWN, placeholder=" …")
        line = f"{document['rejected_at']}  {document['kind']} {place}: {document['reason']}  ({shown})"
        print_line(printable(" ".join(redact(line).split())))
    if not total:
        print_message("The rejects list is empty.")
    elif total > len(rejects):
        print_message(
            f"{len(rejects)} of {total} shown: --limit 0 shows all, --kind, --reason, --file filter."
        )


def render_retry(counts: Counts, *, as_json: bool) -> None:
    """What a retry of rejects came to."""
    if as_json:
        print_json({"command": "rejects retry", **asdict(counts)})
    else:
        outcome = counted(counts).replace("rejected", "still invalid")
        print_line(f"Tried again: {outcome}." if counts.rows else "The rejects list is empty.")
