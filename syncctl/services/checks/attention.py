"""What waits for a person: imports that failed, rejects, duplicates, and leads whose phone number the source
has corrected.

It colours `status` and stands in the heartbeat's summary, but fails neither: nobody has to get up for it at
night (docs/decisions/0024-what-status-fails-for.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from syncctl.domain.records import CorrectionOutcome, SyncRecord
from syncctl.domain.run_history import SyncLog
from syncctl.domain.sources import FILE_STEPS, PLURALS, SYNC_TYPES, StepName
from syncctl.domain.steps import StepStatus
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database, DuplicateCount, LastLogs
from syncctl.ports.storage import OpenRejects
from syncctl.services.checks.freshness import ago, is_misdated, span
from syncctl.services.matching.legacy_leads import text_of
from syncctl.text import quantity


class LastImport(NamedTuple):
    """The last import of one kind of file."""

    kind: StepName
    log: SyncLog

    @property
    def failed(self) -> bool:
        """Whether all of it, or some of its files, could not be imported."""
        return self.log.status is not StepStatus.SUCCESS


def last_imports(logs: Mapping[str, LastLogs], now: datetime) -> tuple[LastImport, ...]:
    """The last import of each kind, by `synclogs`; without those that are dated in the future, and runs that
    found nothing to import."""
    found = []
    for kind in FILE_STEPS:
        of_kind = logs.get(SYNC_TYPES[kind])
        if of_kind is None:
            continue
        log = of_kind.last_success if of_kind.last.status is StepStatus.SKIPPED else of_kind.last
        if log is not None and not is_misdated(log, now):
            found.append(LastImport(kind, log))
    return tuple(found)


def failed_import_words(imports: Iterable[LastImport], now: datetime) -> Iterator[str]:
    """A line for each kind of file whose last import failed."""
    for each in imports:
        if each.failed:
            how = "failed" if each.log.status is StepStatus.FAILED else "failed in part"
            why = f": {each.log.error_message}" if each.log.error_message else ""
            yield f"The last import of {PLURALS[each.kind]}, {ago(each.log.at, now)}, {how}{why}"


def reject_words(rejects: OpenRejects, now: datetime) -> str:
    """How many rows wait for a correction, and since when: "12 rejects, the oldest 9 days old"."""
    return quantity(rejects.count, "reject") + age_words(rejects, now)


def age_words(rejects: OpenRejects, now: datetime) -> str:
    """ ", the oldest 9 days old", behind their number; "" if that isn't known."""
    if rejects.oldest_at is None or rejects.oldest_at > now:
        return ""
    return f", {'the oldest ' * (rejects.count > 1)}{span(now - rejects.oldest_at)} old"


def duplicate_words(count: DuplicateCount | None, now: datetime) -> str:
    """How many duplicates there were when they were last counted, and when that was; "" for none."""
    if count is None or not count.sets:
        return ""
    sets = quantity(count.sets, "set of duplicates", "sets of duplicates")
    copies = quantity(count.extra_copies, "copy", "copies")
    return f"{sets}, {copies} too many, counted {ago(count.counted_at, now)}"


def waiting_words(survey: Database, now: datetime) -> str:
    """What waits for a person, in one line for the monitor. Raises StorageError."""
    rejects, duplicates = survey.open_rejects(), survey.duplicate_count()
    found = [
        reject_words(rejects, now) if rejects.count else "",
        *failed_import_words(last_imports(survey.last_sync_logs(), now), now),
        duplicate_words(duplicates, now),
    ]
    waits = "; ".join(filter(None, found)) or "nothing"
    return f"Waiting for a person: {waits}{'' if duplicates else ' (duplicates were never counted)'}"


class LeadToReview(NamedTuple):
    """A lead that still has the number that the source has corrected, as somebody had worked on it."""

    booking_no: str
    store: str
    phone_before: str
    """Ten digits."""

    phone: str
    """Ten digits."""

    at: datetime
    """When the correction was seen."""


class SecondLead(NamedTuple):
    """A booking with two leads: the source had two numbers for it at once, and now has one. A person
    decides which lead stays. Numbers have ten digits.
    """

    booking_no: str
    store: str
    phone_before: str
    lead_id_before: str
    phone: str
    lead_id: str
    at: datetime
    """When it was seen."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Phone numbers corrected at the source in the last DAYS days."""

    by_outcome: Mapping[CorrectionOutcome, int] = field(default_factory=dict)
    """How many, by what happened to the leads."""

    left: tuple[LeadToReview, ...] = ()
    """Those that a person should look at, the newest first."""

    second_leads: tuple[SecondLead, ...] = ()
    """The same of bookings with two leads."""

    @property
    def count(self) -> int:
        return sum(self.by_outcome.values())


def corrections_since(database: Database, since: datetime) -> Corrections:
    """What the sync has noted of them. Raises StorageError."""
    records = [entry.record for entry in database.corrected_records(since)]
    recent = Counter(made.outcome for record in records for made in record.corrections if made.at >= since)
    left = [
        record
        for record in records
        if record.replaced_by is None and record.corrections[-1].outcome is CorrectionOutcome.LEFT
    ]
    leads = database.leads([record.lead_id for record in left])
    return Corrections(
        {outcome: recent[outcome] for outcome in CorrectionOutcome if recent[outcome]},
        tuple(
            LeadToReview(
                record.values.get("bookingNo", ""),
                record.values.get("store", ""),
                record.corrections[-1].phone_before,
                record.values["phone"],
                record.corrections[-1].at,
            )
            for record in sorted(left, key=lambda record: record.corrections[-1].at, reverse=True)
            if (lead := leads.get(record.lead_id)) is not None
            and phone_number(text_of(lead, "phone")) != record.values["phone"]
        ),
        _second_leads(database, records),
    )


def _second_leads(database: Database, corrected: Sequence[SyncRecord]) -> tuple[SecondLead, ...]:
    """Of corrected records those whose bookings have two leads still."""
    pairs = [
        (record, made)
        for record in corrected
        for made in record.corrections[-1:]
        if made.outcome is CorrectionOutcome.SECOND_LEAD and record.replaced_by is None
    ]
    if not pairs:
        return ()
    numbers = {record.values.get("bookingNo", "") for record, _ in pairs}
    before = {
        (each.source, each.values.get("bookingNo"), each.values["phone"]): each.lead_id
        for each in (entry.record for entry in database.records_about((), numbers, ()))
    }
    found = [
        SecondLead(
            record.values.get("bookingNo", ""),
            record.values.get("store", ""),
            made.phone_before,
            before[key],
            record.values["phone"],
            record.lead_id,
            made.at,
        )
        for record, made in pairs
        if (key := (record.source, record.values.get("bookingNo"), made.phone_before)) in before
    ]
    there = database.present_leads(
        {lead_id for each in found for lead_id in (each.lead_id, each.lead_id_before)}
    )
    both = [each for each in found if {each.lead_id, each.lead_id_before} <= there]
    return tuple(sorted(both, key=lambda each: each.at, reverse=True))
