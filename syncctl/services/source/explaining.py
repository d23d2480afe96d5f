"""All that the database has about a phone or booking number, told as the lives of its records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncctl.errors import InvalidRowError, UsageError
from syncctl.finished import FinishedLead
from syncctl.identity import SEPARATOR, derived_id
from syncctl.locations import Locations
from syncctl.mapping import BOOKING_DATE, BOOKING_NO, NAME, PHONE, RETURN_DATE, optional_date
from syncctl.models import FILE_STEPS, Document, Reject, SourceRecord, StepName, SyncRecord
from syncctl.operator_ports import Database, RecordEntry
from syncctl.redact import mask_phone
from syncctl.services.adoption import stored_key, text_of
from syncctl.services.reject_list import row_values
from syncctl.services.rejects import row_text
from syncctl.services.source.life_stories import (
    CameBack,
    Event,
    Origin,
    Runs,
    Story,
    Whereabouts,
    inserted_at,
    place_of,
    report_now,
    story_of_lead,
    story_of_record,
)
from syncctl.values import phone_number, text

_NOT_DIGIT = re.compile("[^0-9]")
MOST_DIGITS_OF_A_PHONE = 14
"""Ten, behind 0091. More are a booking number, whose last ten must not be taken for a phone."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: as a phone number of ten digits, where it may be one, and as a booking number."""

    phone: str | None
    booking_no: str

    @classmethod
    def from_text(cls, asked: str) -> Wanted:
        """Raises UsageError where it can be neither."""
        booking_no = asked.strip()
        if not any(character.isalnum() for character in booking_no):
            raise UsageError("Name a phone number, written in any way, or a booking number.")
        return cls(_phone(booking_no), booking_no)

    def is_named_by(self, value: object) -> bool:
        """Whether a value of a lead or a row is the phone or booking number, however it is written."""
        try:
            written = text(value)
        except InvalidRowError:
            return False
        return bool(written) and (
            written == self.booking_no or (self.phone is not None and _phone(written) == self.phone)
        )

    @property
    def phones(self) -> frozenset[str]:
        return frozenset(filter(None, [self.phone]))

    def __str__(self) -> str:
        return mask_phone(self.phone) if self.phone else self.booking_no


def _phone(written: str) -> str | None:
    if any(character.isalpha() for character in written):
        return None
    return phone_number(written) if len(_NOT_DIGIT.sub("", written)) <= MOST_DIGITS_OF_A_PHONE else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found. `asked`: what was asked for, a phone number masked. `warnings`: what could not be
    found out."""

    asked: str
    stories: tuple[Story, ...]
    warnings: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the database has anything about it."""
        return any(story.whereabouts is not Whereabouts.MISSING for story in self.stories)


@dataclass(frozen=True, slots=True)
class _Finished:
    document: Document
    says: FinishedLead


def explain(database: Database, wanted: Wanted, locations: Locations) -> Explanation:
    """The lives of all records, leads, reports and rejects that name what is wanted; memory follows their
    number, not the database's.

    Raises:
        StorageError: the database refused.
    """
    # A pass over all leads finds every type of lead, and numbers that somebody typed in with spaces.
    lead_ids = {
        lead["_id"]
        for lead in database.scan_leads(("phone", "bookingNo"))
        if wanted.is_named_by(lead.get("phone")) or wanted.is_named_by(lead.get("bookingNo"))
    }
    finished = _reports(database, wanted.phones, {wanted.booking_no}, lead_ids, locations)
    finished = [
        report
        for report in finished
        if report.says.phones & wanted.phones
        or wanted.booking_no in report.says.booking_numbers
        or report.says.lead_ids & lead_ids
    ]
    named = {lead_id for report in finished for lead_id in report.says.lead_ids}
    entries = database.records_about(wanted.phones, {wanted.booking_no}, lead_ids | named)
    entries.sort(key=lambda entry: entry.record.first_seen_at)
    leads = database.leads(lead_ids | {entry.record.lead_id for entry in entries})
    stories, used = _record_stories(database, entries, leads, locations)
    recorded = {entry.record.lead_id for entry in entries}
    gone = [
        (entry.record, bool(story.reports))
        for entry, story in zip(entries, stories, strict=True)
        if story.lead is None
    ]
    stories += [
        story_of_lead(lead, locations, _came_back(lead, gone, locations))
        for lead_id, lead in sorted(leads.items())
        if lead_id not in recorded
    ]
    stories += [_story_of_report(report) for report in finished if report.document["_id"] not in used]
    stories += _reject_stories(database, wanted)
    return Explanation(str(wanted), tuple(stories))


