"""A storage for --dry-run: reads another one, writes nothing, and behaves as if it had."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.import_notes import ImportNote, NotedImport
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import Correction, KnownRecord, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.ports.storage import ANY_TIME, Created, Period, RecordEntry, Storage, Texts
from syncctl.storage.common.app_collections import changed, guard, holds, new_stores
from syncctl.storage.common.records import finished_by, is_about
from syncctl.storage.common.report_paths import as_stored
from syncctl.storage.dry_run_rejects import DryRunRejects

CHANGED_IN_RECORDS = ("lead_id", "location", "report_id", "replaced_by")

T = TypeVar("T")


class DryRunStorage(DryRunRejects):
    """Remembers what `store_leads` and the other writes are given, so that a booking that two locations give
    is counted once, as in a real run. Watermarks, logs and history are not: no run reads back its own."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._leads: dict[str, Document] = {}  # as they would be now: stored or changed in this run
        self._records: dict[str, KnownRecord] = {}
        self._new_records: dict[str, SyncRecord] = {}
        self._recorded_leads: set[str] = set()
        self._paired: set[str] = set()
        self._values: dict[str, dict[str, Any]] = {}
        self._writes: dict[str, dict[str, Write]] = {}
        self._corrections: dict[str, tuple[Correction, ...]] = {}
        self._stores: list[Store] = []
        self._store_list: dict[str, str] | None = None
        self._file_hashes: dict[tuple[str, str], str] = {}

    def prepare(self) -> None:
        self._storage.prepare()

    def set_deadline(self, deadline: float) -> None:
        self._storage.set_deadline(deadline)

    def close(self) -> None:
        self._storage.close()

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        remembered = {each: self._records[each] for each in record_ids if each in self._records}
        return self._storage.find_records(record_ids) | remembered

    def has_records(self) -> bool:
        return bool(self._records) or self._storage.has_records()

    def recorded_leads(self, lead_ids: Texts) -> set[str]:
        return self._storage.recorded_leads(lead_ids) | self._recorded_leads.intersection(lead_ids)

    def present_leads(self, lead_ids: Texts) -> set[str]:
        return self._storage.present_leads(lead_ids) | (self._leads.keys() & set(lead_ids))

    def find_leads(
        self, lead_type: str, booking_numbers: Texts, phones: Texts, created: Created = ANY_TIME
    ) -> list[Document]:
        wanted_numbers, wanted_phones = set(as_stored(booking_numbers)), set(as_stored(phones))
        found = self._storage.find_leads(lead_type, booking_numbers, phones, created)
        unchanged = [lead for lead in found if lead["_id"] not in self._leads]
        remembered = [
            dict(lead)
            for lead in self._leads.values()
            if lead.get("leadType") == lead_type and is_about(lead, wanted_numbers, wanted_phones, created)
        ]
        return unchanged + remembered

    def find_reports(
        self, lead_ids: Texts, phones: Texts, booking_numbers: Texts = (), created: Created = ANY_TIME
    ) -> list[Document]:
        return self._storage.find_reports(lead_ids, phones, booking_numbers, created)

    def records_about(
        self, phones: Texts, booking_numbers: Texts, lead_ids: Texts, created: Created = ANY_TIME
    ) -> list[RecordEntry]:
        found = self._storage.records_about(phones, booking_numbers, lead_ids, created)
        new = [
            RecordEntry(record, None)
            for record in self._new_records.values()
            if record.lead_id in lead_ids or is_about(record.values, booking_numbers, phones, created)
        ]
        return [self._as_known(entry) for entry in (*found, *new)]

    def _as_known(self, entry: RecordEntry) -> RecordEntry:
        record = entry.record
        corrections = (*record.corrections, *self._corrections.get(record.record_id, ()))
        record = replace(record, corrections=corrections)
        if known := self._records.get(record.record_id):
            record = replace(record, **{name: getattr(known, name) for name in CHANGED_IN_RECORDS})
        return RecordEntry(record, entry.changed_at)

    def reports(self, report_ids: Texts) -> dict[str, Document]:
        return self._storage.reports(report_ids)

    def paired_reports(self, report_ids: Texts) -> set[str]:
        return self._storage.paired_reports(report_ids) | (self._paired & set(report_ids))

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        known = self.find_records(report_ids.keys())
        paired = self.paired_reports(report_ids.values())
        for record_id, report_id in report_ids.items():
            if report_id not in paired and record_id in known and known[record_id].report_id is None:
                self._records[record_id] = replace(known[record_id], report_id=report_id)
                self._paired.add(report_id)

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        present = self.present_leads([lead["_id"] for lead in leads])
        fresh = {lead["_id"]: dict(lead) for lead in reversed(leads) if lead["_id"] not in present}
        self._leads |= fresh
        known = self.find_records([record.record_id for record in records])
        for record in records:
            if record.record_id not in known and record.record_id not in self._records:
                self._records[record.record_id] = KnownRecord(
                    record.lead_id,
                    record.fingerprint,
                    record.location,
                    record.source,
                    finished_by(record.report_id, record.corrections),
                    first_seen_at=record.first_seen_at,
                )
                self._new_records[record.record_id] = record
                self._paired.update(filter(None, [record.report_id]))
                self._recorded_leads.add(record.lead_id)
                self._values[record.record_id] = {**record.values}
        return set(fresh)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        known = self.find_records([record.record_id for record in records])
        for record in records:
            if before := known.get(record.record_id):
                self._records[record.record_id] = replace(before, fingerprint=record.fingerprint)
                self._values[record.record_id] = {**record.values}

    def replace_records(self, phones: Mapping[str, str]) -> None:
        known = self.find_records(phones.keys())
        for record_id, phone in phones.items():
            if record_id in known:
                self._records[record_id] = replace(known[record_id], replaced_by=phone)

    def shared_bookings(self, source: str, booking_numbers: Texts) -> set[str]:
        """Those stored, and those of records that this run has stored; it may have replaced some of them."""
        new = {each.values.get("bookingNo", "") for each in self._new_records.values()}
        shared = self._storage.shared_bookings(source, booking_numbers) | new.intersection(booking_numbers)
        records = Counter(
            entry.record.values.get("bookingNo", "")
            for entry in self.records_about((), shared, ())
            if entry.record.source == source and entry.record.replaced_by is None
        )
        return {booking for booking, count in records.items() if count > 1}

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        for record_id in self.find_records(corrections.keys()):
            self._corrections[record_id] = (*self._corrections.get(record_id, ()), corrections[record_id])

    def renew_records(self, records: Sequence[SyncRecord]) -> None:
        known = self.find_records([record.record_id for record in records])
        for record in records:
            before = known.get(record_id := record.record_id)
            if before is None or before.replaced_by is None:
                continue
            new: dict[str, Any] = {
                "fingerprint": record.fingerprint,
                "lead_id": record.lead_id,
                "location": record.location,
            }
            report_id = finished_by(None, record.corrections)
            self._records[record_id] = replace(before, report_id=report_id, replaced_by=None, **new)
            self._values[record_id] = {**record.values}
            self._recorded_leads.add(record.lead_id)
            if record_id in self._new_records:
                self._new_records[record_id] = replace(
                    self._new_records[record_id], values=record.values, fingerprint=record.fingerprint
                )
            newer = (*self._corrections.get(record_id, ()), *record.corrections[-1:])
            self._corrections[record_id] = newer

    def record_values(self, record_ids: Texts) -> dict[str, dict[str, Any]]:
        return self._storage.record_values(record_ids) | _copies(self._values, record_ids)

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        before = self.writes(writes.keys())
        for record_id in self.find_records(writes.keys()):
            new = {field: Write(value, at) for field, value in writes[record_id].items()}
            self._writes[record_id] = before.get(record_id, {}) | new

    def writes(self, record_ids: Texts) -> dict[str, dict[str, Write]]:
        return self._storage.writes(record_ids) | _copies(self._writes, record_ids)

    def leads(self, lead_ids: Texts) -> dict[str, Document]:
        return self._storage.leads(lead_ids) | _copies(self._leads, lead_ids)

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        leads = self.leads({change.lead_id for change in changes})
        missed = set()
        for change in changes:
            lead = leads.get(change.lead_id)
            if lead is not None and holds(lead, guard(change)):
                leads[change.lead_id] = self._leads[change.lead_id] = changed(lead, change.values)
            elif lead is None or not holds(lead, change.values):
                missed.add(change.lead_id)
        return {change.lead_id for change in changes} - missed

    def stores(self) -> list[Store]:
        return self._storage.stores() + self._stores

    def add_stores(self, stores: Sequence[Store]) -> int:
        fresh = new_stores(self.stores(), stores)
        self._stores += fresh
        return len(fresh)

    def store_list(self) -> dict[str, str]:
        return self._storage.store_list() if self._store_list is None else dict(self._store_list)

    def save_store_list(self, names: Mapping[str, str]) -> None:
        self._store_list = dict(names)

    def file_hashes(self, kind: str) -> dict[str, str]:
        of_kind = {name: text for (of, name), text in self._file_hashes.items() if of == kind}
        return self._storage.file_hashes(kind) | of_kind

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        self._file_hashes[kind, name] = content_hash

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        return self._storage.location_states(report)

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        """Not remembered: a dry run moves no watermark."""

    def dialects(self) -> dict[StepName, Dialect]:
        return self._storage.dialects()

    def save_dialect(self, dialect: Dialect) -> None:
        """Not remembered: nothing that follows reads it."""

    def add_sync_log(self, entry: SyncLog) -> None:
        """Not written: the web app's own checks read it."""

    def save_run(self, entry: RunEntry) -> None:
        """Not written: a dry run is not part of the history."""

    def save_import(self, entry: NotedImport) -> None:
        """Not written: nothing is imported."""

    def add_import_notes(self, notes: Sequence[ImportNote]) -> None:
        """Not written either."""

    def forget_runs(self, before: datetime, if_any_in: Period | None = None, most: int = 0) -> None:
        """Not done either."""


def _copies(remembered: Mapping[str, dict[str, T]], ids: Texts) -> dict[str, dict[str, T]]:
    return {each: dict(remembered[each]) for each in ids if each in remembered}
