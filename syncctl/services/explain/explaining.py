"""All that the database has about a phone or booking number, told as the lives of its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from syncctl.domain.identity import SEPARATOR, current_key, derived_id, id_time
from syncctl.domain.lead_matching import agreements, is_certain
from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document, LeadType
from syncctl.domain.leads import NOTHING_WRITTEN
from syncctl.domain.records import Reject, SourceRecord, SyncRecord
from syncctl.domain.steps import FILE_STEPS, StepName
from syncctl.errors import InvalidRowError, UsageError
from syncctl.locations import Locations
from syncctl.mapping.api_rows import BOOKING_NO, NAME, PHONE, own_date
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import text
from syncctl.ports.admin import Database
from syncctl.ports.storage import RecordEntry
from syncctl.safe_output.phone_numbers import ascii_digits
from syncctl.safe_output.redact import mask_phone
from syncctl.services.explain.record_history import (
    CameBack,
    Event,
    Finishers,
    Origin,
    Runs,
    Story,
    Whereabouts,
    finished_events,
    lead_now,
    place_of,
    story_of_lead,
    story_of_record,
)
from syncctl.services.matching.legacy_leads import stored_file_key, stored_key, text_of
from syncctl.services.matching.matching import Matcher
from syncctl.services.own_writes import writes_into
from syncctl.services.reconcile.differences import Base
from syncctl.services.rejects.reject_list import row_values
from syncctl.services.rejects.updating import row_text
from syncctl.text import same_text

FEWEST_DIGITS = 7
"""Fewer are no phone number, whoever's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: as a phone number of ten digits, where imports read one, as the digits of a number
    that they can't read ("": too few), and as a booking number."""

    phone: str | None
    digits: str
    booking_no: str

    @classmethod
    def from_text(cls, asked: str) -> Wanted:
        """Raises UsageError where it can be neither."""
        booking_no = asked.strip()
        if not any(character.isalnum() for character in booking_no):
            raise UsageError("Name a phone number, written in any way, or a booking number.")
        phone = phone_number(booking_no)
        is_word = any(map(str.isalpha, booking_no))
        digits = "" if phone or is_word else ascii_digits(booking_no)
        return cls(phone, digits if len(digits) >= FEWEST_DIGITS else "", same_text(booking_no))

    def is_named_by(self, value: object) -> bool:
        """Whether a value of a lead or a row is the phone or booking number, however it is written."""
        try:
            written = text(value)
        except InvalidRowError:
            return False
        if same_text(written) == self.booking_no:
            return True
        if self.phone is not None:
            return phone_number(written) == self.phone
        return bool(self.digits) and ascii_digits(written) == self.digits

    @property
    def phones(self) -> frozenset[str]:
        return frozenset(filter(None, [self.phone]))

    def __str__(self) -> str:
        return mask_phone(self.phone) if self.phone else self.booking_no


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
class _Report:
    document: Document
    traits: Traits

    @property
    def report_id(self) -> str:
        return str(self.document["_id"])


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
    named = [
        report
        for report in _reports(database, lead_ids, wanted.phones, {wanted.booking_no}, locations)
        if report.traits.phones & wanted.phones
        or wanted.booking_no in report.traits.booking_numbers
        or report.traits.lead_ids & lead_ids
    ]
    lead_ids_named = {lead_id for report in named for lead_id in report.traits.lead_ids}
    entries = database.records_about(wanted.phones, {wanted.booking_no}, lead_ids | lead_ids_named)
    entries = _with_corrected(database, entries)
    entries.sort(key=lambda entry: entry.record.first_seen_at)
    leads = database.leads(lead_ids | {entry.record.lead_id for entry in entries})
    finishers = Finishers(database)
    stories, used = _record_stories(database, entries, leads, finishers, locations)
    recorded = {entry.record.lead_id for entry in entries}
    gone = [
        (entry.record, bool(story.reports))
        for entry, story in zip(entries, stories, strict=True)
        if story.lead is None
    ]
    stories = _joined(stories, entries)
    stories += [
        story_of_lead(lead, locations, _came_back(lead, gone, locations))
        for lead_id, lead in sorted(leads.items())
        if lead_id not in recorded
    ]
    stories += [_story_of_report(report, finishers) for report in named if report.report_id not in used]
    stories += _reject_stories(database, wanted)
    return Explanation(str(wanted), tuple(stories))


def _with_corrected(database: Database, entries: Sequence[RecordEntry]) -> list[RecordEntry]:
    """The entries, and those of the same bookings under the phone numbers before or after a correction."""
    by_id = {entry.record.record_id: entry for entry in entries}
    numbers = {
        entry.record.values.get("bookingNo", "")
        for entry in entries
        if entry.record.replaced_by is not None or entry.record.corrections
    } - {""}
    if numbers:
        of_bookings = [entry.record.values.get("leadType") for entry in entries]
        by_id |= {
            entry.record.record_id: entry
            for entry in database.records_about((), numbers, ())
            if entry.record.values.get("leadType") in of_bookings
        }
    return list(by_id.values())


