"""The MongoDB adapter: the contract, and its documents as the web app sees them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from bson.int64 import Int64
from pymongo import IndexModel, MongoClient

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.identity import KEY_RULES
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import LeadType, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.domain.stores import Store
from syncctl.errors import LeadsRefusedError, StorageError
from syncctl.services.matching.legacy_leads import text_of
from syncctl.storage.dry_run import DryRunStorage
from syncctl.storage.mongo.storage import MongoStorage
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import MOMENT, lead, phone, record, reject, text_id
from tests.contract.storage_suite import StorageSuite


@pytest.fixture
def database(prepared_mongo_url: str) -> Iterator[MongoDatabase]:
    with MongoClient[Document](prepared_mongo_url, tz_aware=True) as client:
        yield MongoDatabase(prepared_mongo_url, client.get_default_database())


@pytest.fixture
def storage(database: MongoDatabase) -> Iterator[MongoStorage]:
    storage = MongoStorage(database.url, now=lambda: MOMENT)
    storage.prepare()
    yield storage
    storage.close()


class TestContract(StorageSuite):
    """The whole contract, on a real server."""


class TestDocuments:
    def test_a_lead_is_as_mongoose_would_store_it(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        storage.store_leads([lead(1)], [])
        (document,) = database.documents("leads")
        assert document == {
            "_id": ObjectId(text_id(1)),
            "leadType": "bookingConfirmation",
            "source": "Booking",
            "name": "Customer 1",
            "phone": "9000000001",
            "store": "Suitor Guy - Calicut",
            "bookingNo": "2025000000001",
            "functionDate": datetime(2025, 3, 1, tzinfo=UTC),
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
            "securityAmount": 1500.5,
            "remarks": "",
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "assignedTo": None,
            "__v": 0,
        }
        assert document["followUpFlag"] is False

    def test_stores_and_sync_logs_are_too(self, storage: MongoStorage, database: MongoDatabase) -> None:
        storage.add_stores(
            [
                Store("Suitor Guy - Calicut", "13", "Suitor Guy", "Calicut", True),
                Store("Zorucci - Edappally", "1", "Zorucci", "", False),
            ]
        )
        storage.add_sync_log(SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.PARTIAL, None))

        with_city, without_city = database.documents("stores")
        assert isinstance(with_city.pop("_id"), ObjectId)
        assert with_city == {
            "name": "Suitor Guy - Calicut",
            "code": "13",
            "brand": "Suitor Guy",
            "city": "Calicut",
            "isActive": True,
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
            "__v": 0,
        }
        assert "city" not in without_city
        (log,) = database.documents("synclogs")
        assert isinstance(log.pop("_id"), ObjectId)
        assert log == {
            "syncType": "booking",
            "trigger": "auto",
            "lastSyncAt": MOMENT,
            "lastSyncCount": 15,
            "status": "partial",
            "errorMessage": None,
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
            "__v": 0,
        }

    def test_what_a_sync_keeps_of_itself(self, storage: MongoStorage, database: MongoDatabase) -> None:
        storage.store_leads([], [record(1)])
        storage.update_records([record(1, fingerprint="new")])
        storage.add_rejects([reject(1)])
        storage.save_location_states(StepName.BOOKING, [LocationState("7", MOMENT, None, MOMENT, True, 3)])
        storage.save_store_list({"a.b": "Z- Calicut"})
        storage.save_file_hash("walkin", "$a.b:c", "hash")
        storage.save_run(RunEntry("run 1", MOMENT, {"ok": True}))

        assert database.documents("syncrecords") == [
            {
                "_id": ObjectId(text_id(1)),
                "key": "booking 1",
                "leadId": text_id(1),
                "source": "booking",
                "location": "7",
                "values": {
                    "leadType": "bookingConfirmation",
                    "name": "Customer 1",
                    "phone": "9000000001",
                    "createdAt": MOMENT,
                    "securityAmount": 1500.5,
                },
                "fingerprint": "new",
                "firstSeenAt": MOMENT,
                "firstRunId": "run 1",
                "changedAt": MOMENT,
            }
        ]
        assert database.documents("syncrejects") == [
            {
                "_id": ObjectId(text_id(1)),
                "source": "booking",
                "location": "7",
                "store": "Suitor Guy - Calicut",
                "position": "row 1",
                "reason": "no phone number",
                "row": '{"customerName": "Customer"}',
                "runId": "run 1",
                "rejectedAt": MOMENT,
            }
        ]
        assert database.documents("syncstate") == [
            {"_id": "key-rules", "version": KEY_RULES},
            {
                "_id": "booking:7",
                "report": "booking",
                "location": "7",
                "watermark": MOMENT,
                "askedAt": None,
                "triedAt": MOMENT,
                "dormant": True,
                "dueAgain": 3,
                "recent": 0,
                "auditedAt": None,
                "auditTriedAt": None,
                "doubtedSince": None,
            },
            {"_id": "store-list", "names": [{"code": "a.b", "name": "Z- Calicut"}], "fetchedAt": MOMENT},
            {
                "_id": "file:walkin:$a.b:c",
                "kind": "walkin",
                "name": "$a.b:c",
                "contentHash": "hash",
                "importedAt": MOMENT,
            },
        ]
        assert database.documents("syncruns") == [
            {"_id": "run 1", "startedAt": MOMENT, "document": {"ok": True}}
        ]

    def test_a_lead_with_any_id_is_present_by_the_id_it_is_given_out_with(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        ids = [ObjectId(), "hand-made", text_id(1), "42", 43, Int64(44), 45.0, -1, "A" * 24]
        database.raw.leads.insert_many([{**lead(1), "_id": bson_id} for bson_id in ids])
        given_out = {found["_id"] for found in storage.find_leads(LeadType.BOOKING, [], [phone(1)])}
        assert given_out == {str(ids[0]), "hand-made", text_id(1), "42", "43", "44", "45", "-1", "A" * 24}
        assert storage.present_leads(given_out) == given_out
        assert storage.leads(given_out).keys() == given_out

        changes = [LeadChange(lead_id, {"remarks": ""}, {"remarks": "news"}) for lead_id in given_out]
        assert storage.update_leads(changes) == given_out
        assert database.raw.leads.distinct("remarks") == ["news"]

    def test_changed_fields_are_as_mongoose_would_store_them(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        storage.store_leads([lead(1, reason="price")], [])
        storage.update_leads(
            [
                LeadChange(
                    text_id(1),
                    {"reason": "price", "securityAmount": 1500.5, "leadType": "bookingConfirmation"},
                    {
                        "reason": None,
                        "securityAmount": 2000,
                        "leadType": LeadType.GENERAL,
                        "visitDate": MOMENT,
                    },
                )
            ]
        )
        (document,) = database.documents("leads")
        assert document == {
            **lead(1, securityAmount=2000, leadType="general", visitDate=MOMENT),
            "_id": ObjectId(text_id(1)),
        }
        assert isinstance(document["securityAmount"], int)

    def test_a_unique_index_may_refuse_a_change(self, storage: MongoStorage, database: MongoDatabase) -> None:
        storage.store_leads([lead(1), lead(2)], [])
        database.raw.leads.create_index("attendedBy", unique=True, sparse=True)
        storage.update_leads([LeadChange(text_id(1), {}, {"attendedBy": "Customer 1"})])
        with pytest.raises(
            StorageError, match="unique index on attendedBy, which refused a document"
        ) as caught:
            storage.update_leads([LeadChange(text_id(2), {}, {"attendedBy": "Customer 1"})])
        assert "Customer" not in str(caught.value)

    @pytest.mark.parametrize(
        "as_number", [int, Int64, float, Decimal128], ids=["int", "Int64", "double", "Decimal128"]
    )
    @pytest.mark.parametrize("field", ["phone", "bookingNo"])
    def test_a_lead_whose_number_is_stored_as_a_number_is_found(
        self, storage: MongoStorage, database: MongoDatabase, field: str, as_number: Callable[[str], Any]
    ) -> None:
        numbers = {"phone": "9048780011", "bookingNo": "2025020100100001"}
        written = {**numbers, field: as_number(numbers[field])}
        document = {"_id": ObjectId(), "leadType": "bookingConfirmation", "name": "A", "store": "S - P"}
        database.raw.leads.insert_many(
            [{**document, **written}, {"leadType": "bookingConfirmation", "name": "B"}]
        )
        wanted = [numbers["bookingNo"]] if field == "bookingNo" else []
        phones = [numbers["phone"]] if field == "phone" else []
        for port in (storage, DryRunStorage(storage)):
            (found,) = port.find_leads(LeadType.BOOKING, wanted, phones)
            assert text_of(found, field) == numbers[field]
            assert port.find_leads(LeadType.RETURN, wanted, phones) == []
        (scanned,) = (lead for lead in storage.scan_leads([field]) if field in lead)
        assert text_of(scanned, field) == numbers[field]
        change = LeadChange(found["_id"], {field: found[field]}, {field: "1"})
        dry = DryRunStorage(storage)
        assert dry.update_leads([LeadChange(found["_id"], {"name": "A"}, {"name": "C"})]) == {found["_id"]}
        assert [lead["name"] for lead in dry.find_leads(LeadType.BOOKING, wanted, phones)] == ["C"]
        assert storage.update_leads([change]) == {found["_id"]}

    def test_a_phone_whose_zero_was_lost_in_a_number_is_found(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        lead_id = ObjectId()
        lead = {"_id": lead_id, "leadType": "general", "phone": 913969469, "name": "A"}
        database.raw.leads.insert_one(lead)
        found = storage.find_leads(LeadType.GENERAL, [], ["0913969469"])
        assert [each["_id"] for each in found] == [str(lead_id)]

    @pytest.mark.parametrize("number", ["9048780011.5", "NaN", "Infinity", "1E+6000"])
    def test_a_decimal_that_is_no_whole_number_is_read_as_it_is(
        self, storage: MongoStorage, database: MongoDatabase, number: str
    ) -> None:
        lead_id = database.raw.leads.insert_one({"phone": Decimal128(number), "name": "A"}).inserted_id
        assert storage.leads([str(lead_id)])[str(lead_id)]["phone"] == Decimal128(number)

    def test_object_ids_and_dates_of_other_writers_can_be_read(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        user = ObjectId()
        database.raw.leads.insert_one({**lead(1), "assignedTo": user, "history": [{"by": user}]})
        database.raw.command(
            "update", "leads", updates=[{"q": {}, "u": [{"$set": {"visitDate": {"$add": [MOMENT, 10**15]}}}]}]
        )
        database.raw.reports.insert_one({"_id": user, "leadSnapshot": {"_id": ObjectId(text_id(1))}})

        (found,) = storage.find_leads(LeadType.BOOKING, [], [phone(1)])
        assert found["assignedTo"] == str(user)
        assert found["history"] == [{"by": str(user)}]
        assert found["visitDate"].year == 9999
        assert storage.find_reports([text_id(1)], []) == [
            {"_id": str(user), "leadSnapshot": {"_id": text_id(1)}}
        ]

    def test_stores_of_other_writers_can_be_read(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        database.raw.stores.insert_many(
            [{"name": "A - B", "code": 7, "city": None}, {"name": "A - C", "code": 8.0}]
        )
        assert storage.stores() == [Store("A - B", "7", "", "", True), Store("A - C", "8", "", "", True)]
        assert (
            storage.add_stores([Store("A - D", "7", "A", "", True), Store("a - c", "9", "A", "", True)]) == 0
        )


SPELLINGS = ("syncctl_phone", "syncctl_bookingNo")
"""Indexes for looking numbers up in any spelling."""


class TestWebApp:
    @pytest.fixture
    def database(self, mongo_url: str) -> Iterator[MongoDatabase]:
        """One that nothing has been prepared in."""
        with MongoClient[Document](mongo_url, tz_aware=True) as client:
            yield MongoDatabase(mongo_url, client.get_default_database())

    def test_its_inserts_are_never_refused(self, storage: MongoStorage, database: MongoDatabase) -> None:
        by_hand = {"name": "A", "phone": phone(1), "store": "B"}
        odd = {"phone": [phone(1), phone(2)], "bookingNo": ["1", {"a": 1}], "leadType": ["return"]}
        for collection in ("leads", "reports", "stores", "synclogs"):
            database.raw[collection].insert_many([dict(by_hand), dict(by_hand), dict(odd), dict(odd), {}])
        every_field_a_list = {
            "id": ["1", "2"],
            "phone": [[phone(1)], {"phone": []}],
            "phone_before": [phone(1), None],
            "leadData": [{"phone": [phone(1)], "_id": [1, 2]}, {"phone_number": ["x"], "id": ["y"]}],
            "leadSnapshot": {"_id": [ObjectId(), ObjectId()], "phone": "x" * 3000},
            "beforeSnapshot": "none",
        }
        database.raw.reports.insert_many([dict(every_field_a_list), dict(every_field_a_list)])
        assert database.count("reports") == 7
        assert len(storage.find_reports([], [phone(1)])) == 6

    def test_no_index_of_its_collections_is_unique(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        storage.store_leads([lead(1)], [record(1)])
        storage.add_stores([Store("A - B", "1", "A", "", True)])
        storage.add_sync_log(SyncLog("booking", Trigger.AUTO, MOMENT, 15, StepStatus.PARTIAL, None))
        unique = {
            (name, *(field for field, _ in index["key"]))
            for name in database.raw.list_collection_names()
            for index in database.raw[name].index_information().values()
            if index.get("unique")
        }
        assert unique == {("syncrecords", "reportId")}

    def test_its_own_indexes_serve_as_they_are(self, database: MongoDatabase) -> None:
        compound = [("bookingNo", 1), ("phone", 1), ("leadType", 1)]
        database.raw.leads.create_indexes([IndexModel("phone", name="by_phone"), IndexModel(compound)])
        storage = MongoStorage(database.url)
        storage.prepare()
        storage.close()
        assert set(database.raw.leads.index_information()) == {
            "_id_",
            "by_phone",
            "bookingNo_1_phone_1_leadType_1",
            "createdAt_1",
            "name_1",
            *SPELLINGS,
        }

    def test_an_index_of_some_leads_only_does_not_serve(self, database: MongoDatabase) -> None:
        database.raw.leads.create_index("phone", name="some", partialFilterExpression={"rating": 1})
        storage = MongoStorage(database.url)
        storage.prepare()
        storage.prepare()
        storage.close()
        names = {"_id_", "some", "phone_1", "bookingNo_1", "createdAt_1", "name_1", *SPELLINGS}
        assert set(database.raw.leads.index_information()) == names

    def test_an_index_name_that_is_taken_is_a_warning(
        self, database: MongoDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        database.raw.reports.create_index("name", name="syncctl_which_lead")
        storage = MongoStorage(database.url)
        storage.prepare()
        assert storage.find_reports([text_id(1)], [phone(1)]) == []
        storage.close()
        assert [entry.message for entry in caplog.records if entry.name.startswith("syncctl")] == [
            "No index made for reports (IndexKeySpecsConflict): syncs will be slower."
        ]

    def test_a_unique_index_that_keeps_a_lead_out_is_no_duplicate(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        database.raw.leads.create_index([("name", 1), ("store", 1)], unique=True)
        with pytest.raises(LeadsRefusedError, match="a unique index of its own") as caught:
            storage.store_leads([lead(1), lead(2, name="Customer 1")], [record(1), record(2)])
        assert "Customer" not in str(caught.value)
        assert caught.value.inserted == {text_id(1)}
        assert set(caught.value.reasons) == {text_id(2)}
        assert set(storage.find_records([text_id(1), text_id(2)])) == {text_id(1)}

    def test_a_lead_that_validation_refuses_leaves_the_others_alone(
        self, storage: MongoStorage, database: MongoDatabase
    ) -> None:
        rule = {"securityAmount": {"$lt": 10}}
        database.raw.command("collMod", "leads", validator=rule)
        leads = [lead(1, securityAmount=1), lead(2, securityAmount=99), lead(3, securityAmount=2)]
        with pytest.raises(LeadsRefusedError, match="validation rules") as caught:
            storage.store_leads(leads, [record(1), record(2), record(3)])
        assert caught.value.inserted == {text_id(1), text_id(3)}
        assert storage.present_leads([text_id(1), text_id(2), text_id(3)]) == caught.value.inserted
        assert storage.find_records([text_id(2)]) == {}

    def test_for_reading_only_nothing_is_made(self, database: MongoDatabase) -> None:
        storage = MongoStorage(database.url, read_only=True)
        storage.prepare()
        assert storage.stores() == []
        with pytest.raises(StorageError, match="opened for reading only"):
            storage.store_leads([lead(1)], [])
        with pytest.raises(StorageError, match="opened for reading only"):
            storage.update_leads([LeadChange(text_id(1), {}, {"remarks": "new"})])
        storage.close()
        assert database.raw.list_collection_names() == []
