"""What syncctl keeps of each row of a source: a record of the lead that it became, or a reject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_values import LeadValues


class SourceRecord(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """One lead as its source tells it; `key` is its identity, and `lead_id` is derived from it, or from the
    key under which the sync has known it since before the key rules changed. `former_phones`, `former_day`:
    what else its phone number, and its day, were read as under earlier rules."""

    key: str
    lead_id: str
    values: LeadValues
    former_phones: tuple[str, ...] = ()
    former_day: date | None = None


class CorrectionOutcome(StrEnum):
    """What became of a booking's lead when the source corrected its phone number. TAKEN: it has the new
    number. LEFT: somebody had called the customer or edited the number, so it was left as it is. NEW_LEAD: it
    was finished without anybody being reached, so the new number is a new lead. FINISHED, DELETED: it stays
    away. SECOND_LEAD: each number has a lead of its own, as the source had both at once before."""

    TAKEN = "taken"
    LEFT = "left"
    NEW_LEAD = "new lead"
    FINISHED = "finished"
    DELETED = "deleted"
    SECOND_LEAD = "second lead"


@dataclass(frozen=True, slots=True)
class Correction:
    """A phone number corrected at the source, kept with the record of the new number. `at`: when that was
    seen, true UTC. `phone_before`: ten digits. `report_id`: of the report that had finished the lead, if
    FINISHED; else of one that had finished an earlier lead of the booking, under this number."""

    at: datetime
    phone_before: str
    outcome: CorrectionOutcome
    run_id: str
    report_id: str | None = None

    @property
    def finished_by(self) -> str | None:
        """The report that finished the lead."""
        return self.report_id if self.outcome is CorrectionOutcome.FINISHED else None


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What a run needs of a `syncrecords` entry: which lead it became, the source's values last seen, in
    short, which source of which location it first came from, and the report that finished it, if one did.
    `replaced_by`: the phone number that the source has corrected its own to."""

    lead_id: str
    fingerprint: str
    location: str
    source: str
    report_id: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """An entry of `syncrecords`: that the sync has dealt with `key`, and what the source said of it last.

    `record_id` is the id derived from the key; `lead_id` the lead's, which differs where a lead of the old
    system was adopted. `values` is the base of a three-way merge, `fingerprint` its short form. `report_id`:
    the report that finished the lead; no other record has the same. `replaced_by`: the phone number that the
    source has corrected its own to: the record with that number has taken its place, and mostly its lead.
    `corrections`: each time that this record took another one's place, oldest first.
    """

    record_id: str
    key: str
    lead_id: str
    source: str
    location: str
    values: LeadValues
    fingerprint: str
    first_seen_at: datetime
    first_run_id: str
    report_id: str | None = None
    replaced_by: str | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether no further report is to be expected of it: one has finished its lead, or the source has
        corrected its number."""
        by_report = self.report_id or (self.corrections and self.corrections[-1].finished_by)
        return self.replaced_by is not None or bool(by_report)

    @property
    def earlier_reports(self) -> frozenset[str]:
        """The reports that finished earlier leads of the booking: they are not about the one that it has."""
        return frozenset(
            made.report_id for made in self.corrections if made.report_id and made.finished_by is None
        )


class Write(NamedTuple):
    """A value that an import has given a field of a lead, or was about to when it was killed; None took the
    field away."""

    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not become a lead.

    `reject_id` is derived from source, location and row: the same bad row is listed once. `source` is the
    step's name, `location` the location id or the file's name, `store` the store it was for ("": unknown).
    `position` tells which row of the source it was, so that its correction clears it. `row` is the raw row
    as JSON text.
    """

    reject_id: str
    source: str
    location: str
    store: str
    position: str
    reason: str
    row: str
    run_id: str
    rejected_at: datetime
