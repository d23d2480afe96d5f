"""The progress display on a terminal: one bar per step, with problems printed above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from syncctl.cli.run_words import (
    STEP_TITLES,
    audit_words,
    location_label,
    rejected_words,
    result_text,
    step_warnings,
    trigger_word,
)
from syncctl.cli.terminal.file_line import FileLine
from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.listener import FileProgress
from syncctl.safe_output.printable import printable

_STYLES = {StepStatus.SUCCESS: "green", StepStatus.PARTIAL: "yellow", StepStatus.FAILED: "red"}


class _Bars(Progress):
    """The bars, and below them the line of the file that is read."""

    line: FileLine | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.line is not None and (text := self.line.text(self.console.width)):
            yield Text(text, style="dim", no_wrap=True, overflow="ellipsis")


class ProgressListener:
    """Shows each step's progress by location, and by file. `quiet`: problems only."""

    def __init__(
        self,
        console: Console,
        *,
        quiet: bool = False,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._quiet = quiet
        self._verbose = verbose
        self._file_line = FileLine(clock)
        self._progress = _Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet,
        )
        self._progress.line = self._file_line
        self._task: TaskID | None = None
        self._saved = 0
        self._dry_run = False
        self._has_preview = False
        """Whether each file and conflict is shown after the run."""

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        self._dry_run = dry_run
        self._has_preview = dry_run and command.startswith("import ")
        if not self._quiet:
            suffix = ", dry run: nothing will be written" if dry_run else ""
            what = "Import" if command.startswith(("import ", "rejects ")) else "Sync"
            self._console.print(f"[dim]{what} started ({trigger_word(trigger)}{suffix})[/dim]")
        self._progress.start()

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        self._saved = 0
        self._task = self._progress.add_task(
            f"{number}/{of} {STEP_TITLES[name]}", total=locations or 1, note=""
        )

    def file_read(self, step: StepName, progress: FileProgress) -> None:
        self._file_line.reading(progress)

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        self._file_line.storing("compared" if self._dry_run else "stored", stored, of)

    def location_done(self, step: StepName, result: LocationResult) -> None:
        self._saved += result.counts.saved
        if self._task is not None:
            self._progress.update(self._task, advance=1, note=f"[green]{self._new(self._saved)}[/green]")
        if result.error and (self._verbose or step in FILE_STEPS):
            label = _shown(
                result.error if step in FILE_STEPS else f"{location_label(result)}: {result.error}"
            )
            self._progress.console.print(f"[yellow]! {label}[/yellow]")
        elif step in FILE_STEPS and not (self._quiet or self._has_preview):
            label = _shown(f"{location_label(result)}: {result_text(result, step, dry_run=self._dry_run)}")
            self._progress.console.print(f"[dim]{label}[/dim]")

    def step_finished(self, result: StepResult) -> None:
        self._file_line.clear()
        if self._task is not None:
            style = _STYLES.get(result.status, "dim")
            note = f"[{style}]{self._new(result.counts.saved)}" + (
                f", {result.errors} failed[/{style}]" if result.errors else f"[/{style}]"
            )
            done = result.total or 1
            self._progress.update(self._task, total=done, completed=result.processed or 0, note=note)
            if result.status is StepStatus.SUCCESS:
                self._progress.update(self._task, completed=done)
            self._progress.stop_task(self._task)
        if result.note and not self._quiet:
            text = _shown(f"{STEP_TITLES[result.name]}: {result.note}")
            self._progress.console.print(f"[dim]{text}[/dim]")
        for message in step_warnings(result, with_conflicts=not self._has_preview):
            self.warning(f"{STEP_TITLES[result.name]}: {message}")
        if result.error and result.name not in FILE_STEPS:
            style = _STYLES.get(result.status, "red")
            text = _shown(f"{STEP_TITLES[result.name]}: {result.error}")
            self._progress.console.print(f"[{style}]✗ {text}[/{style}]")

    def _new(self, saved: int) -> str:
        return f"would save {saved:,}" if self._dry_run else f"{saved:,} new"

    def audited(self, step: StepName, result: AuditResult) -> None:
        if self._verbose or (result.counts.saved and not self._quiet):
            text = _shown(f"{STEP_TITLES[step]}: {audit_words(result, dry_run=self._dry_run)}")
            self._progress.console.print(f"[dim]{text}[/dim]")

    def run_finished(self, result: RunResult) -> None:
        self._progress.stop()

    def warning(self, message: str) -> None:
        self._progress.console.print(f"[yellow]! {_shown(message)}[/yellow]")

    def rows_rejected(self, new: int) -> None:
        self.warning(rejected_words(new, dry_run=self._dry_run))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Restore the terminal, however the run ended."""
        self._progress.stop()


def _shown(text: str) -> str:
    """Text with markup and control sequences neutralized."""
    return escape(printable(text))
