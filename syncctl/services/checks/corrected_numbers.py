"""Phone numbers that the source has corrected: how many, and which leads a person should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncctl.domain.records import CorrectionOutcome, SyncRecord
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database
from syncctl.services.matching.legacy_leads import text_of


@dataclass(frozen=True, slots=True)
class LeadToReview:
    """A lead that still has the number that the source has corrected, as somebody had worked on it."""

    booking_no: str
    store: str
    phone_before: str
    """Ten digits."""

    phone: str
    """Ten digits."""

    at: datetime
    """When the correction was seen."""


@dataclass(frozen=True, slots=True)
class SecondLead:
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
