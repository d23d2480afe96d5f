"""Renders a run's result: a table on a terminal, totals if the log is elsewhere, or the JSON envelope."""

from __future__ import annotations

import sys

from syncctl.cli.render.printer import console, plain_table, print_line, print_result
from syncctl.cli.run_words import STEP_TITLES, closing_lines, location_label, result_text, total_lines
from syncctl.domain.run_documents import run_envelope
from syncctl.domain.run_results import RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus

_COUNT_COLUMNS = (
    ("Rows", "rows"),
    ("Saved", "saved"),
    ("Updated", "updated"),
    ("Already there", "existing"),
    ("In reports", "reported"),
    ("Merged rows", "merged"),
    ("Invalid (rejects)", "invalid"),
    ("Ignored", "ignored"),
)

_WOULD = {"saved": "Would save", "updated": "Would update", "invalid": "Invalid (would be rejects)"}
"""The titles that a dry run has instead."""
ID_SHOWN = 8
"""Characters of a run's id: enough to name it."""

_STYLES = {
    StepStatus.SUCCESS: "green",
    StepStatus.PARTIAL: "yellow",
    StepStatus.FAILED: "red",
    StepStatus.SKIPPED: "dim",
}


def render_run(result: RunResult, *, as_json: bool) -> None:
    """A run's result. In a pipe the log lines already have it, unless only stdout is redirected."""
    if as_json:
        print_result(run_envelope(result))
    elif sys.stdout.isatty():
        _run_table(result)
    elif sys.stderr.isatty():
        for line in (*total_lines(result), *closing_lines(result)):
            print_line(line)


def render_aborted(result: RunResult) -> None:
    """On a terminal: what takes back the part that an aborted run has imported."""
    if sys.stdout.isatty() and (command := _undo_command(result)) is not None:
        print_line(f"A part was imported. To take it back: {command}")


def _run_table(result: RunResult) -> None:

    out = console()
    if result.dry_run:
        _dry_run_table(result)
    table = plain_table()
    table.add_column("")
    for step in result.steps:
        table.add_column(STEP_TITLES[step.name], justify="right")
    table.add_row("Status", *(_styled_status(step) for step in result.steps))
    files_only = all(step.name in FILE_STEPS for step in result.steps)
    any_file = any(step.name in FILE_STEPS for step in result.steps)
    title = "Files" if files_only else "Locations, files" if any_file else "Locations"
    table.add_row(title, *(_locations(step) for step in result.steps))
    for title, field in _COUNT_COLUMNS:
        numbers = [getattr(step.counts, field) for step in result.steps]
        if any(numbers):
            shown = _WOULD.get(field, title) if result.dry_run else title
            table.add_row(shown, *(str(number) if number else "[dim]0[/dim]" for number in numbers))
    changed = [step.changed for step in result.steps]
    if any(changed):
        table.add_row("Changed at the source", *map(str, changed))
    if any(step.errors for step in result.steps):
        table.add_row("Errors", *(str(step.errors) for step in result.steps))
    out.print(table)
    out.print(f"[dim]{' · '.join(closing_lines(result))}[/dim]")
    if (command := _undo_command(result)) is not None:
        out.print(f"[dim]To take it back: {command}[/dim]")


def _undo_command(result: RunResult) -> str | None:
    """What takes the run back, if it has imported anything."""
    stored = [step.counts for step in result.steps if step.name in FILE_STEPS]
    if result.dry_run or not any(counts.saved or counts.updated for counts in stored):
        return None
    return f"syncctl import undo {result.run_id[:ID_SHOWN]}"


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
            outcome = location.error or result_text(location, step.name, dry_run=True)
            out.print(
                escape(f"{STEP_TITLES[step.name]} {location_label(location)}: {outcome}"), soft_wrap=True
            )
    out.print("\n[bold]DRY RUN: nothing was written[/bold]")
