"""The storage port on MongoDB, in the documents that the web app reads (contract/database.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, ReplaceOne, UpdateOne

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.lead_values import Document
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.ports.storage import Period, RejectPositions, Texts
from syncctl.storage.common.app_collections import new_stores, store_document, store_from, sync_log_document
from syncctl.storage.common.dialect_documents import dialect_document, dialect_from
from syncctl.storage.common.own_collections import (
    amendment,
    by_location,
    closed_document,
    file_document,
    hash_by_name,
    newest_first,
    place_of,
    reject_document,
    reject_from,
    run_document,
    state_document,
    state_from,
)
from syncctl.storage.mongo import documents
from syncctl.storage.mongo.batches import find, in_batches, insert_new
from syncctl.storage.mongo.imports import MongoImports, forget_imports
from syncctl.storage.mongo.leads import MongoLeads
from syncctl.storage.mongo.records import MongoRecords
from syncctl.storage.mongo.repair import MongoRepair
from syncctl.storage.mongo.survey import MongoSurvey

STORE_LIST_ID = "store-list"

OPEN = {"closedAt": None}
"""Rejects that nobody has answered yet."""


class MongoStorage(MongoLeads, MongoRecords, MongoSurvey, MongoRepair, MongoImports):
    """The lead database on a MongoDB server, replica set or Atlas; `MongoSession` says how it is opened."""

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        query = {"source": source} if location is None else {"source": source, "location": location}
        with self._reading() as database:
            found = find(database.syncrejects, query, ["location", "position"])
            return by_location(self._own.read("syncrejects", found, place_of))

    def closed_rejects(self, source: str, location: str | None = None) -> set[str]:
        query = {"source": source, "closedAt": {"$ne": None}}
        with self._reading() as database:
            found = find(
                database.syncrejects,
                query if location is None else {**query, "location": location},
                ["location", "position"],
            )
            return {reject_id for _, _, reject_id in self._own.read("syncrejects", found, place_of)}

    def rejects(self, source: str | None = None) -> list[Reject]:
        with self._reading() as database:
            found = find(database.syncrejects, OPEN if source is None else {"source": source, **OPEN})
            return newest_first(self._own.read("syncrejects", found, reject_from))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        with self._writing() as database:
            new = [documents.to_stored(reject_document(reject)) for reject in rejects]
            return len(insert_new(database.syncrejects, new))

    def amend_rejects(self, rejects: Sequence[Reject]) -> None:
        with self._writing() as database:
            for batch in in_batches(rejects):
                updates = [
                    UpdateOne(
                        {"_id": documents.to_bson_id(reject.reject_id), **OPEN}, {"$set": amendment(reject)}
                    )
                    for reject in batch
                ]
                database.syncrejects.bulk_write(updates, ordered=False)

    def close_rejects(self, rejects: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        closed = (documents.to_stored(closed_document(reject, answer, at)) for reject in rejects)
        self._put("syncrejects", *closed)

    def clear_rejects(self, reject_ids: Texts) -> None:
        with self._writing() as database:
            for batch in in_batches(map(documents.to_bson_id, reject_ids)):
                database.syncrejects.delete_many({"_id": {"$in": batch}})

    def forget_closed_rejects(self, before: datetime, most: int) -> None:
        with self._writing() as database:
            rejects = database.syncrejects
            rejects.delete_many({"closedAt": {"$lt": before}})
            latest = rejects.find({"closedAt": {"$ne": None}}, ["_id"]).sort("closedAt", DESCENDING)
            for batch in in_batches([reject["_id"] for reject in latest.skip(most)]):
                rejects.delete_many({"_id": {"$in": batch}})

    def stores(self) -> list[Store]:
        with self._reading() as database:
            return list(map(store_from, find(database.stores, {})))

    def add_stores(self, stores: Sequence[Store]) -> int:
        fresh = new_stores(self.stores(), stores)
        now = self._now()
        with self._writing() as database:
            new = [documents.to_stored(store_document(store, now)) for store in fresh]
            return len(insert_new(database.stores, new))

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
            return dict(self._own.read("syncstate", found, hash_by_name))

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        document = file_document(kind, name, content_hash, self._now())
        self._put("syncstate", {"_id": f"file:{kind}:{name}", **document})

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        with self._reading() as database:
            found = find(database.syncstate, {"report": str(report)})
            states = self._own.read("syncstate", found, state_from)
            return {state.location: state for state in states}

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        located = ({"_id": f"{report}:{state.location}", **state_document(report, state)} for state in states)
        self._put("syncstate", *located)

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
            database.synclogs.insert_one(sync_log_document(entry))

    def save_run(self, entry: RunEntry) -> None:
        self._put("syncruns", run_document(entry))

    def forget_runs(self, before: datetime, if_any_in: Period | None = None, most: int = 0) -> None:
        with self._writing() as database:
            runs = database.syncruns
            if if_any_in and not runs.find_one(
                {"startedAt": {"$gte": if_any_in[0], "$lt": if_any_in[1]}}, []
            ):
                return
            old = runs.find({"startedAt": {"$lt": before}}, ["_id"]).sort("startedAt", ASCENDING)
            for batch in in_batches([run["_id"] for run in old.limit(most)]):
                runs.delete_many({"_id": {"$in": batch}})
            forget_imports(database, before, most)

    def _put(self, collection: str, *new: Document) -> None:
        with self._writing() as database:
            for batch in in_batches(new):
                replacements = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in batch]
                database[collection].bulk_write(replacements, ordered=False)
