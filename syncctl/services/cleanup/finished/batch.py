"""A batch of leads with their records and reports from the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from syncctl.domain.lead_matching import Agreement, agreements
from syncctl.domain.lead_traits import Traits, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.domain.sources import API_LEAD_TYPES, LEAD_TYPES
from syncctl.locations import StoreNames
from syncctl.ports.admin import Database
from syncctl.ports.storage import Created
from syncctl.services.cleanup.finished.candidates import id_of_key
from syncctl.services.cleanup.finished.certainty import CompetingMatches, is_sure, is_sure_if_alone
from syncctl.services.matching.matching import Matcher
from syncctl.services.matching.own_writes import writes_into


class Fit(NamedTuple):
    """How well a report fits a lead. Compares as a tuple: a greater one is a better fit."""

    is_certain: bool
    is_noted: bool
    """Whether it is stored as the report that finished the lead's record."""

    is_free: bool
    """Whether it has finished no other record."""

    agreement: Agreement
    report_id: str


class Batch:
    """Leads by id, as they are now, with their records and the reports that fit them."""

    def __init__(
        self, database: Database, lead_ids: Sequence[str], stores: StoreNames, matcher: Matcher
    ) -> None:
        """Look everything up. `matcher`: finds the reports that finished records, as the next sync would.
        Raises StorageError."""
        self._database = database
        self._stores = stores
        self.leads = database.leads(lead_ids)
        self.traits = {lead_id: Traits.of_lead(lead, stores) for lead_id, lead in self.leads.items()}
        self._key_ids = {lead_id: id_of_key(lead, stores) for lead_id, lead in self.leads.items()}
        known = database.find_records(set(filter(None, self._key_ids.values())))
        lead_ids_of_records = {record.lead_id for record in known.values()}
        self._present = database.present_leads(lead_ids_of_records)
        self._records: dict[str, SyncRecord] = {}
        self._own: dict[str, list[SyncRecord]] = {}
        for entry in database.records_about((), (), self.leads.keys() | lead_ids_of_records):
            self._records[entry.record.record_id] = entry.record
            self._own.setdefault(entry.record.lead_id, []).append(entry.record)
        self._written = writes_into(database, self.leads.keys())
        self._matched_reports = self._match_as_sync(matcher)
        self.reports = self._find_reports()
        self.report_traits = {
            report_id: Traits.of_report(report, stores) for report_id, report in self.reports.items()
        }
        self.paired = database.paired_reports(self.reports.keys())
        self._fits: dict[str, list[tuple[str, Agreement]]] = {}
        for (lead_id, report_id), found in agreements(self.traits, self.report_traits).items():
            self._fits.setdefault(lead_id, []).append((report_id, found))

    def is_worked_on(self, lead_id: str) -> bool:
        """Whether a person has worked on a lead."""
        return is_touched(self.leads[lead_id], self._written.get(lead_id, NOTHING_WRITTEN))

    def records_of(self, lead_id: str) -> list[SyncRecord]:
        """The records that this lead belongs to, the one with its own key first; if there is none, the
        record that it is a copy of."""
        if own := self._own.get(lead_id):
            return sorted(own, key=lambda each: (each.record_id != self._key_ids[lead_id], each.record_id))
        gone = self.gone_record(lead_id)
        return [] if gone is None else [gone]

    def gone_record(self, lead_id: str) -> SyncRecord | None:
        """The record that a lead without one is a copy of, if the record's own lead no longer exists.

        None if a run stored the lead and was killed before storing its record.
        """
        record = self._records.get(self._key_ids[lead_id] or "")
        if record is None or record.lead_id in self._present:
            return None
        if lead_id in self._own or lead_id == record.record_id:
            return None
        return record if _is_same_occasion(self.traits[lead_id], record) else None

    def noted_report(self, lead_id: str) -> str | None:
        """The report that finished the lead's record, if it exists."""
        for record in self.records_of(lead_id):
            report_id = record.report_id or self._matched_reports.get(record.record_id)
            if report_id in self.reports:
                return report_id
        return None

    def best_fit(self, lead_id: str) -> Fit | None:
        """The fit of the best fitting report; None: none fits."""
        noted, ids = self.noted_report(lead_id), self._ids_of(lead_id)
        lead = self.traits[lead_id]
        fits = []
        earlier = {each for record in self._own.get(lead_id, ()) for each in record.earlier_reports}
        for report_id, found in self._fits.get(lead_id, ()):
            if report_id in earlier:
                continue
            report = self.report_traits[report_id]
            of_another = report_id in self.paired or (report.lead_ids - ids) & self._leads_of_records
            is_free = report_id == noted or not of_another
            is_certain = is_sure(lead, report, found) or (
                is_free
                and is_sure_if_alone(lead, report, found)
                and not self._competing.has_as_good(report_id, ids, found)
            )
            fits.append(Fit(is_certain, report_id == noted, is_free, found, report_id))
        return max(fits, default=None)

    def _match_as_sync(self, matcher: Matcher) -> dict[str, str]:
        """The reports that finished records whose leads are gone, and that are not stored with the record
        yet."""
        gone = {
            record.record_id: SourceRecord(record.key, record.record_id, record.values)
            for lead_id in self.leads
            if (record := self.gone_record(lead_id)) is not None and record.report_id is None
        }
        found: dict[str, str] = {}
        for lead_type in LEAD_TYPES:
            of_type = [record for record in gone.values() if record.values.get("leadType") == lead_type]
            if of_type:
                found |= matcher.match(of_type, [lead_type], final_pass=True).finished
        return found

    def _find_reports(self) -> dict[str, Document]:
        found = self._database.find_reports(
            self.leads.keys(),
            {phone for each in self.traits.values() for phone in each.phones},
            {number for each in self.traits.values() for number in each.booking_numbers},
            Created(
                _moments(self.leads.values()),
                {name for each in self.traits.values() for name in each.written_names},
                {day for each in self.traits.values() for day in each.days},
            ),
        )
        records = (record for lead_id in self.leads for record in self.records_of(lead_id))
        noted = {record.report_id or self._matched_reports.get(record.record_id) for record in records}
        return {report["_id"]: report for report in found} | self._database.reports(set(filter(None, noted)))

    @cached_property
    def _leads_of_records(self) -> set[str]:
        """Those lead ids in the reports that belong to records."""
        named = {lead_id for report in self.report_traits.values() for lead_id in report.lead_ids}
        return self._database.recorded_leads(named)

    @cached_property
    def _competing(self) -> CompetingMatches:
        return CompetingMatches(
            self._database, self.report_traits, _moments(self.leads.values()), self._stores
        )

    def _ids_of(self, lead_id: str) -> set[str]:
        """The ids of a lead, of its records, and of the lead that it is a copy of."""
        ids = {lead_id, *(record.record_id for record in self._own.get(lead_id, ()))}
        if record_id := self._key_ids[lead_id]:
            ids.add(record_id)
            if (record := self._records.get(record_id)) is not None:
                ids.add(record.lead_id)
        return ids


def _moments(leads: Iterable[Document]) -> set[datetime]:
    """When leads were created, to the millisecond."""
    return {moment for lead in leads if (moment := as_datetime(lead.get("createdAt"))) is not None}


def _is_same_occasion(lead: Traits, record: SyncRecord) -> bool:
    """Whether a lead with a record's key is of the same booking or visit.

    A booking number proves it, and a file's key includes the day; but a lead created at a time of day isn't
    from a file. Bookings without a number must have the same time.
    """
    if lead.booking_numbers:
        return True
    if record.values.get("leadType") not in API_LEAD_TYPES:
        return not lead.moments
    said = Traits.of_record(record.values, record.lead_id)
    return bool(lead.moments & said.moments or lead.days & said.days)
