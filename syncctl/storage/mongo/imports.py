"""What imports note of their changes, and taking one back, on MongoDB."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.lead_values import Document
from syncctl.domain.records import SyncRecord
from syncctl.ports.storage import RecordEntry
from syncctl.storage.common.own_collections import (
    import_document,
    import_from,
    note_document,
    note_from,
    notes_of,
)
from syncctl.storage.common.records import record_entry, write_documents
from syncctl.storage.mongo.batches import find, in_batches, insert_new
from syncctl.storage.mongo.documents import to_bson_id
from syncctl.storage.mongo.session import MongoSession
from syncctl.storage.mongo.survey import LAST_CHARACTER

Update = UpdateOne | DeleteOne | InsertOne[Document]


class MongoImports(MongoSession):
    """ports.import_undo.ImportUndo on MongoDB, and the part of ports.storage.Storage that notes changes."""

    def save_import(self, entry: NotedImport) -> None:
        document = import_document(entry)
        with self._writing() as database:
            database.syncimports.replace_one({"_id": document["_id"]}, document, upsert=True)

    def add_import_notes(self, notes: Sequence[ImportNote]) -> None:
        with self._writing() as database:
            insert_new(database.syncimports, map(note_document, notes))

    def noted_imports(self, run_id: str) -> list[NotedImport]:
        query = {"_id": {"$gte": run_id, "$lt": run_id + LAST_CHARACTER}, "startedAt": {"$type": "date"}}
        with self._reading() as database:
            found = find(database.syncimports, query).sort("startedAt", DESCENDING)
            return list(self._own.read("syncimports", found, import_from))

    def import_notes(self, run_id: str, kind: NoteKind, after: str, limit: int) -> list[ImportNote]:
        first, end = notes_of(run_id, kind)
        query = {"_id": {"$gt": after or first, "$lt": end}}
        with self._reading() as database:
            found = find(database.syncimports, query).sort("_id", ASCENDING).limit(limit)
            return list(self._own.read("syncimports", found, note_from))

    def replace_import_notes(self, notes: Sequence[ImportNote]) -> None:
        updates = [
            ReplaceOne({"_id": note.note_id}, note_document(note), upsert=True)
            if note.changes
            else DeleteOne({"_id": note.note_id})
            for note in notes
        ]
        with self._writing() as database:
            for batch in in_batches(updates):
                database.syncimports.bulk_write(batch)

    def records_of_run(self, run_id: str) -> Iterator[RecordEntry]:
        with self._reading() as database:
            found = find(database.syncrecords, {"firstRunId": run_id})
            yield from self._own.read("syncrecords", found, record_entry)

    def remove_records(self, records: Sequence[SyncRecord]) -> None:
        self._write_records(
            [
                DeleteOne(
                    {
                        "_id": to_bson_id(record.record_id),
                        "firstRunId": record.first_run_id,
                        "fingerprint": record.fingerprint,
                    }
                )
                for record in records
            ]
        )

    def restore_values(self, changes: Sequence[ValuesChange]) -> None:
        self._write_records(
            [
                UpdateOne(
                    {"_id": to_bson_id(change.record_id), "fingerprint": change.expected},
                    {"$set": {"values": dict(change.values), "fingerprint": change.fingerprint}},
                )
                for change in changes
            ]
        )

    def restore_writes(self, changes: Sequence[WriteChange]) -> None:
        self._write_records(
            [
                UpdateOne(
                    {"_id": to_bson_id(change.record_id), f"written.{change.field}.at": change.at},
                    _former_write(change),
                )
                for change in changes
            ]
        )

    def restore_file_hash(self, kind: str, name: str, expected: str, before: str | None) -> None:
        query = {"_id": f"file:{kind}:{name}", "contentHash": expected}
        with self._writing() as database:
            if before is None:
                database.syncstate.delete_one(query)
            else:
                database.syncstate.update_one(query, {"$set": {"contentHash": before}})

    def _write_records(self, updates: Sequence[Update]) -> None:
        with self._writing() as database:
            for batch in in_batches(updates):
                database.syncrecords.bulk_write(batch, ordered=False)


def _former_write(change: WriteChange) -> dict[str, Any]:
    field = f"written.{change.field}"
    if change.before is None:
        return {"$unset": {field: ""}}
    return {"$set": {field: write_documents({"": change.before.value}, change.before.at)[""]}}


def forget_imports(database: Database[Document], before: datetime, most: int) -> None:
    """Delete the oldest `most` (0: all) imports that began before that moment, with their notes. Raises
    pymongo's errors."""
    imports: Collection[Document] = database.syncimports
    old = imports.find({"startedAt": {"$lt": before}}, ["_id"]).sort("startedAt", ASCENDING)
    for run_id in [each["_id"] for each in old.limit(most)]:
        first, end = notes_of(run_id)
        imports.delete_many({"_id": {"$gt": first, "$lt": end}})
        imports.delete_one({"_id": run_id})
