"""A storage for --dry-run: reads another one, writes nothing, and behaves as if it had."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from syncctl.models import (
    Document,
    KnownRecord,
    LeadType,
    LocationState,
    Reject,
    RunEntry,
    StepName,
    Store,
    SyncLog,
    SyncRecord,
)
from syncctl.ports import Storage
from syncctl.storage.store_rules import new_stores


class DryRunStorage:
    """What `store_leads` and the other writes are given is remembered, for as long as this object lives.

    So a booking that two locations give is counted once, as in a real run. Watermarks, logs and history are
    not: no run reads back its own.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._leads: dict[str, Document] = {}
        self._records: dict[str, KnownRecord] = {}
        self._rejects: dict[str, Reject] = {}
        self._cleared: set[str] = set()
        self._stores: list[Store] = []
        self._store_list: dict[str, str] | None = None

    def prepare(self) -> None:
        self._storage.prepare()

    def close(self) -> None:
        self._storage.close()

    def find_records(self, record_ids: Collection[str]) -> dict[str, KnownRecord]:
        remembered = {
            record_id: self._records[record_id] for record_id in record_ids if record_id in self._records
        }
        return self._storage.find_records(record_ids) | remembered

    def present_leads(self, lead_ids: Collection[str]) -> set[str]:
        return self._storage.present_leads(lead_ids) | (self._leads.keys() & set(lead_ids))

    def find_leads(
        self, lead_type: LeadType, booking_numbers: Collection[str], phones: Collection[str]
    ) -> list[Document]:
        wanted_numbers, wanted_phones = set(booking_numbers), set(phones)
        remembered = [
            dict(lead)
            for lead in self._leads.values()
            if lead.get("leadType") == lead_type
            and (lead.get("bookingNo") in wanted_numbers or lead.get("phone") in wanted_phones)
        ]
        return self._storage.find_leads(lead_type, booking_numbers, phones) + remembered

    def find_reports(self, lead_ids: Collection[str], phones: Collection[str]) -> list[Document]:
        return self._storage.find_reports(lead_ids, phones)

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        present = self.present_leads([lead["_id"] for lead in leads])
        fresh = {lead["_id"]: dict(lead) for lead in reversed(leads) if lead["_id"] not in present}
        self._leads |= fresh
        known = self.find_records([record.record_id for record in records])
        for record in records:
            if record.record_id not in known:
                self._records.setdefault(record.record_id, KnownRecord(record.lead_id, record.fingerprint))
        return set(fresh)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        known = self.find_records([record.record_id for record in records])
        for record in records:
            if record.record_id in known:
                self._records[record.record_id] = replace(
                    known[record.record_id], fingerprint=record.fingerprint
                )

    def reject_positions(self, source: str, location: str) -> dict[str, list[str]]:
        listed = [
            (position, reject_id)
            for position, reject_ids in self._storage.reject_positions(source, location).items()
            for reject_id in reject_ids
            if reject_id not in self._cleared
        ]
        listed += [
            (reject.position, reject.reject_id)
            for reject in self._rejects.values()
            if (reject.source, reject.location) == (source, location)
        ]
        positions: dict[str, list[str]] = {}
        for position, reject_id in listed:
            positions.setdefault(position, []).append(reject_id)
        return positions

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        listed = {
            reject_id
            for source, location in {(reject.source, reject.location) for reject in rejects}
            for reject_ids in self.reject_positions(source, location).values()
            for reject_id in reject_ids
        }
        fresh = {reject.reject_id: reject for reject in rejects if reject.reject_id not in listed}
        self._rejects |= fresh
        return len(fresh)

    def clear_rejects(self, reject_ids: Collection[str]) -> None:
        self._cleared.update(reject_ids)
        for reject_id in reject_ids:
            self._rejects.pop(reject_id, None)

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

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        return self._storage.location_states(report)

    def save_location_state(self, report: StepName, state: LocationState) -> None:
        """Not remembered: a dry run moves no watermark."""

    def add_sync_log(self, entry: SyncLog) -> None:
        """Not written: the web app's own checks read it."""

    def save_run(self, entry: RunEntry) -> None:
        """Not written: a dry run is not part of the history."""
