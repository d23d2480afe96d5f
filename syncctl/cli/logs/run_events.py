"""The log lines of a run in progress, for cron, pipes and the log file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from syncctl.cli.run_words import (
    STEP_TITLES,
    StepErrors,
    audit_words,
    closing_lines,
    corrected_words,
    finished_words,
    location_label,
    rejected_words,
    result_text,
    step_line,
    step_warnings,
    total_lines,
    trigger_word,
)
from syncctl.cli.terminal.waiting import lasting_words
from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import AuditResult, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.listener import FileProgress, Listener
from syncctl.ports.machine import NextStart
from syncctl.ports.waiting import RunWait, Wait

_log = logging.getLogger("syncctl.run")


class LogListener:
    """Writes a run to the log, one line per event, in the old system's wording."""

    def __init__(self, next_start: Callable[[], NextStart] = NextStart) -> None:
        """`next_start`: what starts the next sync by itself."""
        self._next_start = next_start
        self._dry_run = False
        self._errors = StepErrors()

    def begun(self, wait: Wait) -> None:
        """Something is waited for. A database is so at each access, mostly for no time at all; and the API's
        client logs its retries."""
        if isinstance(wait, RunWait):
            words = lasting_words(wait)
            _log.info("%s%s", words[0].upper(), words[1:])

    def ended(self, wait: Wait) -> None:
        """Not worth a line: what follows is one."""

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        self._dry_run = dry_run
        suffix = " (dry run: nothing will be written)" if dry_run else ""
        what = {"api": "API", "all": "API and file", StepName.STORES: "store"}.get(command, command)
        moment = f"{instant(started_at)}{suffix}"
        if command.startswith(("import ", "rejects ", "verify ")):
            _log.info("Starting %s %s at %s", trigger_word(trigger), command, moment)
        else:
            _log.info("Starting %s %s sync at %s", trigger_word(trigger), what, moment)

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        _log.info("%s", step_line(name, number, of))

    def location_done(self, step: StepName, result: LocationResult) -> None:
        of_file = step in FILE_STEPS
        label = location_label(result) if of_file else f"{step.value} {location_label(result)}"
        if result.error and not result.is_refused:
            if of_file:  # its error names the file
                _log.error("%s", result.error)
            else:
                _log.debug("%s: %s", label, result.error)
        level = logging.INFO if self._dry_run or of_file else logging.DEBUG
        if result.counts.rows or not result.error:
            _log.log(level, "%s: %s", label, result_text(result, dry_run=self._dry_run))
        if result.changed:
            numbers = ", ".join(number or "(no booking number)" for number in result.changed)
            _log.log(level, "%s: left as they are, but changed at the source: %s", label, numbers)
        for row in result.finished:
            _log.debug("%s: %s", label, finished_words(row))

    def file_read(self, step: StepName, progress: FileProgress) -> None:
        """Not worth a line: the file's result is one."""

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        """Not worth a line: the file's result is one."""

    def step_finished(self, result: StepResult) -> None:
        if result.name in FILE_STEPS:
            _log.info("Files processed: %d/%d", result.processed, result.total)
        elif result.name is not StepName.STORES:
            _log.info("Locations processed: %d/%d", result.processed, result.total)
        elif result.counts.saved:
            new = "New stores that would be saved: %d" if self._dry_run else "New stores: %d"
            _log.info(new, result.counts.saved)
        if result.note:
            _log.info("%s: %s", STEP_TITLES[result.name], result.note)
        for message in step_warnings(result):
            _log.warning("%s: %s", STEP_TITLES[result.name], message)
        if result.error and result.name not in FILE_STEPS:
            level = logging.WARNING if result.status is StepStatus.PARTIAL else logging.ERROR
            _log.log(level, "%s", self._errors.words(result))

    def audited(self, step: StepName, result: AuditResult) -> None:
        level = logging.INFO if result.counts.saved else logging.DEBUG
        _log.log(level, "%s: %s", STEP_TITLES[step], audit_words(result, dry_run=self._dry_run))

    def run_finished(self, result: RunResult) -> None:
        if result.corrected_lines is not None:
            _log.info("%s", corrected_words(result.corrected_lines, dry_run=self._dry_run))
        for line in (*total_lines(result), *closing_lines(result, self._next_start)):
            _log.info("%s", line)

    def warning(self, message: str) -> None:
        _log.warning("%s", message)

    def rows_rejected(self, new: int) -> None:
        _log.warning("%s", rejected_words(new, dry_run=self._dry_run))


class _AllOf:
    """Tells each of several listeners of every event."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def __getattr__(self, event: str) -> Callable[..., None]:
        methods = [getattr(listener, event) for listener in self._listeners]

        def tell(*facts: object) -> None:
            for method in methods:
                method(*facts)

        return tell


Listeners = cast("Callable[[Sequence[Listener]], Listener]", _AllOf)
"""Makes one listener of several."""
