"""The log lines of a run in progress, for cron, pipes and the log file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import AuditResult, Counts, FinishedRow, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, SOURCES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.locations import ALL_LOCATIONS, location_words
from syncctl.ports.listener import FileProgress, Listener
from syncctl.text import plural, quantity

STEP_TITLES = {
    StepName.STORES: "Stores",
    **{report: source.title for report, source in SOURCES.items()},
    StepName.WALKIN: "Walk-ins",
    StepName.LOSS_OF_SALE: "Loss of Sale",
}

_log = logging.getLogger("syncctl.run")


def trigger_word(trigger: Trigger) -> str:
    """The log's word for a trigger."""
    return "automatic" if trigger is Trigger.AUTO else "manual"


def location_label(result: LocationResult) -> str:
    """A location id with its store, if known."""
    return f"{result.location or ALL_LOCATIONS} {result.store}".rstrip()


_DONE = (
    ("saved", "{:,} saved"),
    ("updated", "{:,} updated"),
    ("existing", "{:,} skipped (already there)"),
    ("reported", "{:,} in reports"),
    ("merged", "{:,} merged"),
    ("invalid", "{:,} rejected"),
    ("ignored", "{:,} ignored"),
)
_WOULD = (
    ("saved", "save {:,}"),
    ("updated", "update {:,}"),
    ("existing", "skip {:,} (already there)"),
    ("reported", "leave {:,} in reports"),
    ("merged", "merge {:,}"),
    ("invalid", "reject {:,}"),
    ("ignored", "ignore {:,}"),
)
_WOULD_IMPORT = (("saved", "add {:,}"), ("updated", "change {:,}"), ("existing", "keep {:,}"), *_WOULD[3:])


def counts_text(
    counts: Counts, step: StepName | None = None, *, dry_run: bool = False, is_retry: bool = False
) -> str:
    """Counts as text, zeros left out. `step`: whose they are; of a dry run, an import adds and changes.
    `is_retry`: what is invalid was so before."""
    words = dict(_DONE if not dry_run else _WOULD_IMPORT if step in FILE_STEPS else _WOULD)
    if is_retry:
        words["invalid"] = "leave {:,} still invalid" if dry_run else "{:,} still invalid"
    parts = ", ".join(
        text.format(number) for name, text in words.items() if (number := getattr(counts, name))
    )
    if not parts:
        return "no rows"
    return f"{quantity(counts.rows, 'row')}: {'would ' if dry_run else ''}{parts}"


def result_text(result: LocationResult, step: StepName | None = None, *, dry_run: bool = False) -> str:
    """The result of a location or file as text."""
    if result.unchanged:
        return "unchanged since its last import"
    text = counts_text(result.counts, step, dry_run=dry_run)
    if not result.answered:
        return text
    are = plural(result.answered, "is", "are")
    return f"{text}; {quantity(result.answered, 'row')} answered before {are} passed over"


def total_lines(result: RunResult) -> list[str]:
    """The totals that the old system's log gave at the end of a run, and those that it kept quiet about.

    Records are leads; stores count only where they are all that was synced.
    """
    if result.corrected_lines is not None:
        return []  # the sheet's own lines say it
    reports = [step for step in result.steps if step.name is not StepName.STORES] or result.steps
    counts = sum((step.counts for step in reports), Counts())
    changed = sum(step.changed for step in result.steps)
    saved, updated, skipped, listed = (
        ("that would be saved", "that would be updated", "that would be skipped", "would go on")
        if result.dry_run
        else ("saved", "updated", "skipped", "on")
    )
    lines = [
        "Dry run: nothing was written" if result.dry_run else "",
        f"Total new records {saved}: {counts.saved}",
        f"Total {updated}: {counts.updated}" if counts.updated else "",
        f"Total {skipped} (already exists): {counts.existing + counts.reported}",
        f"Total {skipped}, but changed at the source: {changed}" if changed else "",
        f"Total invalid ({listed} the rejects list): {counts.invalid}" if counts.invalid else "",
        f"Total errors: {sum(step.errors for step in result.steps)}",
    ]
    return [line for line in lines if line]


def closing_lines(result: RunResult) -> list[str]:
    """What follows the totals: what happens next, and how long the run took."""
    lines = []
    of_api = [step for step in result.steps if step.name not in FILE_STEPS]
    if any(step.errors for step in of_api) and not result.dry_run:
        lines.append("What failed is tried again at the next sync; everything else is stored.")
    if _is_complete_automatic_sync(result):
        lines.append("Automatic API sync completed successfully")
    lines.append(f"Duration: {result.duration_s:.1f} s")
    if result.next_sync_at and of_api:
        lines.append(f"Next sync: {instant(result.next_sync_at)}")
    return lines


def audit_words(audit: AuditResult, *, dry_run: bool) -> str:
    """The result of one report's audits as text."""
    asked = f"{quantity(audit.locations, 'location')} asked for everything as a check"
    if audit.failed:
        asked += f", {len(audit.failed)} in vain"
    if not audit.counts.saved:
        return f"{asked}: nothing was missing"
    saved = f"would save {audit.counts.saved}" if dry_run else f"{audit.counts.saved} saved"
    return f"{asked}: {saved} that the usual calls had left out"


def rejected_words(new: int, *, dry_run: bool) -> str:
    """How many rows were newly rejected, and which command shows them."""
    rows = quantity(new, "row")
    if dry_run:
        return f"{rows} would be newly rejected: after a real run `syncctl rejects list` shows why."
    return f"{rows} newly rejected: `syncctl rejects list` shows why."