def _came_back(
    lead: Document, gone: Iterable[tuple[SyncRecord, bool]], locations: Locations
) -> CameBack | None:
    """Whether a lead without a record is one that the sync had stored before. `gone`: records whose leads are
    not there any more, each with whether its lead was finished."""
    key, booking_no, at = stored_key(lead, locations), text_of(lead, "bookingNo"), inserted_at(lead["_id"])
    if at is None or lead["_id"] == derived_id(key):
        return None
    for record, finished in gone:
        same_booking = booking_no and booking_no == record.values.get("bookingNo")
        same_type = text_of(lead, "leadType") == record.values.get("leadType")
        if at > record.first_seen_at and (record.key == key or (same_booking and same_type)):
            return CameBack(at, finished)
    return None


def _reports(
    database: Database,
    phones: frozenset[str] | set[str],
    booking_numbers: set[str],
    lead_ids: set[str],
    locations: Locations,
) -> list[_Finished]:
    found = database.find_reports(lead_ids, phones, booking_numbers)
    return [_Finished(document, FinishedLead.from_report(document, locations)) for document in found]


def _record_stories(
    database: Database, entries: Sequence[RecordEntry], leads: dict[str, Document], locations: Locations
) -> tuple[list[Story], set[str]]:
    """The records' stories, and the ids of the reports that are told in them."""
    records = [entry.record for entry in entries]
    reports = _reports(
        database,
        {record.values["phone"] for record in records},
        {number for record in records if (number := record.values.get("bookingNo"))},
        {record.lead_id for record in records},
        locations,
    )
    spoken_for = database.recorded_leads({lead_id for report in reports for lead_id in report.says.lead_ids})
    runs = Runs(database)
    stories, used = [], set()
    for entry in entries:
        lead = leads.get(entry.record.lead_id)
        own = _reports_of(entry.record, lead is not None, reports, spoken_for)
        used |= {document["_id"] for document, _ in own}
        stories.append(story_of_record(entry, lead, own, runs, locations))
    return stories, used


def _reports_of(
    record: SyncRecord, has_lead: bool, reports: Sequence[_Finished], spoken_for: set[str]
) -> list[tuple[Document, bool]]:
    """Reports that hold a record as a sync sees it, each with whether it names the lead. Of a lead that is
    there only those that name it are its own: its customer may have finished others."""
    told = SourceRecord(record.key, record.record_id, record.values)
    others = spoken_for - {record.lead_id}
    own = []
    for report in reports:
        names_it = record.lead_id in report.says.lead_ids
        if names_it or (not has_lead and report.says.holds(told, others)):
            own.append((report.document, names_it))
    return own


def _story_of_report(report: _Finished) -> Story:
    says = report.says
    return Story(
        lead_type=_any(says.lead_types),
        name=_any(says.names),
        phone=_any(says.phones),
        booking_no=_any(says.booking_numbers),
        store=_any(says.stores),
        whereabouts=Whereabouts.FINISHED,
        origin=Origin(None, "", "", None, {}),
        reports=(report_now(report.document),),
        notes=("The sync has no record of it: it was finished before the source told it to this syncctl.",),
    )


def _any(values: frozenset[str]) -> str:
    return min(values, default="")


def _reject_stories(database: Database, wanted: Wanted) -> list[Story]:
    """One story for the rejected rows of each place and reason that are of one booking."""
    runs = Runs(database)
    alike: dict[tuple[str, str, str, str], list[Reject]] = {}
    for reject in database.rejects():
        row = row_values(reject)
        if any(map(wanted.is_named_by, row.values())):
            booking_no = row_text(row, BOOKING_NO)
            alike.setdefault((reject.source, reject.location, reject.reason, booking_no), []).append(reject)
    return [_story_of_rejects(rejects, runs) for rejects in alike.values()]


def _story_of_rejects(rejects: Sequence[Reject], runs: Runs) -> Story:
    first = min(rejects, key=lambda reject: reject.rejected_at)
    row = row_values(first)
    source = StepName(first.source)
    where = place_of(first.source, first.location)
    if source in FILE_STEPS:
        where += f", {' row '.join(first.position.split(SEPARATOR)).strip()}"
    rows = f" ({len(rejects)} rows)" if len(rejects) > 1 else ""
    phone = row_text(row, PHONE)
    return Story(
        lead_type="",
        name=row_text(row, NAME),
        phone=phone_number(phone) or phone,
        booking_no=row_text(row, BOOKING_NO),
        store=first.store,
        whereabouts=Whereabouts.REJECTED,
        origin=Origin(
            source,
            first.location,
            "",
            optional_date(row, RETURN_DATE if source is StepName.RETURN else BOOKING_DATE),
            {},
        ),
        events=(
            Event(
                first.rejected_at, f"rejected{rows}: {first.reason}: {where}, by {runs.told(first.run_id)}"
            ),
        ),
        notes=("Once it is right at the source the next sync saves it; else `syncctl rejects retry`.",),
    )
