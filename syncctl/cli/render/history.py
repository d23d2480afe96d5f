"""Renders `history`: a table of runs on a terminal, one line per step in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, plain_table, print_line, print_message, print_result
from syncctl.cli.run_words import corrected_words
from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import Counts
from syncctl.domain.steps import StepStatus
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import redacted
from syncctl.services.checks.history import run_document, runs_document
from syncctl.text import quantity

if TYPE_CHECKING:
    from rich.table import Table

    from syncctl.services.checks.history import PastLocation, PastRun, PastStep

Redact = Callable[[str], str]

_SIGNS = {
    StepStatus.SUCCESS: "[green]✓[/green]",
    StepStatus.PARTIAL: "[yellow]![/yellow]",
    StepStatus.FAILED: "[red]✗[/red]",
    StepStatus.SKIPPED: "[dim]-[/dim]",
}
_COUNT_COLUMNS = (("Saved", "saved"), ("Upd.", "updated"), ("There", "existing"), ("Inv.", "invalid"))
"""Table columns; the titles are short so that all fit into 60 characters."""

_ID_SHOWN = 8
_WIDE = 100
"""Minimum terminal width for a column with reasons."""


def render_runs(runs: Sequence[PastRun], redact: Redact, *, failed_only: bool, as_json: bool) -> None:
    """A list of runs; `redact` removes secrets and phone numbers."""
    if as_json:
        print_result(redacted(runs_document(tuple(runs)), redact))
        return
    if not runs:
        print_message("No run has failed." if failed_only else "No run yet: `syncctl api` is the first one.")
    elif sys.stdout.isatty():
        _runs_table(runs, redact)
    else:
        for run in runs:
            if not run.steps:
                _print_fields(redact, *_run_fields(run), _without_step(run))
            for step in run.steps:
                _print_fields(redact, *_run_fields(run), *_step_fields(step))


def render_run_detail(run: PastRun, redact: Redact, *, as_json: bool) -> None:
    """One run, by location."""
    if as_json:
        print_result(redacted(run_document(run), redact))
    elif sys.stdout.isatty():
        _run_screen(run, redact)
    else:
        if not run.steps:
            _print_fields(redact, *_run_fields(run), _without_step(run))
        for step in run.steps:
            _print_fields(redact, *_run_fields(run), *_step_fields(step))
            for location in step.locations:
                _print_fields(redact, step.name, *_location_fields(location))


def _print_fields(redact: Redact, *fields: str) -> None:
    print_line("\t".join(printable(redact(field)) for field in fields))


def _run_fields(run: PastRun) -> tuple[str, ...]:
    return instant(run.started_at), run.run_id, run.command, run.trigger, f"{run.duration_s:.1f} s"


def _without_step(run: PastRun) -> str:
    """What a run came to that has no step: it was stopped before, or took corrected rejects back."""
    return corrected_words(run.corrected_lines) if run.corrected_lines else "no step"


def _step_fields(step: PastStep) -> tuple[str, ...]:
    return (
        step.name,
        step.status.value,
        *_counts_texts(step.counts),
        quantity(step.errors, "error"),
        step.error or "",
    )


def _location_fields(location: PastLocation) -> tuple[str, ...]:
    return location.location, location.store, *_counts_texts(location.counts), "; ".join(_remarks(location))


def _counts_texts(counts: Counts) -> tuple[str, ...]:
    return (
        f"{counts.saved} saved",
        f"{counts.updated} updated",
        f"{counts.existing} existing",
        f"{counts.invalid} invalid",
    )


def _remarks(location: PastLocation) -> list[str]:
    """Errors, warnings and other remarks about a location."""
    texts = [text for text in (location.error, location.warning) if text]
    if location.changed:
        numbers = ", ".join(number or "(no booking number)" for number in location.changed)
        texts.append(f"changed at the source: {numbers}")
    return [*texts, *location.conflicts]


def _table(*titles: str) -> Table:

    table = plain_table(gap=1, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    for title, _ in _COUNT_COLUMNS:
        table.add_column(title, justify="right")
    return table


def _numbers(counts: Counts) -> list[str]:
    numbers = [getattr(counts, field) for _, field in _COUNT_COLUMNS]
    return [f"{number:,}" if number else "[dim]0[/dim]" for number in numbers]


def _runs_table(runs: Sequence[PastRun], redact: Redact) -> None:
    """One table row per step, with the run's details beside them."""
    from itertools import zip_longest

    out = console()
    table = _table("Run (UTC)", "Step")
    table.add_column("Err.", justify="right")
    if with_reasons := out.width >= _WIDE:
        table.add_column("Why", overflow="fold")
    for run in runs:
        about = (
            f"[bold]{run.started_at:%Y-%m-%d %H:%M}[/bold]",
            f"{run.command} [dim]{run.run_id[:_ID_SHOWN]}[/dim]",
            f"[dim]{run.trigger}, {run.duration_s:.1f} s[/dim]",
        )
        rows = [_step_row(step, redact)[: None if with_reasons else -1] for step in run.steps]
        if run.corrected_lines:
            rows = [(line,) for line in corrected_words(run.corrected_lines).split(", ")]
        for line, row in zip_longest(about, rows, fillvalue=""):
            table.add_row(line, *row)
    out.print(table)
    out.print("[dim]`syncctl history RUN` shows a run location by location, and why something failed.[/dim]")


def _step_row(step: PastStep, redact: Redact) -> tuple[str, ...]:
    errors = str(step.errors) if step.errors else "[dim]0[/dim]"
    name = f"{_SIGNS[step.status]} {step.name}"
    return name, *_numbers(step.counts), errors, _shown(step.error or "", redact)


def _shown(text: str, redact: Redact) -> str:
    from rich.markup import escape

    return escape(printable(redact(text)))


def _run_screen(run: PastRun, redact: Redact) -> None:
    out = console()
    out.print(
        f"[bold]{run.started_at:%Y-%m-%d %H:%M:%S} UTC[/bold]  {run.command}, {run.trigger}, "
        f"{run.duration_s:.1f} s  [dim]{run.run_id}[/dim]"
    )
    if run.corrected_lines:
        out.print(f"\n{corrected_words(run.corrected_lines)}")
    for step in run.steps:
        processed = f", {step.processed} of {step.total} locations" if step.total else ""
        dormant_text = f", {step.dormant} dormant" if step.dormant else ""
        out.print(
            f"\n{_SIGNS[step.status]} [bold]{step.name}[/bold] {step.status.value}{processed}{dormant_text}: "
            f"{', '.join(_counts_texts(step.counts))}"
        )
        if step.error:
            out.print(f"  [red]{_shown(step.error, redact)}[/red]")
        if step.locations:
            out.print(_locations_table(step, redact))
    if run.undone_at:
        out.print(f"\nTaken back at {run.undone_at:%Y-%m-%d %H:%M} UTC.")
    elif run.is_import:
        out.print(f"\n[dim]To take it back: syncctl import undo {run.run_id[:_ID_SHOWN]}[/dim]")


def _locations_table(step: PastStep, redact: Redact) -> Table:
    table = _table("", "Store")
    for location in step.locations:
        about = [location.store, *_remarks(location)]
        table.add_row(
            _shown(location.location, redact),
            "\n".join(_shown(line, redact) for line in about if line),
            *_numbers(location.counts),
        )
    return table