def corrected_words(lines: Mapping[str, int], *, dry_run: bool = False) -> str:
    """What became of the lines of a corrected sheet. `lines`: outcome -> how many."""
    words = {"fixed": "would be fixed" if dry_run else "fixed"}
    words |= {"still_invalid": "still invalid", "unchanged": "unchanged"}
    return ", ".join(f"{lines.get(outcome, 0):,} {word}" for outcome, word in words.items())


def _is_complete_automatic_sync(result: RunResult) -> bool:
    return (result.command, result.trigger, result.dry_run) == ("api", Trigger.AUTO, False) and all(
        step.status is StepStatus.SUCCESS for step in result.steps
    )


class LogListener:
    """Writes a run to the log, one line per event, in the old system's wording."""

    def __init__(self) -> None:
        self._dry_run = False

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        self._dry_run = dry_run
        suffix = " (dry run: nothing will be written)" if dry_run else ""
        what = {"api": "API", "all": "API and file", StepName.STORES: "store"}.get(command, command)
        moment = f"{instant(started_at)}{suffix}"
        if command.startswith(("import ", "rejects ")):
            _log.info("Starting %s %s at %s", trigger_word(trigger), command, moment)
        else:
            _log.info("Starting %s %s sync at %s", trigger_word(trigger), what, moment)

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        doing = "Importing" if name in FILE_STEPS else "Syncing"
        _log.info("Step %d/%d: %s %s…", number, of, doing, STEP_TITLES[name])

    def location_done(self, step: StepName, result: LocationResult) -> None:
        of_file = step in FILE_STEPS
        label = location_label(result) if of_file else f"{step.value} {location_label(result)}"
        if result.error:
            if of_file:  # its error names the file
                _log.error("%s", result.error)
            else:
                _log.debug("%s: %s", label, result.error)
        level = logging.INFO if self._dry_run or of_file else logging.DEBUG
        if result.counts.rows or not result.error:
            _log.log(level, "%s: %s", label, result_text(result, step, dry_run=self._dry_run))
        if result.changed:
            numbers = ", ".join(number or "(no booking number)" for number in result.changed)
            _log.log(level, "%s: skipped, but changed at the source: %s", label, numbers)
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
            _log.log(level, "%s: %s", STEP_TITLES[result.name], result.error)

    def audited(self, step: StepName, result: AuditResult) -> None:
        level = logging.INFO if result.counts.saved else logging.DEBUG
        _log.log(level, "%s: %s", STEP_TITLES[step], audit_words(result, dry_run=self._dry_run))

    def run_finished(self, result: RunResult) -> None:
        if result.corrected_lines is not None:
            _log.info("%s", corrected_words(result.corrected_lines, dry_run=self._dry_run))
        for line in (*total_lines(result), *closing_lines(result)):
            _log.info("%s", line)

    def warning(self, message: str) -> None:
        _log.warning("%s", message)

    def rows_rejected(self, new: int) -> None:
        _log.warning("%s", rejected_words(new, dry_run=self._dry_run))


def step_warnings(result: StepResult, *, with_conflicts: bool = True) -> list[str]:
    """One line for each distinct warning of a step's locations and each conflict of its files."""
    places: dict[str, list[str]] = {}
    for location in result.locations:
        if location.warning:
            places.setdefault(location.warning, []).append(location.location)
    if result.name in FILE_STEPS:
        warnings = [f"{file}: {warning}" for warning, files in places.items() for file in files]
    else:
        warnings = [f"{warning} ({location_words(', '.join(where))})" for warning, where in places.items()]
    if not with_conflicts:
        return warnings
    conflicts = [
        f"{location.location} {line}" for location in result.locations for line in location.conflicts
    ]
    return warnings + conflicts


def finished_words(row: FinishedRow) -> str:
    """Which report finished a row's lead, and when."""
    visit = f" of {row.day}" if row.day else ""
    when = f", finished on {instant(row.finished_at)}" if row.finished_at else ""
    return f"{row.place}{visit}: in reports: {row.report_id}{when}"


class Listeners:
    """Forwards events to several listeners."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = tuple(listeners)

    def run_started(self, command: str, trigger: Trigger, dry_run: bool, started_at: datetime) -> None:
        for listener in self._listeners:
            listener.run_started(command, trigger, dry_run, started_at)

    def step_started(self, name: StepName, number: int, of: int, locations: int) -> None:
        for listener in self._listeners:
            listener.step_started(name, number, of, locations)

    def location_done(self, step: StepName, result: LocationResult) -> None:
        for listener in self._listeners:
            listener.location_done(step, result)

    def file_read(self, step: StepName, progress: FileProgress) -> None:
        for listener in self._listeners:
            listener.file_read(step, progress)

    def records_stored(self, step: StepName, stored: int, of: int) -> None:
        for listener in self._listeners:
            listener.records_stored(step, stored, of)

    def step_finished(self, result: StepResult) -> None:
        for listener in self._listeners:
            listener.step_finished(result)

    def audited(self, step: StepName, result: AuditResult) -> None:
        for listener in self._listeners:
            listener.audited(step, result)

    def run_finished(self, result: RunResult) -> None:
        for listener in self._listeners:
            listener.run_finished(result)

    def warning(self, message: str) -> None:
        for listener in self._listeners:
            listener.warning(message)

    def rows_rejected(self, new: int) -> None:
        for listener in self._listeners:
            listener.rows_rejected(new)
