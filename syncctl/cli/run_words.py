"""What a run, its steps, locations and files came to, in words: for logs and the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import AuditResult, Counts, FinishedRow, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, FILE_WORDS, PLURALS, RECORDS, SOURCES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.locations import ALL_LOCATIONS, location_words
from syncctl.ports.machine import NextStart
from syncctl.text import plural, quantity

STEP_TITLES = {step: word.capitalize() for step, word in PLURALS.items()}
STEP_STYLES = {StepStatus.SUCCESS: "green", StepStatus.PARTIAL: "yellow", StepStatus.FAILED: "red"}

_LOG_TITLES = {report: source.title for report, source in SOURCES.items()} | {
    StepName.LOSS_OF_SALE: "Loss of Sale"
}
"""Where the old system's log called a step otherwise."""

_STARTED: Mapping[str, str] = {
    "api": f"Syncing stores, {RECORDS}",
    "all": f"Syncing stores, {RECORDS}, then importing new files",
    StepName.STORES: "Syncing the store list",
    **{report: f"Syncing {source.plural}" for report, source in SOURCES.items()},
    "verify source": f"Checking {RECORDS} against the API, syncing what is missing",
    "rejects import": "Reading the corrected sheet",
    "rejects retry": "Trying the rejects again",
}
"""Command -> what its run does."""


def trigger_word(trigger: Trigger) -> str:
    """The log's word for a trigger."""
    return "automatic" if trigger is Trigger.AUTO else "manual"


def place_noun(step: str, count: int) -> str:
    """What a step goes through one by one: locations, or files."""
    return plural(count, "file" if step in FILE_STEPS else "location")


def location_label(result: LocationResult) -> str:
    """A location id with its store, if known."""
    return f"{result.location or ALL_LOCATIONS} {result.store}".rstrip()


COUNT_WORDS = {
    "saved": "added",
    "updated": "changed",
    "existing": "already there",
    "reported": "finished",
    "merged": "merged",
    "invalid": "rejected",
    "ignored": "ignored",
}
"""What people call the counts."""

_WOULD_BE = ("saved", "updated", "invalid")
"""What a dry run would do; the others are so already."""


def count_word(name: str, *, dry_run: bool) -> str:
    """What people call one of the counts, behind its number."""
    return f"would be {COUNT_WORDS[name]}" if dry_run and name in _WOULD_BE else COUNT_WORDS[name]


def counts_text(counts: Counts, *, dry_run: bool = False, is_retry: bool = False) -> str:
    """Counts as text, zeros left out. `is_retry`: the rows are rejects that were tried again."""
    words = {name: count_word(name, dry_run=dry_run) for name in COUNT_WORDS}
    if is_retry:
        words["invalid"] = f"still {COUNT_WORDS['invalid']}"
    parts = ", ".join(
        f"{number:,} {word}" for name, word in words.items() if (number := getattr(counts, name))
    )
    rows = f"{quantity(counts.rows, 'reject')} tried again" if is_retry else quantity(counts.rows, "row")
    return f"{rows}: {parts}" if parts else "no rows"


def started_words(command: str, *, dry_run: bool) -> str:
    """What a run is about to do; "" where that is left to `importing_words`."""
    doing = _STARTED.get(command, "")
    return f"{doing} (dry run: nothing will be written)" if doing and dry_run else doing


def importing_words(step: StepName, files: int, *, dry_run: bool) -> str:
    """What an import's step is about to do."""
    suffix = " (dry run: nothing will be written)" if dry_run else ""
    return f"Importing {quantity(files, FILE_WORDS[step])}{suffix}"


def step_line(name: StepName, number: int, of: int) -> str:
    """The beginning of a step, as the old system's log said it."""
    doing = "Importing" if name in FILE_STEPS else "Syncing"
    return f"Step {number}/{of}: {doing} {_LOG_TITLES.get(name, STEP_TITLES[name])}…"


def result_text(result: LocationResult, *, dry_run: bool = False) -> str:
    """The result of a location or file as text."""
    if result.unchanged:
        return "unchanged since its last import"
    text = counts_text(result.counts, dry_run=dry_run)
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
    would_be = "that would be " if result.dry_run else ""
    saved, updated, skipped = (f"{would_be}{word}" for word in ("saved", "updated", "skipped"))
    lines = [
        "Dry run: nothing was written" if result.dry_run else "",
        f"Total new records {saved}: {counts.saved}",
        f"Total {updated}: {counts.updated}" if counts.updated else "",
        f"Total {skipped} (already exists): {counts.existing + counts.reported}",
        f"Total {skipped}, but changed at the source: {changed}" if changed else "",
        f"Total {would_be}rejected: {counts.invalid}" if counts.invalid else "",
        f"Total errors: {sum(step.errors for step in result.steps)}",
    ]
    return [line for line in lines if line]


