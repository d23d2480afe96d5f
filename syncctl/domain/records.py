"""What syncctl keeps of each row of a source: a record of the lead that it became, or a reject."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_values import LeadValues


class SourceRecord(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """One lead as its source gives it."""

    key: str
    """Its identity."""

    lead_id: str
    """Derived from the key, or from the key under which the sync has known it since before the key rules
    changed."""

    values: LeadValues

    former_phones: tuple[str, ...] = ()
    """What else its phone number was read as under earlier rules."""

    former_day: date | None = None
    """What its day was read as under earlier rules."""


class CorrectionOutcome(StrEnum):
    """What became of a booking's lead when the source corrected its phone number."""

    TAKEN = "taken"
    """It has the new number."""

    LEFT = "left"
    """Somebody had called the customer or edited the number, so it was left as it is."""

    NEW_LEAD = "new lead"
    """It was finished without anybody being reached, so the new number is a new lead."""

    FINISHED = "finished"
    """It was finished and stays away."""

    DELETED = "deleted"
    """It was deleted and stays away."""

    SECOND_LEAD = "second lead"
    """Each number has a lead of its own, as the source had both at once before."""


class Correction(NamedTuple):
    """A phone number corrected at the source, kept with the record of the new number."""

    at: datetime
    """When that was seen, true UTC."""

    phone_before: str
    """Ten digits."""

    outcome: CorrectionOutcome
    run_id: str

    report_id: str | None = None
    """The report that had finished the lead, if FINISHED; else one that had finished an earlier lead of the
    booking, under this number."""

    @property
    def finished_by(self) -> str | None:
        """The report that finished the lead."""
        return self.report_id if self.outcome is CorrectionOutcome.FINISHED else None


@dataclass(slots=True)  # made for every row: a frozen one takes three times as long
class KnownRecord:
    """What a run needs of a `syncrecords` entry."""

    lead_id: str

    fingerprint: str
    """Short form of the source's values last seen."""

    location: str
    """Where it first came from, as `source`."""

    source: str

    report_id: str | None = None
    """The report that finished its lead."""

    replaced_by: str | None = None
    """The phone number that the source has corrected its own to."""

    first_seen_at: datetime | None = field(default=None, compare=False)
    """When the run began that added it; None where that was not looked up."""


@dataclass(slots=True)  # made for every new row, as KnownRecord
class SyncRecord:
    """An entry of `syncrecords`: that the sync has dealt with a key, and what the source said of it last."""

    record_id: str
    """Derived from the key."""

    key: str

    lead_id: str
    """Another than `record_id` where a lead of the old system was linked."""

    source: str
    """The name of the step that first brought it."""

    location: str
    """The location id or the file's name that it first came from."""

    values: LeadValues
    """The base of a three-way merge."""

    fingerprint: str
    """Short form of `values`."""

    first_seen_at: datetime
    first_run_id: str

    report_id: str | None = None
    """The report that finished the lead; no other record has the same."""

    replaced_by: str | None = None
    """The phone number that the source has corrected its own to: the record with that number has taken its
    place, and mostly its lead."""

    corrections: tuple[Correction, ...] = ()
    """Each time that this record took another one's place, oldest first."""

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
    """A value that an import has given a field of a lead, or was about to when it was killed."""

    value: Any
    """None took the field away."""

    at: datetime


class RejectAnswer(StrEnum):
    """What a person has answered to a reject. An answered one is off the list, and the same row at the same
    place does not bring it back (docs/decisions/0021-answered-rejects.md)."""

    CORRECTED = "corrected"
    """It was corrected in the exported sheet, and saved."""

    DISMISSED = "dismissed"
    """It was taken off the list unsaved."""


class Reject(NamedTuple):
    """A row that could not become a lead."""

    reject_id: str
    """Derived from source, location and row: the same bad row is listed once."""

    source: str
    """The step's name."""

    location: str
    """The location id or the file's name."""

    store: str
    """The store that it was for; "": unknown."""

    position: str
    """Which row of the source it was, so that its correction clears it."""

    reason: str

    row: str
    """The raw row as JSON text; what a person has corrected in it without making it valid is in it."""

    run_id: str
    rejected_at: datetime
