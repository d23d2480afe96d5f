"""What `cleanup` and `doctor` write to a MongoDB database; a stored document as one line of extended JSON and
back, byte for byte.

The JSON is canonical: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/. What it can't say
(text that isn't UTF-8, a field named twice, one named as a type is) is kept as the document's BSON in base64.
"""

from collections.abc import Collection, Mapping, Sequence

import bson
from bson import Decimal128, Int64, ObjectId, json_util
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions
from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, UpdateMany, UpdateOne
from pymongo.collation import Collation
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from syncctl.domain.lead_values import Document
from syncctl.errors import StorageError
from syncctl.ports.admin import DuplicateCount, LeadSnapshot, Restored
from syncctl.storage.common.own_collections import count_document
from syncctl.storage.common.snapshot_lines import SQLITE_MARK, parsed, wrong_kind
from syncctl.storage.mongo.batches import find_by_ids, in_batches, insert_new
from syncctl.storage.mongo.documents import possible_bson_ids, to_bson_id
from syncctl.storage.mongo.session import MongoSession
from syncctl.storage.mongo.survey import DUPLICATES_ID
from syncctl.text import to_text

BSON_KEY = "$bson"

# Years beyond Python's come as DatetimeMS, which keeps their milliseconds.
_DATES = DatetimeConversion.DATETIME_AUTO
_EXACT: CodecOptions[Document] = CodecOptions(tz_aware=True, datetime_conversion=_DATES)
_JSON = JSONOptions(json_mode=JSONMode.CANONICAL, tz_aware=True, datetime_conversion=_DATES)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(
    document_class=RawBSONDocument,
    tz_aware=True,
    datetime_conversion=_DATES,
    unicode_decode_error_handler="replace",
)
"""Reads documents as their bytes."""


def to_line(document: RawBSONDocument) -> str:
    """A document as one line of ASCII."""
    try:
        line = json_util.dumps(bson.decode(document.raw, _EXACT), json_options=_JSON)
        if from_line(line).raw == document.raw:
            return line
    except (BSONError, StorageError):
        pass  # JSON can't say it
    whole = {"_id": document["_id"], BSON_KEY: Binary(bytes(document.raw))}
    return json_util.dumps(whole, json_options=_JSON)


def from_line(line: str) -> RawBSONDocument:
    """The document that `to_line` wrote. Raises StorageError where the line is none."""
    return parsed(line, _read)


def _read(line: str) -> RawBSONDocument:
    try:
        found = json_util.loads(line, json_options=_JSON)
        if SQLITE_MARK in found:
            raise wrong_kind("a SQLite database")
        whole = found[BSON_KEY] if found.keys() == {"_id", BSON_KEY} else bson.encode(found, False, _EXACT)
        document = RawBSONDocument(whole, RAW)
        document["_id"]
    except BSONError as error:
        raise ValueError from error
    return document


BYTE_BY_BYTE = Collation("simple")
"""Texts are equal only if their bytes are, whatever the collection's own rule is."""

NUMBERS = {int: "int", Int64: "long", float: "double", Decimal128: "decimal"}
"""Names of BSON's number types: to MongoDB's $eq, 1 of one is 1 of another."""


class MongoRepair(MongoSession):
    """ports.admin.Repair on MongoDB."""

    def snapshots(self, lead_ids: Collection[str]) -> list[LeadSnapshot]:
        with self._reading() as database:
            ids = (bson_id for text in lead_ids for bson_id in possible_bson_ids(text))
            return [
                LeadSnapshot(to_text(found["_id"]), to_line(found))
                for found in find_by_ids(_raw_leads(database), ids)
            ]

    def delete_unchanged(self, snapshots: Sequence[LeadSnapshot]) -> set[str]:
        gone: set[str] = set()
        with self._writing() as database:
            for batch in in_batches(snapshots):
                planned = [from_line(snapshot.document) for snapshot in batch]
                database.leads.bulk_write([_delete_if_same(document) for document in planned], ordered=False)
                left = find_by_ids(database.leads, (document["_id"] for document in planned), [])
                gone |= {snapshot.lead_id for snapshot in batch} - {to_text(lead["_id"]) for lead in left}
        return gone

    def restore(self, snapshots: Sequence[LeadSnapshot]) -> Restored:
        inserted: set[str] = set()
        same: set[str] = set()
        different: set[str] = set()
        with self._writing() as database:
            # All of them are read first: a batch with a damaged line is not put back by half.
            documents = [from_line(snapshot.document) for snapshot in snapshots]
            leads = _raw_leads(database)
            for batch in in_batches(documents):
                new = set(map(to_text, insert_new(leads, batch)))
                inserted |= new
                there = [document for document in batch if to_text(document["_id"]) not in new]
                equal = _still_the_same(leads, there)
                same |= equal
                different |= {to_text(document["_id"]) for document in there} - equal
        return Restored(frozenset(inserted), frozenset(same), frozenset(different))

    def repoint_records(self, lead_ids: Mapping[str, str]) -> int:
        repointed = 0
        with self._writing() as database:
            for batch in in_batches(lead_ids.items()):
                updates = [UpdateMany({"leadId": old}, {"$set": {"leadId": new}}) for old, new in batch]
                repointed += database.syncrecords.bulk_write(updates, ordered=False).modified_count
        return repointed

    def unpair_reports(self, report_ids: Mapping[str, str]) -> None:
        with self._writing() as database:
            for batch in in_batches(report_ids.items()):
                updates = [
                    UpdateOne(
                        {"_id": to_bson_id(record_id), "reportId": report_id}, {"$unset": {"reportId": ""}}
                    )
                    for record_id, report_id in batch
                ]
                database.syncrecords.bulk_write(updates, ordered=False)

    def save_duplicate_count(self, count: DuplicateCount) -> None:
        with self._writing() as database:
            database.syncstate.replace_one({"_id": DUPLICATES_ID}, count_document(count), upsert=True)

    def probe_writing(self) -> None:
        probe = {"_id": ObjectId()}  # without a report or a kind, so no state of anything
        with self._writing() as database:
            database.syncstate.insert_one(probe)
            database.syncstate.delete_one(probe)


def _raw_leads(database: Database[Document]) -> MongoCollection[RawBSONDocument]:
    return database.leads.with_options(codec_options=RAW)


def _delete_if_same(planned: RawBSONDocument) -> DeleteOne:
    same_types = {
        field: {"$type": NUMBERS[type(value)]}
        for field, value in planned.items()
        if type(value) in NUMBERS and field.isidentifier()  # others a query can't name
    }
    same_values = {"$eq": ["$$ROOT", {"$literal": planned}]}
    return DeleteOne({**same_types, "_id": planned["_id"], "$expr": same_values}, collation=BYTE_BY_BYTE)


def _still_the_same(
    leads: MongoCollection[RawBSONDocument], documents: Sequence[RawBSONDocument]
) -> set[str]:
    """The ids of those that are stored with the very same bytes."""
    ids = (document["_id"] for document in documents)
    stored = {found.raw for found in find_by_ids(leads, ids)}
    return {to_text(document["_id"]) for document in documents if document.raw in stored}
