"""Renders `history`: one line per run on a terminal, one line per step in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from syncctl.cli.render.printer import console, escape, plain_table, print_fields, print_message, print_result
from syncctl.cli.run_words import (
    COUNT_WORDS,
    STEP_STYLES,
    corrected_words,
    counts_text,
    place_noun,
    trigger_word,
)
from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import Counts
from syncctl.domain.sources import FILE_STEPS, PLURALS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.locations import ALL_LOCATIONS
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import redacted
from syncctl.services.checks.history import USUAL_COMMAND, reasons_once, run_document, runs_document
from syncctl.text import and_more, plural, quantity, shortened

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from syncctl.cli.render.clock import Clock
    from syncctl.services.checks.history import PastLocation, PastRun, PastStep

Redact = Callable[[str], str]

_SIGNS = {
    StepStatus.SUCCESS: "[green]✓[/green]",
    StepStatus.PARTIAL: "[yellow]![/yellow]",
    StepStatus.FAILED: "[red]✗[/red]",
    StepStatus.SKIPPED: "[dim]-[/dim]",
}
_WORST_FIRST = (StepStatus.FAILED, StepStatus.PARTIAL, StepStatus.SUCCESS)
_STATUS_WORDS = {
    StepStatus.SUCCESS: "all right",
    StepStatus.PARTIAL: "failed in part",
    StepStatus.FAILED: "failed",
    StepStatus.SKIPPED: "skipped",
}
_TRIGGER_WORDS: dict[str, str] = {trigger: trigger_word(trigger) for trigger in Trigger}
_ID_SHOWN = 8
_RESULT_SHOWN = 160
"""Characters of a run's result in a list, on as many lines as it takes; `history RUN` has all of it."""

_NARROW, _WIDE = 70, 100
"""Terminal widths: from the first on there is a column with how long it took, from the second on those with
the command and who started it."""


def step_word(name: str) -> str:
    """What a step brings, as people say it: `bookings`."""
    return PLURALS.get(StepName(name), name) if name in list(StepName) else name


def print_no_runs(*, failed_only: bool) -> None:
    """Say that there is nothing to list."""
    print_message("No run has failed." if failed_only else "No run yet: `syncctl api` is the first one.")


def render_runs(runs: Sequence[PastRun], redact: Redact, *, failed_only: bool, as_json: bool) -> None:
    """A list of runs for a pipe, newest first; `redact` removes secrets and phone numbers."""
    if as_json:
        print_result(redacted(runs_document(tuple(runs)), redact))
    elif not runs:
        print_no_runs(failed_only=failed_only)
    else:
        for run in runs:
            _print_run(run, redact, with_locations=False)


def render_run_lines(lines: Sequence[Sequence[PastRun]], redact: Redact, clock: Clock, *, hint: bool) -> None:
    """Runs for a terminal, the newest at the bottom. `lines`: newest first; several in one are alike.
    `hint`: also say what else can be shown."""
    from rich.text import Text

    out = console()
    table = plain_table(gap=1, header_style="dim")
    table.add_column("")
    table.add_column(f"When ({clock.zone_name})", no_wrap=True)
    table.add_column("Run", no_wrap=True)
    if wide := out.width >= _WIDE:
        table.add_column("Command", no_wrap=True)
        table.add_column("Started", no_wrap=True)
    table.add_column("Result", overflow="fold")
    if out.width >= _NARROW:
        table.add_column("Took", justify="right", no_wrap=True)
    for line in reversed(lines):
        newest, oldest = line[0], line[-1]
        several = len(line) > 1
        quiet_ones = several and newest.is_quiet
        result = _several_words(line, clock) if several else run_words(newest)
        command = _shared(run.command for run in line)
        named = [] if wide or quiet_ones or command == USUAL_COMMAND else [command]
        named += [f"taken back {clock.short(newest.undone_at)}"] if newest.undone_at else []
        named += [_files(newest.steps)] if not several else []
        result = ": ".join(filter(None, (", ".join(filter(None, named)), result)))
        cells: list[RenderableType] = [
            _sign(newest),
            clock.short(oldest.started_at),
            "" if quiet_ones else f"[dim]{newest.run_id[:_ID_SHOWN]}[/dim]",
            *([command, _shared(map(_trigger_words, line))] if wide else []),
            Text(shortened(printable(redact(result)), _RESULT_SHOWN), "dim" if newest.is_quiet else ""),
            *(["" if several else _took(newest)] if out.width >= _NARROW else []),
        ]
        table.add_row(*cells)
    out.print(table)
    if hint:
        out.print("[dim]`syncctl history RUN` shows one run; -v lists each alone, --limit 0 all.[/dim]")


