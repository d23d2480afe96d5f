"""Everything that the database has about a phone or booking number, as the histories of its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from syncctl.domain.identity import current_key, derived_id, id_time
from syncctl.domain.lead_matching import agreements, is_certain
from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.domain.sources import LEAD_TYPES
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.ports.storage import RecordEntry
from syncctl.services.explain.events import finished_events
from syncctl.services.explain.names import RunNames, UserNames, report_now
from syncctl.services.explain.record_history import (
    Origin,
    RecordHistory,
    RecordState,
    Reinsertion,
    history_of_lead,
    history_of_record,
    lead_now,
)
from syncctl.services.explain.rejected_rows import histories_of_answered, histories_of_rejects
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.matching.legacy_leads import stored_file_key, stored_key, text_of
from syncctl.services.matching.matching import Matcher
from syncctl.services.matching.own_writes import writes_into
from syncctl.services.reconcile.results import LastSeen


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found."""

    asked: str
    """The number asked about; a phone number is masked."""

    histories: tuple[RecordHistory, ...]
    warnings: tuple[str, ...] = ()
    """What could not be found out."""

    typed: Mapping[str, str] = field(default_factory=dict)
    """The digits of the number asked about -> how it was typed; empty if it isn't a phone number."""

    @property
    def found(self) -> bool:
        """Whether the database has anything about it."""
        missing = (RecordState.MISSING, RecordState.REFUSED)
        return any(history.state not in missing for history in self.histories)


class _Report(NamedTuple):
    document: Document
    traits: Traits

    @property
    def report_id(self) -> str:
        return str(self.document["_id"])


def explain(database: Database, wanted: CustomerQuery, locations: Locations) -> Explanation:
    """The histories of all records, leads, reports and rejects with the number; memory grows with these, not
    with the database.

    Raises:
        StorageError: the database refused.
    """
    # Of every type of lead, and also with numbers typed in with spaces.
    found = database.leads_that_may_have(wanted.number)
    lead_ids = {lead["_id"] for lead in found if wanted.is_of(lead)}
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
    users = UserNames(database)
    histories, used = _record_histories(database, entries, leads, users, locations)
    recorded = {entry.record.lead_id for entry in entries}
    gone = [
        (entry.record, bool(history.reports))
        for entry, history in zip(entries, histories, strict=True)
        if history.lead is None
    ]
    histories = _joined(histories, entries)
    histories += [
        history_of_lead(lead, locations, users, _came_back(lead, gone, locations))
        for lead_id, lead in sorted(leads.items())
        if lead_id not in recorded
    ]
    histories += [_history_of_report(report, users) for report in named if report.report_id not in used]
    histories += histories_of_rejects(database, wanted)
    shown = {(history.origin.report, history.booking_no) for history in histories}
    histories += [
        history
        for history in histories_of_answered(database, wanted.booking_no)
        if (history.origin.report, history.booking_no) not in shown
    ]
    return Explanation(str(wanted), tuple(histories), typed=wanted.typed)


def _with_corrected(database: Database, entries: Sequence[RecordEntry]) -> list[RecordEntry]:
    """The entries, and those of the same bookings under earlier or later phone numbers."""
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


def _joined(histories: Sequence[RecordHistory], entries: Sequence[RecordEntry]) -> list[RecordHistory]:
    """One history for all numbers that a booking's lead has had at the source, under the last one."""
    current = {
        (entry.record.lead_id, entry.record.values.get("bookingNo")): number
        for number, entry in enumerate(entries)
        if entry.record.replaced_by is None and entry.record.corrections
    }
    joined = list(histories)
    merged: set[int] = set()
    for number, entry in enumerate(entries):
        last = current.get((entry.record.lead_id, entry.record.values.get("bookingNo")), number)
        if last != number and entry.record.replaced_by is not None:
            merged.add(number)
            events = sorted((*joined[last].events, *histories[number].events), key=lambda event: event.at)
            # Each record has an event for the same lead: one is enough.
            joined[last] = joined[last]._replace(events=tuple(dict.fromkeys(events)))
    return [history for number, history in enumerate(joined) if number not in merged]


def _came_back(
    lead: Document, gone: Iterable[tuple[SyncRecord, bool]], locations: Locations
) -> Reinsertion | None:
    """Whether a lead without a record is one that the sync had stored before. `gone`: records whose leads
    no longer exist, each with whether its lead was finished."""
    booking_no, at = text_of(lead, "bookingNo"), id_time(lead["_id"])
    keys = {stored_key(lead, locations), stored_file_key(lead, locations)}
    if at is None or lead["_id"] in map(derived_id, keys):
        return None
    for record, finished in gone:
        same_booking = booking_no and booking_no == record.values.get("bookingNo")
        same_type = text_of(lead, "leadType") == record.values.get("leadType")
        if at > record.first_seen_at and (current_key(record.key) in keys or (same_booking and same_type)):
            return Reinsertion(at, finished)
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


def _record_histories(
    database: Database,
    entries: Sequence[RecordEntry],
    leads: dict[str, Document],
    users: UserNames,
    locations: Locations,
) -> tuple[list[RecordHistory], set[str]]:
    """The records' histories, and the ids of the reports in them."""
    report_ids = _finished_by(database, entries, locations)
    documents = database.reports(report_ids.values())
    beside = _reports_of_present(database, leads, locations)
    earlier = {(entry.record.lead_id, each) for entry in entries for each in entry.record.earlier_reports}
    runs, written = RunNames(database), writes_into(database, leads.keys())
    histories, used = [], set()
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
            base = LastSeen(record.values, has_changed, written.get(record.lead_id, NOTHING_WRITTEN))
            now = lead_now(lead, base, locations, users)
        histories.append(history_of_record(entry, now, [report_now(each, users) for each in own], runs))
    return histories, used


def _finished_by(database: Database, entries: Sequence[RecordEntry], locations: Locations) -> dict[str, str]:
    """The reports that finished these records, by record id, as a sync would match them."""
    found = {entry.record.record_id: report for entry in entries if (report := entry.record.report_id)}
    matcher = Matcher(database, locations)
    for lead_type in LEAD_TYPES:
        records = [
            SourceRecord(record.key, record.record_id, record.values)
            for record in (entry.record for entry in entries)
            if record.values.get("leadType") == lead_type and record.record_id not in found
        ]
        if records:
            found |= matcher.match(records, [lead_type], final_pass=True).finished
    return found


def _reports_of_present(
    database: Database, leads: Mapping[str, Document], locations: Locations
) -> dict[str, list[Document]]:
    """The reports of leads that still exist, by lead id: the web app was stopped between adding the report
    and deleting the lead, or another program inserted the lead again."""
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


def _history_of_report(report: _Report, users: UserNames) -> RecordHistory:
    traits = report.traits
    now = report_now(report.document, users)
    return RecordHistory(
        lead_type=_any(traits.lead_types),
        name=_any(traits.written_names),
        phone=_any(traits.phones),
        booking_no=_any(traits.booking_numbers),
        store=_any(traits.stores),
        state=RecordState.FINISHED,
        origin=Origin(None, "", "", None, {}),
        events=finished_events([now]),
        reports=(now,),
        notes=(
            "The sync has no record of it: it was finished before syncctl was in use, or typed in by hand.",
        ),
    )


def _any(values: frozenset[str]) -> str:
    return min(values, default="")
