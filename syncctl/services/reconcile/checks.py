"""The summary of a completeness check: one finding per question, with a hint."""

from __future__ import annotations

from collections.abc import Iterator

from syncctl.domain.checks import CheckReport, Finding
from syncctl.domain.sources import REPORT_STEPS, StepName
from syncctl.services.reconcile.results import ChangedBy, Completeness, SourceCounts
from syncctl.services.sync.step_results import failure_summary
from syncctl.text import quantity

COMMAND = "verify source"
DROPPED = "Dropped by the API"

_WORDS = (
    ("in_leads", "in leads"),
    ("edited_away", "in leads under edited names or numbers"),
    ("in_reports", "finished"),
    ("deleted", "deleted on purpose"),
    ("rejected", "rejected"),
    ("answered", "rejected, since corrected or dismissed"),
    ("missing", "missing"),
    ("unlisted", "rejected, but not on the rejects list"),
    ("merged", "more item rows of the same bookings"),
    ("not_due", "not booked or returned yet"),
)


def source_checks(found: Completeness) -> CheckReport:
    """The check in short."""
    return CheckReport(COMMAND, tuple(_checks(found)))


def counts_in_words(counts: SourceCounts) -> str:
    """The counts of an answer's rows; zeros are left out."""
    parts = [f"{number:,} {word}" for name, word in _WORDS if (number := getattr(counts, name))]
    return f"{quantity(counts.rows, 'row')}: {', '.join(parts)}" if parts else "no rows"


def _checks(found: Completeness) -> Iterator[Finding]:
    asked = len({location.location for location in found.locations})
    yield Finding.passed("Asked for", f"{found.first} to {found.last}, {quantity(asked, 'location')}")
    said: set[str] = set()
    for report in REPORT_STEPS:
        yield _report(found, report, said)
    if not all(location.error for location in found.locations):
        yield _missing(found)
        yield _changed(found)
        yield _withdrawn(found)
    for warning in found.warnings:
        yield Finding.warning(
            "Not checked", warning, "Run it again, for all locations, once the API answers normally."
        )


def _report(found: Completeness, report: StepName, said: set[str]) -> Finding:
    """`said`: the refusals that are explained already; a new one is added."""
    locations = found.of(report)
    name = f"{report.value.title()} report"
    counted = counts_in_words(sum((location.counts for location in locations), SourceCounts()))
    failed = [location.failed for location in locations if location.error is not None]
    if (failures := failure_summary(failed, len(locations))) is None:
        return Finding.passed(name, counted)
    refusals = {location.error or "" for location in failed if location.is_refused}
    if refusals and refusals <= said:
        failures = f"{quantity(len(failed), 'location')} failed for the same reason"
    said |= refusals
    if len(failed) < len(locations):
        failures += f"; the others: {counted}"
    return Finding.failed(name, failures, "`syncctl doctor` asks the API; run this again when it answers.")


def _nothing(found: Completeness) -> str:
    """ "No findings" in words: nothing is known about locations that failed."""
    failed = any(location.error for location in found.locations)
    return "nothing at the locations that answered" if failed else "nothing"


def _missing(found: Completeness) -> Finding:
    missing = [entry for location in found.locations for entry in location.missing]
    if found.run is None:
        if not missing:
            return Finding.passed("Missing", _nothing(found))
        return Finding.failed(
            "Missing",
            f"{quantity(len(missing), 'record')}, listed below",
            "Run it again with --repair to sync exactly these. What was booked since the last sync comes "
            "with the next one.",
        )
    repairs = [location.repair.counts for location in found.locations if location.repair]
    saved, listed = sum(counts.saved for counts in repairs), sum(counts.invalid for counts in repairs)
    done = f"{saved:,} added" + (f", {listed:,} rejected" if listed else "")
    if left := sum(len(location.left) for location in found.locations):
        return Finding.failed(
            "Missing",
            f"{left:,} of {quantity(len(missing), 'record')} still missing; {done}",
            "`syncctl rejects list` may say why; else run it again.",
        )
    if not missing:
        return Finding.passed("Missing", _nothing(found))
    return Finding.passed(
        "Missing", f"{_nothing(found)} any more; of {quantity(len(missing), 'record')} {done}"
    )


def _changed(found: Completeness) -> Finding:
    differences = [entry for location in found.locations for entry in location.differences]
    if not differences:
        return Finding.passed("Changed at the source", _nothing(found))
    leads = len({entry.lead_id for entry in differences})
    perhaps = sum(entry.field.changed_by is ChangedBy.EITHER for entry in differences)
    message = f"{quantity(leads, 'lead')}, listed below"
    if perhaps:
        message += f"; {quantity(perhaps, 'field')} may be a telecaller's edit instead"
    return Finding.warning(
        "Changed at the source",
        message,
        "A sync doesn't change these leads: let the telecallers know, or correct them in the web app.",
    )


def _withdrawn(found: Completeness) -> Finding:
    if not found.withdrawn:
        return Finding.passed(DROPPED, _nothing(found))
    return Finding.warning(
        DROPPED,
        f"{quantity(len(found.withdrawn), 'lead')}, listed below: cancelled at the source, or there under "
        "another phone or booking number",
        "Ask the shop. syncctl deletes none of them: if a booking was cancelled, delete its lead in the web "
        "app.",
    )