def _files(steps: Iterable[PastStep]) -> str:
    """The first file of an import, and how many more there were."""
    names = [place.location for step in steps if step.name in FILE_STEPS for place in step.locations]
    return f"{names[0]}{and_more(len(names) - 1)}" if names else ""


def _several_words(line: Sequence[PastRun], clock: Clock) -> str:
    oldest, newest = clock.short(line[-1].started_at), clock.short(line[0].started_at)
    of_day, _, time = newest.rpartition(" ")
    until = time if oldest.rpartition(" ")[0] == of_day else newest
    words = "nothing new" if line[0].is_quiet else f"each the same: {run_words(line[0])}"
    return f"{quantity(len(line), 'run')} until {until}, {words}"


def _shared(words: Iterable[str]) -> str:
    """The word that all of them are; "" if they differ."""
    different = {*words}
    return different.pop() if len(different) == 1 else ""


def _trigger_words(run: PastRun) -> str:
    return _TRIGGER_WORDS.get(run.trigger, run.trigger)


def run_words(run: PastRun) -> str:
    """What a run came to, in a line: what failed first."""
    if lines := run.corrected_lines:
        return corrected_words({each: lines[each] for each in lines if lines[each] or each == "fixed"})
    if not run.steps:
        return "stopped before its first step"
    failed = [
        ("" if step.name == run.command else f"{step_word(step.name)}: ")
        + (step.error or quantity(step.errors, "error"))
        for step in reasons_once(run).steps
        if step.error or step.errors
    ]
    counts = sum((step.counts for step in run.steps if step.name != StepName.STORES), Counts())
    stores = sum(step.counts.saved for step in run.steps if step.name == StepName.STORES)
    places = [place for step in run.steps for place in step.locations]
    rejected, new = run.newly_rejected, "newly "
    if rejected is None:
        rejected, new = counts.invalid, ""
    numbers = (
        (stores, plural(stores, "new store")),
        (counts.saved, "added"),
        (counts.updated, "changed"),
        (sum(step.changed for step in run.steps), "changed at the source only"),
        (rejected, f"{new}rejected"),
        (warnings := sum(bool(place.warning) for place in places), plural(warnings, "warning")),
        (conflicts := sum(len(place.conflicts) for place in places), plural(conflicts, "conflict")),
    )
    news = ", ".join(f"{number:,} {word}" for number, word in numbers if number)
    return "; ".join(filter(None, (*failed, news))) or "nothing new"


def render_run_detail(run: PastRun, redact: Redact, clock: Clock, *, as_json: bool) -> None:
    """One run, by location."""
    if as_json:
        print_result(redacted(run_document(run), redact))
    elif sys.stdout.isatty():
        _run_screen(reasons_once(run), redact, clock)
    else:
        _print_run(reasons_once(run), redact, with_locations=True)


def _print_run(run: PastRun, redact: Redact, *, with_locations: bool) -> None:
    about = (instant(run.started_at), run.run_id, run.command, run.trigger, f"{run.duration_s:.1f} s")
    undone = [f"taken back at {instant(run.undone_at)}"] if run.undone_at else []
    if not run.steps:
        # It was stopped before, or took corrected rejects back.
        came_to = corrected_words(run.corrected_lines) if run.corrected_lines else "no step"
        print_fields((*about, came_to, *undone), redact)
    for step in run.steps:
        errors = f"{step.errors} {plural(step.errors, 'error')}"
        counts = _counts_texts(step.counts)
        said = (step.error or "", _files([step]), *undone)
        fields = (*about, step.name, step.status.value, *counts, errors, *said)
        print_fields(fields, redact, {len(about) + 1: STEP_STYLES.get(step.status, "")})
        for location in step.locations if with_locations else ():
            place = (location.location, location.store)
            remarks = "; ".join(_remarks(location))
            print_fields((step.name, *place, *_counts_texts(location.counts), remarks), redact)


