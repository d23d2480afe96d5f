"""Leads and their records on a replica set: both or neither, whoever else is at the same documents."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from syncctl.domain.lead_values import Document
from syncctl.errors import LeadsRefusedError, StorageError, StorageUnavailableError
from syncctl.sandbox import Sandbox
from syncctl.storage.mongo import transactions as mongo_transactions
from syncctl.storage.mongo.storage import MongoStorage
from syncctl.storage.mongo.transactions import has_transactions
from tests.contract.lead_suite import LeadSuite, ReportSuite
from tests.contract.merge_suite import EditSuite, MergeSuite
from tests.contract.mongo_database import MongoDatabase
from tests.contract.samples import lead, record, text_id
from tests.support.world import World

GRACE_S = 2.0
BUSY_S = 4.0
"""How far behind a machine may be that runs other tests meanwhile."""


@pytest.fixture
def database(prepared_replica_url: str) -> Iterator[MongoDatabase]:
    with MongoClient[Document](prepared_replica_url, tz_aware=True) as client:
        yield MongoDatabase(prepared_replica_url, client.get_default_database())


@pytest.fixture
def storage(database: MongoDatabase) -> Iterator[MongoStorage]:
    with closing(MongoStorage(database.url)) as storage:
        storage.prepare()
        yield storage


class TestContract(LeadSuite, MergeSuite):
    """What the contract says of leads and records."""


@pytest.mark.slow
class TestRestOfContract(ReportSuite, EditSuite):
    """What it says of what is stored by single writes, as on a server alone."""


@contextmanager
def left_open(database: MongoDatabase, *numbers: int) -> Iterator[None]:
    """A transaction that has stored these leads and is not ended, as a killed run leaves it."""
    with database.raw.client.start_session() as session, session.start_transaction():
        new = [{**lead(number), "_id": ObjectId(text_id(number))} for number in numbers]
        database.raw.leads.insert_many(new, session=session)
        yield
        session.abort_transaction()


@contextmanager
def failing(database: MongoDatabase, mode: Any, *commands: str, **failure: Any) -> Iterator[None]:
    """The server fails these commands of syncctl's, by the failpoint that drivers are tested with."""
    admin = database.raw.client.admin
    data = {"failCommands": list(commands), "appName": "syncctl", **failure}
    admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
    try:
        yield
    finally:
        admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def test_without_its_record_no_lead_is_stored(storage: MongoStorage, database: MongoDatabase) -> None:
    database.raw.command("collMod", "syncrecords", validator={"never": True})
    with pytest.raises(StorageError, match="refused a document"):
        storage.store_leads([lead(1)], [record(1)])
    assert database.count("leads") == 0


def test_the_connection_is_lost_between_the_two(storage: MongoStorage, database: MongoDatabase) -> None:
    """The lead's insert is done, that of the record is not."""
    with (
        failing(database, {"skip": 1}, "insert", closeConnection=True),
        closing(MongoStorage(f"{database.url}&timeoutMS=1000")) as impatient,
        pytest.raises(StorageUnavailableError),
    ):
        impatient.store_leads([lead(1)], [record(1)])
    # Its time was over: nobody has ended the last try, and the set is the test's own.
    database.raw.client.admin.command("killAllSessions", [])
    assert database.count("leads") == database.count("syncrecords") == 0
    assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}


def test_what_a_person_deleted_meanwhile_stays_deleted(
    storage: MongoStorage, database: MongoDatabase
) -> None:
    """Another host has stored it since this one looked it up."""
    storage.store_leads([lead(1)], [record(1)])
    database.delete_lead(text_id(1))
    assert storage.store_leads([lead(1), lead(2)], [record(1), record(2)]) == {text_id(2)}
    assert storage.present_leads([text_id(1), text_id(2)]) == {text_id(2)}


@pytest.mark.parametrize("refused", [1, mongo_transactions.MOST_REFUSED + 2])
def test_leads_that_validation_refuses_leave_the_others_alone(
    storage: MongoStorage, database: MongoDatabase, refused: int
) -> None:
    database.raw.command("collMod", "leads", validator={"securityAmount": {"$lt": 10}})
    every = range(3 * refused)
    leads = [lead(number, securityAmount=99 if number % 3 == 1 else 1) for number in every]
    with pytest.raises(LeadsRefusedError, match="validation rules") as caught:
        storage.store_leads(leads, [record(number) for number in every])
    wanted = {text_id(number) for number in every if number % 3 != 1}
    assert caught.value.inserted == wanted
    assert set(caught.value.reasons) == {text_id(number) for number in every} - wanted
    assert storage.present_leads([text_id(number) for number in every]) == wanted
    assert set(storage.find_records([text_id(number) for number in every])) == wanted


def test_a_unique_index_of_its_own_refuses_a_lead(storage: MongoStorage, database: MongoDatabase) -> None:
    database.raw.leads.create_index([("name", 1), ("store", 1)], unique=True)
    with pytest.raises(LeadsRefusedError, match="a unique index of its own") as caught:
        storage.store_leads([lead(1), lead(2, name="Customer 1")], [record(1), record(2)])
    assert caught.value.inserted == set(storage.find_records([text_id(1), text_id(2)])) == {text_id(1)}


