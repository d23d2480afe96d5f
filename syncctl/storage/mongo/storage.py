"""The storage port on MongoDB, in the documents that the web app reads (contract/database.md)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from pymongo import ASCENDING, ReplaceOne, UpdateOne

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.lead_values import Document, LeadChange, LeadType
from syncctl.domain.records import Correction, KnownRecord, Reject, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.steps import StepName
from syncctl.domain.stores import Store
from syncctl.errors import LeadsRefusedError
from syncctl.ports.storage import ANY_TIME, Created, RecordEntry, RejectPositions
from syncctl.storage.common.dialect_documents import dialect_document, dialect_from
from syncctl.storage.common.own_documents import own
from syncctl.storage.common.reject_lists import by_location, newest_first
from syncctl.storage.common.report_paths import (
    BOOKING_PATHS,
    CREATED_PATHS,
    LEAD_ID_PATHS,
    NAME_PATHS,
    PHONE_PATHS,
    VISIT_PATHS,
    as_stored,
    moments_as_stored,
)
from syncctl.storage.common.store_rules import new_stores
from syncctl.storage.mongo import documents
from syncctl.storage.mongo.batches import (
    Wanted,
    find,
    find_any,
    find_by_ids,
    find_by_texts,
    in_batches,
    insert_new,
    write_where_free,
)
from syncctl.storage.mongo.changes import update_leads
from syncctl.storage.mongo.repair import MongoRepair
from syncctl.storage.mongo.survey import MongoSurvey
from syncctl.storage.mongo.transactions import has_transactions, store_in_order, store_together

STORE_LIST_ID = "store-list"
LONG_AGO = datetime.fromtimestamp(0, UTC)


class MongoStorage(MongoSurvey, MongoRepair):
    """The lead database on a MongoDB server, replica set or Atlas; `MongoSession` says how it is opened."""

    def find_records(self, record_ids: Collection[str]) -> dict[str, KnownRecord]:
        with self._reading() as database:
            ids = map(documents.to_bson_id, record_ids)
            found = find_by_ids(database.syncrecords, ids, documents.KNOWN_FIELDS)
            return dict(self._own.read("syncrecords", found, documents.known_by_id))

    def has_records(self) -> bool:
        with self._reading() as database:
            return database.syncrecords.find_one({}, ["_id"]) is not None

    def recorded_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as database:
            return {
                lead_id
                for batch in in_batches(lead_ids)
                for found in [find(database.syncrecords, {"leadId": {"$in": batch}}, ["leadId"])]
                for lead_id in self._own.read("syncrecords", found, lambda each: own(each, "leadId", str))
            }

    def present_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as database:
            return {documents.to_text(found["_id"]) for found in find_by_texts(database.leads, lead_ids, [])}

    def find_leads(
        self,
        lead_type: LeadType,
        booking_numbers: Collection[str],
        phones: Collection[str],
        created: Created = ANY_TIME,
    ) -> list[Document]:
        on_these_days = {"createdAt": {"$in": created.midnights}}
        wanted: Wanted = (
            ("bookingNo", booking_numbers, {}),
            ("phone", phones, {}),
            ("createdAt", created.moments, {}),
            ("name", created.names, on_these_days),
        )
        with self._reading() as database:
            of_type = {"leadType": str(lead_type)}
            found = find_any(database.leads, wanted, of_type, numbers=("bookingNo", "phone"))
            return list({lead["_id"]: lead for lead in map(documents.from_bson, found)}.values())

    def find_reports(
        self,
        lead_ids: Collection[str],
        phones: Collection[str],
        booking_numbers: Collection[str] = (),
        created: Created = ANY_TIME,
    ) -> list[Document]:
        found: dict[str, Document] = {}
        lists = (lead_ids, phones, booking_numbers, created.moments, created.names)
        batches: Iterator[tuple[Sequence[Any], ...]] = zip_longest(*map(in_batches, lists), fillvalue=())
        midnights = moments_as_stored(created.midnights)
        on_these_days = {"$or": [{path: {"$in": midnights}} for path in VISIT_PATHS]}
        with self._reading() as database:
            # So many paths and values take the server 40 ms even where there is nothing to be found.
            if database.reports.find_one({}, ["_id"]) is None:
                return []
            for some_ids, some_phones, some_numbers, some_moments, some_names in batches:
                ids = [bson_id for text in some_ids for bson_id in documents.possible_bson_ids(text)]
                wanted: Sequence[tuple[Sequence[str], Sequence[Any], Document]] = (
                    (LEAD_ID_PATHS, ids, {}),
                    (PHONE_PATHS, as_stored(some_phones), {}),
                    (BOOKING_PATHS, as_stored(some_numbers), {}),
                    (CREATED_PATHS, moments_as_stored(some_moments), {}),
                    (NAME_PATHS, some_names, on_these_days),
                )
                clauses = [
                    {path: {"$in": values}, **also}
                    for paths, values, also in wanted
                    if values
                    for path in paths
                ]
                reports = map(documents.from_bson, find(database.reports, {"$or": clauses}))
                found.update((report["_id"], report) for report in reports)
        return list(found.values())

    def records_about(
        self,
        phones: Collection[str],
        booking_numbers: Collection[str],
        lead_ids: Collection[str],
        created: Created = ANY_TIME,
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
            entries = self._own.read("syncrecords", records, documents.record_entry)
            return list({entry.record.record_id: entry for entry in entries}.values())

    def reports(self, report_ids: Collection[str]) -> dict[str, Document]:
        with self._reading() as database:
            found = map(documents.from_bson, find_by_texts(database.reports, report_ids))
            return {report["_id"]: report for report in found}

    def paired_reports(self, report_ids: Collection[str]) -> set[str]:
        with self._reading() as database:
            paired: set[str] = set()
            for batch in in_batches(report_ids):
                named = {"$in": batch}
                found = find(database.syncrecords, {"reportId": named}, ["reportId"])
                paired |= {record["reportId"] for record in found}
                # The index of `correctedAt` has the few records that were corrected.
                corrected = {"correctedAt": {"$gte": LONG_AGO}, "corrections.reportId": named}
                found = find(database.syncrecords, corrected, ["corrections"])
                for record in self._own.read("syncrecords", found, documents.reports_of_corrections):
                    paired |= record & set(batch)
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

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        with self._writing() as database:
            new = [documents.lead_document(lead) for lead in leads]
            theirs = [documents.record_document(record) for record in records]
            if has_transactions(self._server(database)):
                stored = store_together(database, new, theirs, self._limit_s(database))
            else:
                stored = store_in_order(database, new, theirs)
        inserted = set(map(documents.to_text, stored.inserted))
        reasons = {documents.to_text(bson_id): reason for bson_id, reason in stored.refused.items()}
        if reasons:
            raise LeadsRefusedError(inserted, reasons)
        return inserted

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

    def shared_bookings(self) -> set[tuple[str, str]]:
        of_bookings = {"replacedBy": None, "values.bookingNo": {"$type": "string"}}
        with self._reading() as database:
            groups = database.syncrecords.aggregate(
                [
                    {"$match": of_bookings},
                    {"$group": {"_id": ["$source", "$values.bookingNo"], "records": {"$sum": 1}}},
                    {"$match": {"records": {"$gt": 1}}},
                ]
            )
            return {(source, number) for source, number in (group["_id"] for group in groups)}

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

    def record_values(self, record_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        with self._reading() as database:
            ids = map(documents.to_bson_id, record_ids)
            found = find_by_ids(database.syncrecords, ids, ["values"])
            return dict(self._own.read("syncrecords", found, documents.values_by_id))

    def note_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        with self._writing() as database:
            for batch in in_batches(writes.items()):
                updates = [
                    UpdateOne({"_id": documents.to_bson_id(record_id)}, documents.writes_update(values, at))
                    for record_id, values in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def noted_writes(self, record_ids: Collection[str]) -> dict[str, dict[str, Write]]:
        with self._reading() as database:
            found = find_by_ids(database.syncrecords, map(documents.to_bson_id, record_ids), ["written"])
            noted = self._own.read("syncrecords", found, documents.writes_by_id)
            return {record_id: writes for record_id, writes in noted if writes}

    def leads(self, lead_ids: Collection[str]) -> dict[str, Document]:
        with self._reading() as database:
            found = find_by_texts(database.leads, lead_ids)
            return {lead["_id"]: lead for lead in map(documents.from_bson, found)}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        with self._writing() as database:
            return update_leads(database.leads, changes)

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        query = {"source": source} if location is None else {"source": source, "location": location}
        with self._reading() as database:
            found = find(database.syncrejects, query, ["location", "position"])
            return by_location(self._own.read("syncrejects", found, documents.reject_place))

    def rejects(self, source: str | None = None) -> list[Reject]:
        with self._reading() as database:
            found = find(database.syncrejects, {} if source is None else {"source": source})
            return newest_first(self._own.read("syncrejects", found, documents.reject_from))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        with self._writing() as database:
            return len(insert_new(database.syncrejects, map(documents.reject_document, rejects)))

    def clear_rejects(self, reject_ids: Collection[str]) -> None:
        with self._writing() as database:
            for batch in in_batches(map(documents.to_bson_id, reject_ids)):
                database.syncrejects.delete_many({"_id": {"$in": batch}})

    def stores(self) -> list[Store]:
        with self._reading() as database:
            return [documents.store_from(found) for found in find(database.stores, {})]

    def add_stores(self, stores: Sequence[Store]) -> int:
        fresh = new_stores(self.stores(), stores)
        now = self._now()
        with self._writing() as database:
            return len(insert_new(database.stores, [documents.store_document(store, now) for store in fresh]))

    def store_list(self) -> dict[str, str]:
        with self._reading() as database:
            found = find(database.syncstate, {"_id": STORE_LIST_ID})
            return next(self._own.read("syncstate", found, documents.store_names), {})

    def save_store_list(self, names: Mapping[str, str]) -> None:
        # A list, not a mapping by code: a field name may not be everything that a code may be.
        entries = [{"code": code, "name": name} for code, name in names.items()]
        self._put("syncstate", {"_id": STORE_LIST_ID, "names": entries, "fetchedAt": self._now()})

    def file_hashes(self, kind: str) -> dict[str, str]:
        with self._reading() as database:
            found = find(database.syncstate, {"kind": kind}, ["name", "contentHash"])
            return dict(self._own.read("syncstate", found, documents.hash_by_name))

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        self._put("syncstate", documents.file_document(kind, name, content_hash, self._now()))

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        with self._reading() as database:
            found = find(database.syncstate, {"report": str(report)})
            states = self._own.read("syncstate", found, documents.state_from)
            return {state.location: state for state in states}

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        self._put("syncstate", *(documents.state_document(report, state) for state in states))

    def dialects(self) -> dict[StepName, Dialect]:
        with self._reading() as database:
            found = find(database.syncstate, {"dialect": {"$exists": True}}, ["dialect"])
            read = self._own.read("syncstate", found, lambda each: dialect_from(each["dialect"]))
            return {dialect.report: dialect for dialect in read}

    def save_dialect(self, dialect: Dialect) -> None:
        document = {"_id": f"dialect:{dialect.report}", "dialect": dialect_document(dialect)}
        self._put("syncstate", document)

    def add_sync_log(self, entry: SyncLog) -> None:
        with self._writing() as database:
            database.synclogs.insert_one(documents.sync_log_document(entry))

    def save_run(self, entry: RunEntry) -> None:
        self._put("syncruns", documents.run_document(entry))

    def forget_runs(
        self, before: datetime, witnessed: tuple[datetime, datetime] | None = None, most: int = 0
    ) -> None:
        with self._writing() as database:
            runs = database.syncruns
            if witnessed and not runs.find_one(
                {"startedAt": {"$gte": witnessed[0], "$lt": witnessed[1]}}, []
            ):
                return
            old = runs.find({"startedAt": {"$lt": before}}, ["_id"]).sort("startedAt", ASCENDING)
            for batch in in_batches([run["_id"] for run in old.limit(most)]):
                runs.delete_many({"_id": {"$in": batch}})

    def _put(self, collection: str, *new: Document) -> None:
        with self._writing() as database:
            for batch in in_batches(new):
                replacements = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in batch]
                database[collection].bulk_write(replacements, ordered=False)
