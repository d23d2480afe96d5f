"""What a run, its steps, locations and files came to, in words: for logs and the screen."""

from __future__ import annotations

from collections.abc import Mapping

from syncctl.domain.run_documents import instant
from syncctl.domain.run_results import AuditResult, Counts, FinishedRow, LocationResult, RunResult, StepResult
from syncctl.domain.sources import FILE_STEPS, SOURCES, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.locations import ALL_LOCATIONS, location_words
from syncctl.text import plural, quantity

STEP_TITLES = {
    StepName.STORES: "Stores",
    **{report: source.title for report, source in SOURCES.items()},
    StepName.WALKIN: "Walk-ins",
    StepName.LOSS_OF_SALE: "Loss of Sale",
}


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
