"""The progress display on a terminal: one bar per step, with problems printed above it and,
of an import, a line below: how far its file is read, or its records are stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, Self

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
from syncctl.cli.terminal.waiting import WaitLine, lasting_words, retry_words
from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.listener import FileProgress
from syncctl.ports.waiting import RetryWait, RunWait, Wait
from syncctl.safe_output.printable import printable

SHORTEST_NAME = 12
"""Characters of a file's name that stay whatever the width."""


class _Rate(NamedTuple):
    """Since when something is counted, and what was done by then."""

    at: float
    done: int
    rows: int


class FileLine:
    """Composes the line anew each time that it is shown, so that the time in it moves."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reading: FileProgress | None = None
        self._storing: tuple[str, int, int] | None = None
        self._since = 0.0
        self._rate: _Rate | None = None

    def reading(self, progress: FileProgress) -> None:
        """A file is read on, or begun."""
        before, self._storing = self._reading, None
        if before is None or before.number != progress.number:
            self._since, self._rate = self._clock(), None
        if self._rate is None and progress.rows:
            self._rate = _Rate(self._clock(), progress.bytes_read, progress.rows)
        self._reading = progress

    def storing(self, what: str, stored: int, of: int) -> None:
        """So many records of all files are stored. `what` is done, in one word."""
        if self._storing is None:
            self._rate, self._reading = _Rate(self._clock(), stored, stored), None
        self._storing = what, stored, of

    def clear(self) -> None:
        """Nothing is read or stored now."""
        self._reading = self._storing = self._rate = None

    def text(self, width: int) -> str:
        """The line, of at most `width` characters; "" while there is nothing to say."""
        reading, storing, rate = self._reading, self._storing, self._rate
        if storing is not None:
            what, stored, of = storing
            return ", ".join(
                [f"  {what} {stored:,} of {of:,} records", *self._pace(rate, stored, of, stored)]
            )
        if reading is None:
            return ""
        if not reading.rows:
            parts = [_megabytes(reading.size), "opening", minutes(self._clock() - self._since)]
        else:
            read = _megabytes(reading.bytes_read).removesuffix(" MB")
            parts = [f"{read} of {_megabytes(reading.size)}", f"{reading.rows:,} rows"]
            parts += self._pace(rate, reading.bytes_read, reading.size, reading.rows)
        said = f": {', '.join(parts)}"
        which = f"  {reading.number}/{reading.of} " if reading.of > 1 else "  "
        return which + _shortened(printable(reading.name), width - len(which) - len(said)) + said

    def _pace(self, rate: _Rate | None, done: int, total: int, rows: int) -> list[str]:
        """How many rows a second since `rate`, and how long the rest takes at that pace."""
        if rate is None or rows <= rate.rows or (passed := self._clock() - rate.at) <= 0:
            return []
        pace = [f"{round((rows - rate.rows) / passed):,} rows/s"]
        if done > rate.done:
            pace.append(f"{minutes((total - done) * passed / (done - rate.done))} left")
        return pace


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def minutes(seconds: float) -> str:
    """A span of time: `0:07`, `1:02:03`."""
    whole, rest = divmod(max(0, round(seconds)), 60)
    hours, whole = divmod(whole, 60)
    return f"{hours}:{whole:02}:{rest:02}" if hours else f"{whole}:{rest:02}"


def _shortened(name: str, width: int) -> str:
    """A file's name in that many characters, its end among them: names of stores' files begin alike."""
    most = max(width, SHORTEST_NAME)
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[len(name) - most + most // 2 :]}"


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
            skipped = result.status is StepStatus.SKIPPED
            done = result.total if skipped else result.total or 1
            completed = done if result.status is StepStatus.SUCCESS else result.processed or 0
            words = "skipped" if skipped else self._new(result.counts.saved)
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
