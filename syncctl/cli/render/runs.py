"""Renders a run's result: a table on a terminal, totals if the log is elsewhere, or the JSON envelope."""

from __future__ import annotations

import sys
from collections.abc import Callable

from syncctl.cli.render.clock import Clock
from syncctl.cli.render.printer import console, escape, plain_table, print_line, print_result
from syncctl.cli.run_words import (
    COUNT_WORDS,
    STEP_STYLES,
    STEP_TITLES,
    closing_lines,
    count_word,
    location_label,
    next_sync_words,
    outcome_words,
    place_noun,
    result_text,
    steps_of_api,
    total_lines,
)
from syncctl.domain.run_documents import run_envelope
from syncctl.domain.run_results import RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS
from syncctl.ports.machine import NextStart

ID_SHOWN = 8
"""Characters of a run's id: enough to name it."""


def render_run(
    result: RunResult, clock: Clock, next_start: Callable[[], NextStart], *, as_json: bool
) -> None:
    """A run's result. In a pipe the log lines already have it, unless only stdout is redirected.
    `next_start`: what starts the next sync by itself."""
    if as_json:
        print_result(run_envelope(result))
    elif sys.stdout.isatty():
        _run_table(result)
        _closing(result, clock, next_start)
    elif sys.stderr.isatty():
        for line in (*total_lines(result), *closing_lines(result, next_start)):
            print_line(line)


def render_aborted(result: RunResult) -> None:
    """On a terminal: what takes back the part that an aborted run has imported."""
    if sys.stdout.isatty() and (command := _undo_command(result)) is not None:
        print_line(f"A part was imported. To take it back: {command}")


def _run_table(result: RunResult) -> None:
    out = console()
    out.print()
    if result.dry_run:
        _dry_run_table(result)
    table = plain_table()
    table.add_column("")
    for step in result.steps:
        table.add_column(STEP_TITLES[step.name], justify="right")
    table.add_row("Status", *(_styled_status(step) for step in result.steps))
    nouns = [place_noun(step.name, 2) for step in result.steps]
    for noun in dict.fromkeys(nouns):
        places = (_places(step) if of == noun else "" for of, step in zip(nouns, result.steps, strict=True))
        table.add_row(noun.capitalize(), *places)
    rows = [("Failed", [step.errors for step in result.steps])]
    rows.append(("Rows", [step.counts.rows for step in result.steps]))
    for name in COUNT_WORDS:
        word = count_word(name, dry_run=result.dry_run)
        rows.append((word.capitalize(), [getattr(step.counts, name) for step in result.steps]))
    rows.append(("Kept, changed at the source", [step.changed for step in result.steps]))
    for title, numbers in rows:
        if any(numbers):
            table.add_row(title, *(f"{number:,}" if number else "[dim]0[/dim]" for number in numbers))
    out.print(table)


def _closing(result: RunResult, clock: Clock, next_start: Callable[[], NextStart]) -> None:
    """What happens next, how long the run took, and how to take it back."""
    out = console()
    line = f"Took {result.duration_s:.1f} s"
    if steps_of_api(result):
        start = next_start()
        if failed := outcome_words(result, start, clock.time):
            out.print(failed, markup=False)
        line += f" · Next sync: {next_sync_words(start, clock.time)}"
    out.print(line, style="dim", markup=False)
    if (command := _undo_command(result)) is not None:
        out.print(f"[dim]To take it back: {command}[/dim]")


def _undo_command(result: RunResult) -> str | None:
    """What takes the run back, if it has imported anything."""
    stored = [step.counts for step in result.steps if step.name in FILE_STEPS]
    if result.dry_run or not any(counts.saved or counts.updated for counts in stored):
        return None
    return f"syncctl import undo {result.run_id[:ID_SHOWN]}"


def _styled_status(step: StepResult) -> str:
    style = STEP_STYLES.get(step.status, "dim")
    return f"[{style}]{step.status.value}[/{style}]"


def _places(step: StepResult) -> str:
    return f"{step.processed:,}/{step.total:,}" if step.total else "-"


def _dry_run_table(result: RunResult) -> None:
    out = console()
    for step in result.steps:
        for location in step.locations:
            outcome = location.error or result_text(location, dry_run=True)
            out.print(escape(f"{STEP_TITLES[step.name]} {location_label(location)}: {outcome}"))
    out.print("\n[bold]DRY RUN: nothing was written[/bold]")