def _joined(stories: Sequence[Story], entries: Sequence[RecordEntry]) -> list[Story]:
    """One story for all numbers that a booking's lead has had at the source, told under the last one."""
    current = {
        (entry.record.lead_id, entry.record.values.get("bookingNo")): number
        for number, entry in enumerate(entries)
        if entry.record.replaced_by is None and entry.record.corrections
    }
    joined = list(stories)
    parted: set[int] = set()
    for number, entry in enumerate(entries):
        last = current.get((entry.record.lead_id, entry.record.values.get("bookingNo")), number)
        if last != number and entry.record.replaced_by is not None:
            parted.add(number)
            events = sorted((*joined[last].events, *stories[number].events), key=lambda event: event.at)
            joined[last] = replace(
                joined[last],
                # Each record tells where its lead is: once is enough.
                events=tuple(dict.fromkeys(events)),
            )
    return [story for number, story in enumerate(joined) if number not in parted]


def _came_back(
    lead: Document, gone: Iterable[tuple[SyncRecord, bool]], locations: Locations
) -> CameBack | None:
    """Whether a lead without a record is one that the sync had stored before. `gone`: records whose leads are
    not there any more, each with whether its lead was finished."""
    booking_no, at = text_of(lead, "bookingNo"), id_time(lead["_id"])
    keys = {stored_key(lead, locations), stored_file_key(lead, locations)}
    if at is None or lead["_id"] in map(derived_id, keys):
        return None
    for record, finished in gone:
        same_booking = booking_no and booking_no == record.values.get("bookingNo")
        same_type = text_of(lead, "leadType") == record.values.get("leadType")
        if at > record.first_seen_at and (current_key(record.key) in keys or (same_booking and same_type)):
            return CameBack(at, finished)
    return None


def _reports(
    database: Database,
    lead_ids: Collection[str],
    phones: Collection[str],
    booking_numbers: Collection[str],
    locations: Locations,
) -> list[_Report]:
    found = database.find_reports(lead_ids, phones, booking_numbers)
    return [_Report(document, Traits.of_report(document, locations)) for document in found]


def _record_stories(
    database: Database,
    entries: Sequence[RecordEntry],
    leads: dict[str, Document],
    finishers: Finishers,
    locations: Locations,
) -> tuple[list[Story], set[str]]:
    """The records' stories, and the ids of the reports that are told in them."""
    report_ids = _finished_by(database, entries, locations)
    documents = database.reports(report_ids.values())
    beside = _reports_of_present(database, leads, locations)
    earlier = {(entry.record.lead_id, each) for entry in entries for each in entry.record.earlier_reports}
    runs, written = Runs(database), writes_into(database, leads.keys())
    stories, used = [], set()
    for entry in entries:
        record = entry.record
        own = [
            each for each in beside.get(record.lead_id, []) if (record.lead_id, each["_id"]) not in earlier
        ]
        if (report := documents.get(report_ids.get(record.record_id, ""))) is not None:
            own = [report, *(other for other in own if other["_id"] != report["_id"])]
        used |= {document["_id"] for document in own}
        now = None
        if (lead := leads.get(record.lead_id)) is not None:
            has_changed = bool(entry.changed_at or record.corrections)
            base = Base(record.values, has_changed, written.get(record.lead_id, NOTHING_WRITTEN))
            now = lead_now(lead, base, locations)
        stories.append(story_of_record(entry, now, [finishers.report_now(each) for each in own], runs))
    return stories, used


def _finished_by(database: Database, entries: Sequence[RecordEntry], locations: Locations) -> dict[str, str]:
    """The reports that finished these records, by the records' ids, as a sync would find them."""
    found = {entry.record.record_id: report for entry in entries if (report := entry.record.report_id)}
    matcher = Matcher(database, locations)
    for lead_type in LeadType:
        records = [
            SourceRecord(record.key, record.record_id, record.values)
            for record in (entry.record for entry in entries)
            if record.values.get("leadType") == lead_type and record.record_id not in found
        ]
        if records:
            found |= matcher.match(records, [lead_type], conclude=True).finished
    return found


def _reports_of_present(
    database: Database, leads: Mapping[str, Document], locations: Locations
) -> dict[str, list[Document]]:
    """The reports of leads that are there all the same, by the leads' ids: the web app was stopped between
    the two, or another program brought the lead back."""
    traits = {lead_id: Traits.of_lead(lead, locations) for lead_id, lead in leads.items()}
    reports = {
        report.report_id: report
        for report in _reports(
            database,
            leads.keys(),
            {phone for each in traits.values() for phone in each.phones},
            {number for each in traits.values() for number in each.booking_numbers},
            locations,
        )
    }
    of_reports = {report_id: report.traits for report_id, report in reports.items()}
    found: dict[str, list[Document]] = defaultdict(list)
    for (lead_id, report_id), how in agreements(traits, of_reports).items():
        if is_certain(how, traits[lead_id], of_reports[report_id]):
            found[lead_id].append(reports[report_id].document)
    return found


def _story_of_report(report: _Report, finishers: Finishers) -> Story:
    traits = report.traits
    now = finishers.report_now(report.document)
    return Story(
        lead_type=_any(traits.lead_types),
        name=_any(traits.written_names),
        phone=_any(traits.phones),
        booking_no=_any(traits.booking_numbers),
        store=_any(traits.stores),
        whereabouts=Whereabouts.FINISHED,
        origin=Origin(None, "", "", None, {}),
        events=finished_events([now]),
        reports=(now,),
        notes=("No record of the sync is of it: it was finished before syncctl came, or typed in by hand.",),
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
            own_date(source, row, UTC),
            {},
        ),
        events=(
            Event(
                first.rejected_at, f"rejected{rows}: {first.reason}: {where}, by {runs.told(first.run_id)}"
            ),
        ),
        notes=("Once it is right at the source the next sync saves it; else `syncctl rejects retry`.",),
    )
