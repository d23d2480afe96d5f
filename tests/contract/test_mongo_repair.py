"""Deleting and restoring on MongoDB: bytes, types and ids as they are stored, and rules of its own."""

import bson
import pytest
from bson import Int64, ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.collation import Collation

from syncctl.domain.lead_values import Document
from syncctl.errors import StorageError
from syncctl.ports.admin import LeadSnapshot, Restored
from syncctl.storage.mongo.storage import MongoStorage
from syncctl.storage.sqlite.storage import SqliteStorage
from tests.contract import odd_mongo_documents
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import lead, text_id

COUNTED = ("find", "getMore", "insert", "delete", "update")

ID = str(odd_mongo_documents.LEAD_ID)


def put(database: MongoDatabase, stored: bytes) -> bytes:
    """Store a document by its bytes. Gives the bytes that the server makes of it."""
    database.raw.leads.insert_one(RawBSONDocument(stored))
    return stored_bytes(database)


def stored_bytes(database: MongoDatabase) -> bytes:
    (found,) = database.raw.leads.with_options(CodecOptions(document_class=RawBSONDocument)).find()
    return bytes(found.raw)


def test_every_byte_survives(mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
    for name, document in odd_mongo_documents.ALL.items():
        stored = put(mongo_database, document)
        taken = mongo.snapshots([ID])
        assert mongo.delete_unchanged(taken) == {ID}, name
        assert mongo_database.count("leads") == 0, name
        assert mongo.restore(taken).inserted == {ID}, name
        assert stored_bytes(mongo_database) == stored, name
        assert mongo.restore(taken).same == {ID}, name
        mongo_database.raw.leads.delete_many({})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1.0}, {"a": Int64(1)}),
        ({"a": ObjectId(ID)}, {"a": ID}),
        ({"a": None}, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": "asha"}, {"a": "Asha"}),
        ({"a": {"b": {"$literal": 1}}}, {"a": {"b": {"$literal": 2}}}),
        ({"a": "$b", "b": 1}, {"a": 1, "b": 1}),
    ],
)
def test_a_change_of_type_order_or_case_is_a_change(
    mongo: MongoStorage, mongo_database: MongoDatabase, before: Document, after: Document
) -> None:
    mongo_database.raw.create_collection("people", collation=Collation("en", strength=1))
    mongo_database.raw.people.rename("leads", dropTarget=True)
    put(mongo_database, bson.encode({"_id": odd_mongo_documents.LEAD_ID, **before}))
    taken = mongo.snapshots([ID])
    mongo_database.raw.leads.replace_one({"_id": odd_mongo_documents.LEAD_ID}, after)
    changed = stored_bytes(mongo_database)

    assert mongo.delete_unchanged(taken) == set()
    assert mongo.restore(taken).different == {ID}
    assert stored_bytes(mongo_database) == changed


@pytest.mark.parametrize("bson_id", [ID, 7, 7.0, Int64(7), "lead 7", -1])
def test_leads_with_ids_of_other_types(
    mongo: MongoStorage, mongo_database: MongoDatabase, bson_id: object
) -> None:
    stored = put(mongo_database, bson.encode({"_id": bson_id, "name": "Customer"}))
    (listed,) = mongo.scan_leads([])
    taken = mongo.snapshots([listed["_id"]])
    assert mongo.delete_unchanged(taken) == {listed["_id"]}
    assert mongo.restore(taken).inserted == {listed["_id"]}
    assert stored_bytes(mongo_database) == stored


def test_two_leads_of_one_id_as_text(mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
    mongo_database.raw.leads.insert_many([{"_id": ObjectId(ID)}, {"_id": ID}])
    taken = mongo.snapshots([ID])
    assert [snapshot.lead_id for snapshot in taken] == [ID, ID]
    mongo_database.raw.leads.update_one({"_id": ID}, {"$set": {"remarks": "call back"}})
    assert mongo.delete_unchanged(taken) == set()
    assert mongo_database.documents("leads") == [{"_id": ID, "remarks": "call back"}]


def test_a_unique_index_of_its_own_is_no_lead_that_is_there(
    mongo: MongoStorage, mongo_database: MongoDatabase
) -> None:
    mongo.store_leads([lead(1), lead(2)], [])
    taken = mongo.snapshots([text_id(1), text_id(2)])
    mongo.delete_unchanged(taken)
    mongo.store_leads([{**lead(1), "_id": text_id(3)}], [])
    mongo_database.raw.leads.create_index([("bookingNo", 1), ("name", 1)], unique=True)

    with pytest.raises(StorageError, match="unique index on bookingNo, name") as caught:
        mongo.restore(taken)
    assert lead(1)["bookingNo"] not in str(caught.value)
    mongo_database.raw.leads.drop_index("bookingNo_1_name_1")
    again = mongo.restore(taken)
    assert again == Restored(frozenset([text_id(1)]), frozenset([text_id(2)]), frozenset())


def test_a_validation_rule_is_told(mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
    mongo.store_leads([lead(1)], [])
    taken = mongo.snapshots([text_id(1)])
    mongo.delete_unchanged(taken)
    mongo_database.raw.command("collMod", "leads", validator={"rating": {"$exists": True}})
    with pytest.raises(StorageError, match="validation rules") as caught:
        mongo.restore(taken)
    assert "Customer" not in str(caught.value)


def test_the_databases_do_not_take_each_others_snapshots(mongo: MongoStorage, sqlite: SqliteStorage) -> None:
    for storage in (mongo, sqlite):
        storage.store_leads([lead(1), lead(2)], [])
    of_mongo, of_sqlite = (storage.snapshots([text_id(1), text_id(2)]) for storage in (mongo, sqlite))
    for storage, own, others in ((mongo, of_mongo, of_sqlite), (sqlite, of_sqlite, of_mongo)):
        storage.delete_unchanged(own)
        with pytest.raises(StorageError, match="with the DATABASE_URL of that time"):
            storage.restore([own[0], others[1]])
        assert len(list(storage.scan_leads(["phone"]))) == 0


def test_a_thousand_are_one_command_each(mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
    ids = [text_id(n) for n in range(1000)]
    mongo.store_leads([lead(n) for n in range(1000)], [])
    with MongoClient[Document](mongo_database.url) as client:

        def totals() -> dict[str, int]:
            commands = client.admin.command("serverStatus")["metrics"]["commands"]
            return {name: commands[name]["total"] for name in COUNTED}

        before, taken, spent = totals(), mongo.snapshots(ids), []
        for work in (
            lambda: None,
            lambda: mongo.delete_unchanged(taken),
            lambda: mongo.restore(taken),
            lambda: mongo.restore(taken),
            lambda: mongo.repoint_records(dict(zip(ids, reversed(ids), strict=True))),
        ):
            work()
            after = totals()
            spent.append({name: after[name] - before[name] for name in COUNTED if after[name] > before[name]})
            before = after
    assert spent == [
        {"find": 2},
        {"delete": 1, "find": 1},
        {"insert": 1},
        {"insert": 1, "find": 1},
        {"update": 1},
    ]


def test_a_damaged_line_is_not_quoted(mongo: MongoStorage) -> None:
    with pytest.raises(StorageError) as caught:
        mongo.restore([LeadSnapshot(ID, '{"_id": "1", "name": "Asha", "phone": "9000000001"')])
    assert "Asha" not in str(caught.value)
    assert "9000000001" not in str(caught.value)
