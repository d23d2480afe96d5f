"""What MongoDB reports about itself: its deployment, old entries, and errors meanwhile."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from bson import DatetimeMS, ObjectId
from pymongo import MongoClient

from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.ports.admin import LastLogs, LeadSnapshot
from syncctl.storage.mongo.address import MongoAddress, read_address
from syncctl.storage.mongo.facts import journal_caveats, topology, user_caveats, version_caveats
from syncctl.storage.mongo.storage import MongoStorage
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import MOMENT, lead, phone, text_id
from tests.support.mongod import own_mongod

LOCAL = "127.0.0.1:27017"
FAR = MongoAddress("", "db1.example.net:27017, db2.example.net:27017", "leads")


class TestFacts:
    def test_of_a_single_server(self, mongo: MongoStorage, mongo_database: MongoDatabase) -> None:
        facts = mongo.facts()
        version = mongo_database.raw.client.server_info()["version"]
        assert (facts.kind, facts.version) == ("MongoDB", version)
        assert facts.durability == "writes confirmed by a majority of members"
        assert facts.caveats == ()

    def test_no_password_is_told(self, mongo_url: str) -> None:
        with closing(MongoStorage(f"{mongo_url}?appName=hunter2")) as storage:
            facts = storage.facts()
        assert "hunter2" not in repr(facts)
        assert facts.place == mongo_url.removeprefix("mongodb://")

    @pytest.mark.parametrize(
        ("hello", "hosts", "told"),
        [
            ({"ismaster": True}, LOCAL, "single server"),
            ({"msg": "isdbgrid"}, LOCAL, "sharded cluster"),
            (
                {"setName": "rs0", "hosts": ["a:1", "b:1"], "arbiters": ["c:1"]},
                "a:1, b:1",
                "replica set rs0, 3 members",
            ),
            ({"setName": "rs0", "hosts": ["a:1"]}, LOCAL, "replica set rs0, 1 member"),
            (
                {"setName": "atlas-x", "hosts": ["a", "b", "c"]},
                "cluster0.abcde.mongodb.net",
                "Atlas, replica set atlas-x, 3 members",
            ),
            ({"msg": "isdbgrid"}, "s0.abcde.mongodb.net:27017, s1:27017", "Atlas, sharded cluster"),
        ],
    )
    def test_topology(self, hello: Document, hosts: str, told: str) -> None:
        assert topology(hello, hosts) == told

    @pytest.mark.parametrize(
        ("version", "caveats"), [("4.2.24", 1), ("3.6", 1), ("4.4.0", 0), ("6.0.5", 0), ("10.0.1-rc0", 0)]
    )
    def test_versions(self, version: str, caveats: int) -> None:
        assert len(list(version_caveats(version))) == caveats

    def test_the_journal(self, mongo_url: str) -> None:
        with closing(MongoStorage(f"{mongo_url}?journal=false")) as storage:
            facts = storage.facts()
        assert facts.durability.endswith("journal off")
        assert facts.caveats == tuple(journal_caveats({"j": False}))
        assert list(journal_caveats({"w": "majority"})) == []

    def test_a_server_without_authorization(self) -> None:
        nobody: Document = {"authenticatedUsers": [], "authenticatedUserPrivileges": []}
        assert list(user_caveats(nobody, read_address("mongodb://localhost,127.0.0.1:1,[::1]:2/leads"))) == []
        (caveat,) = user_caveats(nobody, FAR)
        assert "turn its authorization on" in caveat.hint

    @pytest.mark.parametrize(
        ("resource", "actions", "closed"),
        [
            ({"db": "leads", "collection": ""}, ["find", "insert", "update", "remove"], ()),
            ({"db": "", "collection": ""}, ["find", "insert", "update", "remove"], ()),
            ({"anyResource": True}, ["anyAction", "insert", "update", "remove"], ()),
            ({"db": "leads", "collection": ""}, ["find"], ("leads", "syncruns")),
            ({"db": "leads", "collection": ""}, ["find", "insert", "update"], ("leads", "syncruns")),
            ({"db": "other", "collection": ""}, ["insert", "update", "remove"], ("leads", "syncruns")),
            ({"db": "leads", "collection": "leads"}, ["insert", "update", "remove"], ("stores", "syncruns")),
            ({"cluster": True}, ["insert", "update", "remove"], ("leads", "syncruns")),
        ],
    )
    def test_rights(self, resource: Document, actions: list[str], closed: tuple[str, ...]) -> None:
        user = {
            "authenticatedUsers": [{"user": "sync", "db": "leads"}],
            "authenticatedUserPrivileges": [
                {"resource": {"db": "leads", "collection": "reports"}, "actions": ["insert"]},
                {"resource": resource, "actions": actions},
            ],
        }
        caveats = list(user_caveats(user, FAR))
        assert len(caveats) == bool(closed)
        for caveat in caveats:
            assert all(collection in caveat.message for collection in closed)
            assert caveat.hint == "give it the role readWrite on leads."

    @pytest.mark.mongo
    def test_rights_as_a_server_tells_them(self) -> None:
        with own_mongod("--auth") as server, MongoClient[Document](server.uri) as client:
            client.admin.command("createUser", "root", pwd="hunter2", roles=["root"])
            host = server.uri.removeprefix("mongodb://")
            with MongoClient[Document](f"mongodb://root:hunter2@{host}") as root:
                for role in ("read", "readWrite"):
                    roles = [{"role": role, "db": "leads"}]
                    root.admin.command("createUser", role, pwd="hunter2", roles=roles)
            caveats = {}
            for user in ("read", "readWrite", "root"):
                url = f"mongodb://{user}:hunter2@{host}/leads?authSource=admin"
                with closing(MongoStorage(url, read_only=True)) as storage:
                    caveats[user] = storage.facts().caveats
            with (
                closing(MongoStorage(f"mongodb://read:hunter2@{host}/leads?authSource=admin")) as storage,
                pytest.raises(StorageUnavailableError, match="needs a user with the role readWrite"),
            ):
                storage.probe_writing()
        assert {user: len(told) for user, told in caveats.items()} == {"read": 1, "readWrite": 0, "root": 0}


class TestOldEntries:
    def test_logs_of_the_old_program_may_lack_fields(
        self, mongo: MongoStorage, mongo_database: MongoDatabase
    ) -> None:
        old = MOMENT - timedelta(days=1)
        mongo_database.raw.synclogs.insert_many(
            [
                {"_id": ObjectId(text_id(1)), "syncType": "booking", "status": "success", "createdAt": old},
                {"_id": ObjectId(text_id(2)), "syncType": "booking", "status": "aborted", "lastSyncAt": old},
                {"_id": ObjectId(text_id(3)), "syncType": "booking", "status": "success"},
                {"_id": ObjectId(text_id(4)), "syncType": "booking", "lastSyncAt": "yesterday"},
                {"_id": ObjectId(text_id(5)), "lastSyncAt": MOMENT, "status": "success"},
                {"_id": ObjectId(text_id(6)), "syncType": None, "lastSyncAt": MOMENT},
                {
                    "_id": ObjectId(text_id(7)),
                    "syncType": "return",
                    "trigger": "cron",
                    "lastSyncAt": MOMENT,
                    "lastSyncCount": 7.0,
                    "status": ["success"],
                    "errorMessage": 5,
                },
                {
                    "_id": ObjectId(text_id(8)),
                    "syncType": "store",
                    "lastSyncAt": MOMENT,
                    "lastSyncCount": float("nan"),
                },
            ]
        )
        failed, fine, auto = StepStatus.FAILED, StepStatus.SUCCESS, Trigger.AUTO
        assert mongo.last_sync_logs() == {
            "booking": LastLogs(
                SyncLog("booking", auto, old, 0, failed, None), SyncLog("booking", auto, old, 0, fine, None)
            ),
            "return": LastLogs(SyncLog("return", auto, MOMENT, 7, failed, "5"), None),
            "store": LastLogs(SyncLog("store", auto, MOMENT, 0, failed, None), None),
        }
        of_time = mongo.sync_logs(old, MOMENT + timedelta(seconds=1))
        assert [(log.sync_type, log.at) for log in of_time] == [
            ("booking", old),
            ("return", MOMENT),
            ("store", MOMENT),
        ]

    def test_leads_that_other_programs_wrote(
        self, mongo: MongoStorage, mongo_database: MongoDatabase
    ) -> None:
        user = ObjectId()
        mongo_database.raw.leads.insert_many(
            [
                {"_id": 7, "phone": 9000000001, "bookingNo": None, "assignedTo": user},
                {"_id": "x", "phone": ["a", user], "createdAt": DatetimeMS(2**60)},
                {"_id": ObjectId(text_id(1))},
            ]
        )
        fields = ("phone", "bookingNo", "assignedTo", "createdAt")
        found = {each["_id"]: each for each in mongo.scan_leads(fields)}
        assert found["7"] == {"_id": "7", "phone": 9000000001, "assignedTo": str(user)}
        assert found["x"]["phone"] == ["a", str(user)]
        assert found["x"]["createdAt"].year == 9999
        assert found[text_id(1)] == {"_id": text_id(1)}


class TestTrouble:
    def test_a_collection_dropped_in_the_middle_of_a_scan(
        self, mongo: MongoStorage, mongo_database: MongoDatabase
    ) -> None:
        mongo.store_leads([lead(n) for n in range(6000)], [])
        scan = mongo.scan_leads(["phone"])
        next(scan)
        mongo_database.raw.client.drop_database(mongo_database.raw.name)
        with pytest.raises(StorageError, match="lost its place in a collection"):
            list(scan)

    def test_a_reader_slower_than_the_time_limit(self, mongo_url: str) -> None:
        with closing(MongoStorage(mongo_url, timeout_ms=300)) as storage:
            storage.store_leads([lead(n) for n in range(6000)], [])
            scan = storage.scan_leads([])
            next(scan)

            time.sleep(0.4)
            assert len(list(scan)) == 5999

    @pytest.fixture
    def unreachable(self) -> Iterator[MongoStorage]:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"mongodb://127.0.0.1:{unused.getsockname()[1]}/leads?serverSelectionTimeoutMS=50"
            with closing(MongoStorage(url, timeout_ms=50)) as storage:
                yield storage

    @pytest.mark.parametrize(
        "ask",
        [
            lambda storage: storage.facts(),
            lambda storage: storage.open_rejects(),
            lambda storage: list(storage.scan_leads(["phone"])),
            lambda storage: list(storage.scan_reports()),
            lambda storage: list(storage.scan_records("booking", "7")),
            lambda storage: storage.records_about([phone(1)], [], []),
            lambda storage: storage.last_sync_logs(),
            lambda storage: list(storage.sync_logs(MOMENT, MOMENT + timedelta(days=1))),
            lambda storage: list(storage.leads_by_age(MOMENT, MOMENT + timedelta(days=1), ["return"], [])),
            lambda storage: storage.first_run_at(["booking"]),
            lambda storage: storage.run_spans(MOMENT),
            lambda storage: storage.saved_by_audits(MOMENT),
            lambda storage: storage.runs(1),
            lambda storage: storage.snapshots([text_id(1)]),
            lambda storage: storage.delete_unchanged([LeadSnapshot("1", '{"_id": "1"}')]),
            lambda storage: storage.restore([LeadSnapshot("1", '{"_id": "1"}')]),
            lambda storage: storage.repoint_records({"1": "2"}),
            lambda storage: storage.probe_writing(),
        ],
    )
    def test_a_server_that_is_not_there(
        self, unreachable: MongoStorage, ask: Callable[[MongoStorage], Any]
    ) -> None:
        with pytest.raises(StorageUnavailableError, match="can't be reached"):
            ask(unreachable)