def test_a_transaction_that_ends_is_waited_for(storage: MongoStorage, database: MongoDatabase) -> None:
    """Another host stores the same at the same time."""
    session = database.raw.client.start_session()
    session.start_transaction()
    database.raw.leads.insert_one({**lead(1), "_id": ObjectId(text_id(1))}, session=session)
    begun = time.monotonic()
    ending = threading.Timer(0.5, session.commit_transaction)
    ending.start()
    assert storage.store_leads([lead(1), lead(2)], [record(1), record(2)]) == {text_id(2)}
    ending.join()
    assert time.monotonic() - begun >= 0.4
    assert storage.find_records([text_id(1), text_id(2)]).keys() == {text_id(1), text_id(2)}


def test_a_transaction_that_a_killed_run_left_is_not(storage: MongoStorage, database: MongoDatabase) -> None:
    """What it holds is left to the next run, all else goes on."""
    storage.set_deadline(time.monotonic())
    with left_open(database, 1):
        begun = time.monotonic()
        with pytest.raises(StorageError, match="a transaction that holds some of these") as caught:
            storage.store_leads([lead(1), lead(2)], [record(1), record(2)])
        assert time.monotonic() - begun < GRACE_S + BUSY_S
        assert not isinstance(caught.value, StorageUnavailableError)
        assert storage.store_leads([lead(3)], [record(3)]) == {text_id(3)}
    assert storage.store_leads([lead(1), lead(2)], [record(1), record(2)]) == {text_id(1), text_id(2)}


def test_without_a_deadline_it_is_waited_for_some_seconds(
    storage: MongoStorage, database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_transactions, "HELD_S", 0.2)
    with left_open(database, 1):
        begun = time.monotonic()
        with pytest.raises(StorageError, match="a transaction that holds some of these"):
            storage.store_leads([lead(1)], [record(1)])
        assert 0.2 <= time.monotonic() - begun < BUSY_S


def test_its_location_fails_and_the_next_run_stores_it(database: MongoDatabase) -> None:
    with Sandbox(locations=2, bookings=6) as sandbox, closing(World(sandbox, database.url)) as world:
        assert world.run().ok
        wanted = {found["_id"] for found in world.app.leads()}
        first = world.app.leads()[0]
        for name in ("leads", "syncrecords", "syncstate"):
            database.raw[name].delete_many({})
        with database.raw.client.start_session() as session, session.start_transaction():
            database.raw.leads.insert_one({"_id": ObjectId(first["_id"])}, session=session)
            result = world.run(deadline_s=20.0)
            session.abort_transaction()
        failed = [place.error for step in result.steps for place in step.locations if place.error]
        assert len(failed) == 1
        assert "a transaction that holds some of these" in failed[0]
        assert all(step.counts.balanced for step in result.steps)
        assert world.run().ok
        assert {found["_id"] for found in world.app.leads()} == wanted


@pytest.mark.parametrize("code", sorted(mongo_transactions.WITHOUT_TRANSACTIONS))
def test_a_server_that_has_none_after_all(storage: MongoStorage, database: MongoDatabase, code: int) -> None:
    with failing(database, {"times": 1}, "find", errorCode=code):
        assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}
    assert set(storage.find_records([text_id(1)])) == {text_id(1)}


def test_a_collection_that_is_not_there_yet(storage: MongoStorage, database: MongoDatabase) -> None:
    """Without the right to make indexes, `prepare` makes none."""
    for name in ("leads", "syncrecords"):
        database.raw.drop_collection(name)
    assert storage.store_leads([lead(1)], [record(1)]) == {text_id(1)}
    assert database.count("leads") == database.count("syncrecords") == 1


def test_a_dry_run_opens_no_transaction(database: MongoDatabase) -> None:
    def begun() -> int:
        return int(database.raw.client.admin.command("serverStatus")["transactions"]["totalStarted"])

    with Sandbox(locations=2, bookings=4) as sandbox, closing(World(sandbox, database.url)) as world:
        before = begun()
        assert world.run(dry_run=True).ok
        assert begun() == before
        assert world.run().ok
        assert begun() > before


@pytest.mark.parametrize(
    ("hello", "expected"),
    [
        ({"maxWireVersion": 17}, False),
        ({"maxWireVersion": 7, "setName": "rs0"}, True),
        ({"maxWireVersion": 6, "setName": "rs0"}, False),
        ({"maxWireVersion": 8, "msg": "isdbgrid"}, True),
        ({"maxWireVersion": 7, "msg": "isdbgrid"}, False),
        ({"maxWireVersion": 17, "setName": "rs0", "logicalSessionTimeoutMinutes": None}, False),
    ],
)
def test_who_has_transactions(hello: Document, expected: bool) -> None:
    assert has_transactions({"logicalSessionTimeoutMinutes": 30, **hello}) is expected
