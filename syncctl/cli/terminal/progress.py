"""The progress display on a terminal: one bar per step, with problems printed above it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from syncctl.cli.run_words import (
    STEP_STYLES,
    STEP_TITLES,
    StepErrors,
    audit_words,
    count_word,
    importing_words,
    location_label,
    place_noun,
    rejected_words,
    result_text,
    started_words,
    step_warnings,
)
from syncctl.cli.terminal.file_line import FileLine, minutes
from syncctl.cli.terminal.waiting import WaitLine, lasting_words, retry_words
from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.listener import FileProgress
from syncctl.ports.waiting import RetryWait, RunWait, Wait
from syncctl.safe_output.printable import printable


class TimeColumn(ProgressColumn):
    """How much time is left; of a bar that stands still, how much it took."""

    def render(self, task: Task) -> RenderableType:
        if task.stop_time is not None or task.finished:
            return Text(minutes(task.finished_time or task.elapsed or 0.0), style="dim")
        left_s = task.time_remaining
        return Text("" if left_s is None else f"{minutes(left_s)} left", style="dim")


class Bars(Progress):
    """The bars, and below them what is under way within the step: each of `lines` gives a line of at most so
    many characters, "" where there is nothing to say."""

    lines: tuple[Callable[[int], str], ...] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.tasks:
            yield from super().get_renderables()
        for line in self.lines:
            if text := line(self.console.width):
                yield Text(text, style="dim", no_wrap=True, overflow="ellipsis")


class ProgressListener:
    """Shows each step's progress by location, and by file, and what is waited for. `quiet`: problems only;
    `verbose`: each location and each retry as well; `animated`: the terminal can redraw lines in place."""

    def __init__(
        self,
        console: Console,
        *,
        quiet: bool = False,
        verbose: bool = False,
        animated: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._quiet = quiet
        self._verbose = verbose
        self._has_bars = animated and not quiet
        self._file_line = FileLine(clock)
        self._wait_line = WaitLine(clock)
        self._progress = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:,}/{task.total:,} {task.fields[unit]}"),
            TextColumn("{task.fields[note]}"),
            TimeColumn(),
            console=console,
            disable=not self._has_bars,
            redirect_stdout=False,
        )
        self._progress.lines = (self._file_line.text, lambda width: self._wait_line.text())
        self._task: TaskID | None = None
        self._saved = 0
        self._errors = StepErrors()
        self._dry_run = False
        self._has_preview = False
        """Whether each file and conflict is shown after the run."""

    def begun(self, wait: Wait) -> None:
        """Something is waited for."""
        self._wait_line.begun(wait)
        if self._verbose and isinstance(wait, RetryWait):
            self._say(f"  {retry_words(wait, wait.wait_s)}", "dim")
        if isinstance(wait, RunWait) and not (self._has_bars or self._quiet):
            self._say(lasting_words(wait), "dim")

    def ended(self, wait: Wait) -> None:
        """That wait is over."""
        self._wait_line.ended(wait)

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        self._dry_run = dry_run
        self._has_preview = dry_run and command.startswith("import ")
        if not self._quiet and (doing := started_words(command, dry_run=dry_run)):
            self._say(doing, "dim")

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        self._saved = 0
        title = f"{number}/{of} {STEP_TITLES[name]}"
        if name in FILE_STEPS and locations and not self._quiet:
            self._say(importing_words(name, locations, dry_run=self._dry_run), "dim")
        if not (self._has_bars or self._quiet):
            self._say(f"{title} …", "dim")
        self._task = self._progress.add_task(title, total=locations or 1, unit=place_noun(name, 2), note="")

    def file_read(self, step: StepName, progress: FileProgress) -> None:
        self._file_line.reading(progress)

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        self._file_line.storing("compared" if self._dry_run else "stored", stored, of)

    def location_done(self, step: StepName, result: LocationResult) -> None:
        self._saved += result.counts.saved
        if self._task is not None:
            self._progress.update(self._task, advance=1, note=f"[green]{self._new(self._saved)}[/green]")
        of_file = step in FILE_STEPS
        if result.is_refused or not (of_file or self._verbose):
            return
        label = location_label(result) if of_file else f"{STEP_TITLES[step]}, {location_label(result)}"
        if result.error:
            self._say(f"! {result.error}" if of_file else f"! {label}: {result.error}", "yellow")
        elif not (self._quiet or self._has_preview):
            self._say(f"{label}: {result_text(result, dry_run=self._dry_run)}", "dim")

    def step_finished(self, result: StepResult) -> None:
        self._file_line.clear()
        if self._task is not None:
            style = STEP_STYLES.get(result.status, "dim")
            failed = f", {result.errors:,} failed" if result.errors else ""
            done = result.total or 1
            completed = done if result.status is StepStatus.SUCCESS else result.processed or 0
            words = "skipped" if result.status is StepStatus.SKIPPED else self._new(result.counts.saved)
            note = f"[{style}]{words}{failed}[/{style}]"
            self._progress.update(self._task, total=done, completed=completed, note=note)
            self._progress.stop_task(self._task)
        if not (self._has_bars or self._quiet):
            done_words = f"{result.processed:,} {place_noun(result.name, result.processed)}"
            self._say(f"    {done_words}, {self._new(result.counts.saved)}", "dim")
        if result.note and not self._quiet:
            self._say(f"{STEP_TITLES[result.name]}: {result.note}", "dim")
        for message in step_warnings(result, with_conflicts=not self._has_preview):
            self.warning(f"{STEP_TITLES[result.name]}: {message}")
        if result.error and result.name not in FILE_STEPS:
            self._say(f"✗ {self._errors.words(result)}", STEP_STYLES.get(result.status, "red"))

    def _new(self, saved: int) -> str:
        return f"{saved:,} {count_word('saved', dry_run=self._dry_run)}"

    def audited(self, step: StepName, result: AuditResult) -> None:
        if self._verbose or (result.counts.saved and not self._quiet):
            self._say(f"{STEP_TITLES[step]}: {audit_words(result, dry_run=self._dry_run)}", "dim")

    def run_finished(self, result: RunResult) -> None:
        self._progress.stop()

    def warning(self, message: str) -> None:
        self._say(f"! {message}", "yellow")

    def rows_rejected(self, new: int) -> None:
        self.warning(rejected_words(new, dry_run=self._dry_run))

    def _say(self, text: str, style: str) -> None:
        """A line above the bars, with markup and control sequences neutralized."""
        self._progress.console.print(f"[{style}]{escape(printable(text))}[/{style}]")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Restore the terminal, however the run ended."""
        self._progress.stop()
