"""What the sync keeps of each source record, on MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne

from syncctl.domain.records import Correction, KnownRecord, SyncRecord, Write
from syncctl.ports.storage import ANY_TIME, Created, RecordEntry, Texts
from syncctl.storage.common.records import (
    KNOWN_FIELDS,
    known_by_id,
    lead_of,
    record_entry,
    reports_of_corrections,
    values_by_id,
    writes_by_id,
)
from syncctl.storage.mongo import documents
from syncctl.storage.mongo.batches import Wanted, find, find_any, find_by_ids, in_batches, write_where_free
from syncctl.storage.mongo.session import MongoSession

LONG_AGO = datetime.fromtimestamp(0, UTC)


class MongoRecords(MongoSession):
    """The part of ports.storage.Storage that is about records."""

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        with self._reading() as database:
            ids = map(documents.to_bson_id, record_ids)
            found = find_by_ids(database.syncrecords, ids, KNOWN_FIELDS)
            return dict(self._own.read("syncrecords", found, known_by_id))

    def has_records(self) -> bool:
        with self._reading() as database:
            return database.syncrecords.find_one({}, ["_id"]) is not None

    def recorded_leads(self, lead_ids: Texts) -> set[str]:
        with self._reading() as database:
            return {
                lead_id
                for batch in in_batches(lead_ids)
                for found in [find(database.syncrecords, {"leadId": {"$in": batch}}, ["leadId"])]
                for lead_id in self._own.read("syncrecords", found, lead_of)
            }

    def records_about(
        self, phones: Texts, booking_numbers: Texts, lead_ids: Texts, created: Created = ANY_TIME
    ) -> list[RecordEntry]:
        named = {"values.name": {"$in": list(created.names)}}
        wanted: Wanted = (
            ("values.phone", phones, {}),
            ("values.bookingNo", booking_numbers, {}),
            ("leadId", lead_ids, {}),
            ("values.createdAt", created.moments, {}),
            ("values.createdAt", created.midnights if created.names else (), named),
        )
        with self._reading() as database:
            records = find_any(database.syncrecords, wanted)
            entries = self._own.read("syncrecords", records, record_entry)
            return list({entry.record.record_id: entry for entry in entries}.values())

    def paired_reports(self, report_ids: Texts) -> set[str]:
        with self._reading() as database:
            paired: set[str] = set()
            for batch in in_batches(report_ids):
                named = {"$in": batch}
                found = find(database.syncrecords, {"reportId": named}, ["reportId"])
                paired |= {record["reportId"] for record in found}
                # The index of `correctedAt` has the few records that were corrected.
                corrected = {"correctedAt": {"$gte": LONG_AGO}, "corrections.reportId": named}
                found = find(database.syncrecords, corrected, ["corrections"])
                for reports in self._own.read("syncrecords", found, reports_of_corrections):
                    paired |= reports & set(batch)
            return paired

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        with self._writing() as database:
            for batch in in_batches(report_ids.items()):
                updates = [
                    UpdateOne(
                        {"_id": documents.to_bson_id(record_id), "reportId": None},
                        {"$set": {"reportId": report_id}},
                    )
                    for record_id, report_id in batch
                ]
                write_where_free(database.syncrecords, updates)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        changed_at = self._now()
        with self._writing() as database:
            for batch in in_batches(records):
                updates = [
                    UpdateOne(
                        {"_id": documents.to_bson_id(record.record_id)},
                        {
                            "$set": {
                                "values": dict(record.values),
                                "fingerprint": record.fingerprint,
                                "changedAt": changed_at,
                            }
                        },
                    )
                    for record in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def replace_records(self, phones: Mapping[str, str]) -> None:
        with self._writing() as database:
            for batch in in_batches(phones.items()):
                updates = [
                    UpdateOne({"_id": documents.to_bson_id(record_id)}, {"$set": {"replacedBy": phone}})
                    for record_id, phone in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def shared_bookings(self, source: str, booking_numbers: Texts) -> set[str]:
        current = {"source": source, "replacedBy": None}
        with self._reading() as database:
            return {
                group["_id"]
                for batch in in_batches(booking_numbers)
                for group in database.syncrecords.aggregate(
                    [
                        {"$match": {"values.bookingNo": {"$in": batch}, **current}},
                        {"$group": {"_id": "$values.bookingNo", "records": {"$sum": 1}}},
                        {"$match": {"records": {"$gt": 1}}},
                    ]
                )
            }

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        with self._writing() as database:
            for batch in in_batches(corrections.items()):
                updates = [
                    UpdateOne({"_id": documents.to_bson_id(record_id)}, documents.correction_update(made))
                    for record_id, made in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def renew_records(self, records: Sequence[SyncRecord]) -> None:
        with self._writing() as database:
            for batch in in_batches(records):
                updates = [
                    UpdateOne(
                        {"_id": documents.to_bson_id(record.record_id), "replacedBy": {"$ne": None}},
                        documents.renewal(record),
                    )
                    for record in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def record_values(self, record_ids: Texts) -> dict[str, dict[str, Any]]:
        with self._reading() as database:
            ids = map(documents.to_bson_id, record_ids)
            found = find_by_ids(database.syncrecords, ids, ["values"])
            return dict(self._own.read("syncrecords", found, values_by_id))

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        with self._writing() as database:
            for batch in in_batches(writes.items()):
                updates = [
                    UpdateOne({"_id": documents.to_bson_id(record_id)}, documents.writes_update(values, at))
                    for record_id, values in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def writes(self, record_ids: Texts) -> dict[str, dict[str, Write]]:
        with self._reading() as database:
            found = find_by_ids(database.syncrecords, map(documents.to_bson_id, record_ids), ["written"])
            kept = self._own.read("syncrecords", found, writes_by_id)
            return {record_id: writes for record_id, writes in kept if writes}
