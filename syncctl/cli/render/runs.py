"""Shows what a run came to: a table on a terminal, its totals where the log is elsewhere, or the envelope."""

from __future__ import annotations

import sys

from syncctl.cli.logs.run_events import STEP_TITLES, location_label, told, total_lines
from syncctl.cli.render.printer import console, print_json, print_line
from syncctl.domain.run_documents import run_envelope
from syncctl.domain.run_results import RunResult, StepResult
from syncctl.domain.steps import FILE_STEPS, StepName, StepStatus

_MEASURES = (
    ("Rows", "rows"),
    ("Saved", "saved"),
    ("Updated", "updated"),
    ("Already there", "existing"),
    ("In reports", "reported"),
    ("Merged rows", "merged"),
    ("Invalid (rejects)", "invalid"),
    ("Ignored", "ignored"),
)

_STYLES = {
    StepStatus.SUCCESS: "green",
    StepStatus.PARTIAL: "yellow",
    StepStatus.FAILED: "red",
    StepStatus.SKIPPED: "dim",
}


def render_run(result: RunResult, *, as_json: bool) -> None:
    """A run's result. In a pipe the log lines have told it already, unless only stdout is one."""
    if as_json:
        print_json(run_envelope(result))
    elif sys.stdout.isatty():
        _run_table(result)
    elif sys.stderr.isatty():
        for line in total_lines(result):
            print_line(line)


def render_broken_off(result: RunResult) -> None:
    """The envelope of a run that was ended before its time: not all right, whatever its steps came to."""
    print_json({**run_envelope(result), "ok": False})


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