def next_sync_words(start: NextStart, when: Callable[[datetime], str]) -> str:
    """When the next sync starts by itself, or why none does; the same wherever it is said."""
    if start.is_paused:
        return "none while paused (API_SYNC_ENABLED=false)"
    if start.at:
        return when(start.at)
    if start.problem:
        problem = f"{start.problem}. {start.hint}" if start.hint else start.problem
        return f"{'none' if start.by else 'not known'}: {problem}"
    if start.by:
        return "see `syncctl cron show` for when"
    hidden = ", unless something that can't be seen from here starts it" if start.may_be_hidden else ""
    return f"none scheduled: `syncctl cron install`{hidden}"


def outcome_words(result: RunResult, start: NextStart, when: Callable[[datetime], str]) -> str:
    """When the API's failures are tried again; "" if there were none."""
    of_api = steps_of_api(result)
    next_try = f"Next try at {when(start.at)}." if start.at else "Run it again when that is fixed."
    if result.dry_run or not any(step.errors for step in of_api):
        return ""
    if any(step.status is not StepStatus.FAILED or step.counts.rows for step in of_api):
        return f"A part failed; everything else is stored. {next_try}"
    return f"Nothing was synced{' from the API' if len(of_api) < len(result.steps) else ''}. {next_try}"


def closing_lines(result: RunResult, next_start: Callable[[], NextStart] = NextStart) -> list[str]:
    """What follows the totals in the log: what happens next, and how long the run took. `next_start`: what
    starts the next sync, asked only after a sync."""
    lines = []
    start = next_start() if steps_of_api(result) else NextStart()
    if failed := outcome_words(result, start, instant):
        lines.append(failed)
    if _is_complete_automatic_sync(result):
        lines.append("Automatic API sync completed successfully")
    lines.append(f"Duration: {result.duration_s:.1f} s")
    if steps_of_api(result):
        lines.append(f"Next sync: {next_sync_words(start, instant)}")
    return lines


def audit_words(audit: AuditResult, *, dry_run: bool) -> str:
    """The result of one report's audits as text."""
    asked = f"{quantity(audit.locations, 'location')} asked for everything as a check"
    if audit.failed:
        asked += f" ({len(audit.failed):,} more failed)"
    if not audit.counts.saved:
        return f"{asked}: nothing was missing"
    added = f"{audit.counts.saved:,} {count_word('saved', dry_run=dry_run)}"
    return f"{asked}: {added} that the usual calls had missed"


def rejected_words(new: int, *, dry_run: bool) -> str:
    """How many rows were newly rejected, and which command shows them."""
    rows = quantity(new, "row")
    if dry_run:
        return f"{rows} would be newly rejected: after a real run `syncctl rejects list` shows why."
    return f"{rows} newly rejected: `syncctl rejects list` shows why."


def corrected_words(lines: Mapping[str, int], *, dry_run: bool = False) -> str:
    """What became of corrected or retried rejects. `lines`: outcome -> how many."""
    words = {"fixed": "would be fixed" if dry_run else "fixed"}
    words |= {"still_invalid": "still rejected", "unchanged": "unchanged"}
    return ", ".join(f"{lines[outcome]:,} {word}" for outcome, word in words.items() if outcome in lines)


def steps_of_api(result: RunResult) -> list[StepResult]:
    """The steps that ask the API."""
    return [step for step in result.steps if step.name not in FILE_STEPS]


def _is_complete_automatic_sync(result: RunResult) -> bool:
    return (result.command, result.trigger, result.dry_run) == ("api", Trigger.AUTO, False) and all(
        step.status is StepStatus.SUCCESS for step in result.steps
    )


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


class StepErrors:
    """What failed each step, in words. A refused key is explained once, though it fails several steps."""

    def __init__(self) -> None:
        self._refusals: set[str] = set()

    def words(self, result: StepResult) -> str:
        """The error of a step that has one, with its title."""
        title = STEP_TITLES[result.name]
        if result.refusal is None or result.refusal not in self._refusals:
            self._refusals.update(filter(None, [result.refusal]))
            return f"{title}: {result.error}"
        return f"{title}: {quantity(result.errors, 'location')} failed for the same reason"


def finished_words(row: FinishedRow) -> str:
    """Which report finished a row's lead, and when."""
    visit = f" of {row.day}" if row.day else ""
    when = f" on {instant(row.finished_at)}" if row.finished_at else ""
    return f"{row.place}{visit}: finished{when} (report {row.report_id})"