def _counts_texts(counts: Counts) -> tuple[str, ...]:
    return tuple(f"{getattr(counts, field)} {word}" for field, word in COUNT_WORDS.items())


def _remarks(location: PastLocation) -> list[str]:
    """Errors, warnings and other remarks about a location."""
    texts = [text for text in (location.error, location.warning) if text]
    if location.changed:
        numbers = ", ".join(number or "(no booking number)" for number in location.changed)
        texts.append(f"changed at the source: {numbers}")
    return [*texts, *location.conflicts]


def _sign(run: PastRun) -> str:
    statuses = {step.status for step in run.steps}
    if not run.steps and not run.corrected_lines:
        return _SIGNS[StepStatus.SKIPPED]
    if run.is_quiet:
        return "[dim]✓[/dim]"
    return _SIGNS[next((status for status in _WORST_FIRST if status in statuses), StepStatus.SUCCESS)]


def _took(run: PastRun) -> str:
    return f"{run.duration_s:,.1f} s"


def _shown(text: str, redact: Redact) -> str:
    return escape(printable(redact(text)))


def _run_screen(run: PastRun, redact: Redact, clock: Clock) -> None:
    out = console()
    out.print(
        f"{_sign(run)} [bold]{_shown(run.command, redact)}[/bold], {clock.moment(run.started_at)}, "
        f"{_trigger_words(run)}, {_took(run)}  [dim]{run.run_id}[/dim]"
    )
    if not run.steps:
        out.print(f"\n{_shown(run_words(run), redact)}")
    for step in run.steps:
        out.print(
            f"\n{_SIGNS[step.status]} [bold]{_shown(step_word(step.name), redact)}[/bold]: {_step(step)}"
        )
        if step.error:
            out.print(f"  [red]{_shown(step.error, redact)}[/red]")
        if step.locations:
            out.print(_locations_table(step, redact))
    if run.undone_at:
        out.print(f"\nTaken back: {clock.moment(run.undone_at)}.")
    elif run.is_import:
        out.print(f"\n[dim]To take it back: syncctl import undo {run.run_id[:_ID_SHOWN]}[/dim]")


def _step(step: PastStep) -> str:
    parts = [_STATUS_WORDS[step.status]]
    if step.total:
        parts.append(f"{step.processed:,} of {step.total:,} {place_noun(step.name, step.total)}")
    if step.dormant:
        parts.append(f"{step.dormant:,} dormant")
    return f"{', '.join(parts)}; {counts_text(step.counts)}"


def _locations_table(step: PastStep, redact: Redact) -> Table:
    """What failed stands first, then what there is to be warned of; those without news are one line, so that
    the numbers add up to the step's. Only outcomes that there were have a column."""
    fields = [field for field in COUNT_WORDS if getattr(step.counts, field)]
    table = plain_table(gap=1, header_style="dim")
    table.add_column("", width=1)
    table.add_column("", overflow="fold")
    titles = [COUNT_WORDS[field].replace(" ", "\n") for field in fields]  # narrow, to fit 80 characters
    lower = "\n" * ("\n" in "".join(titles))
    for title in titles:
        table.add_column(title if "\n" in title else lower + title, justify="right", no_wrap=True)
    rest = step.counts
    for location in sorted(step.locations, key=lambda each: (not each.error, not each.warning)):
        is_file = step.name in FILE_STEPS
        place = [location.location, location.store]
        if not is_file:
            place = [f"{location.location or ALL_LOCATIONS} {location.store}".rstrip()]
        about = "\n".join(_shown(line, redact) for line in (*place, *_remarks(location)) if line)
        is_empty = location.error and not location.counts.rows
        numbers = [] if is_empty else _numbers(location.counts, fields)
        table.add_row("", f"[red]{about}[/red]" if location.error else about, *numbers)
        rest -= location.counts
    others = step.processed - sum(not location.error for location in step.locations)
    if others > 0:
        more = f"[dim]{others:,} more {place_noun(step.name, others)}, nothing new[/dim]"
        table.add_row("", more, *_numbers(rest, fields))
    return table


def _numbers(counts: Counts, fields: Iterable[str]) -> list[str]:
    return [f"{number:,}" if (number := getattr(counts, field)) else "[dim]0[/dim]" for field in fields]
