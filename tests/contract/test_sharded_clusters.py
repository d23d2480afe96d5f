"""A sharded cluster that would take one `_id` twice is refused. No wheel has a mongos: a mongod stands in for
it, with the cluster's own list of collections and the reply to `hello` put in."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from syncctl.domain.checks import CheckResult
from syncctl.domain.lead_values import Document
from syncctl.errors import ExitCode, SettingsError
from syncctl.services.doctor.connections import check_database
from syncctl.storage.mongo import facts as mongo_facts
from syncctl.storage.mongo import session as mongo_session
from syncctl.storage.mongo.backend import MONGODB
from syncctl.storage.mongo.storage import MongoStorage
from tests.contract.mongo_database import MongoDatabase

HELLO = {"msg": "isdbgrid", "maxWireVersion": 17, "logicalSessionTimeoutMinutes": 30}


class Cluster:
    """The list of the cluster's sharded collections."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database
        self._listed = database.raw.client.config.collections

    def shard(self, collection: str, key: dict[str, Any], **more: Any) -> None:
        self._listed.insert_one({"_id": f"{self._database.raw.name}.{collection}", "key": key, **more})

    def empty(self) -> None:
        self._listed.delete_many({})


@pytest.fixture
def database(mongo_url: str) -> Iterator[MongoDatabase]:
    with MongoClient[Document](mongo_url) as client:
        yield MongoDatabase(mongo_url, client.get_default_database())


@pytest.fixture
def cluster(database: MongoDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setattr(mongo_session, "say_hello", lambda database: HELLO)
    cluster = Cluster(database)
    yield cluster
    cluster.empty()


def prepare(database: MongoDatabase, *, read_only: bool = False) -> None:
    with closing(MongoStorage(database.url, read_only=read_only)) as storage:
        storage.prepare()


@pytest.mark.parametrize("collection", mongo_facts.ONE_ID_ONE_DOCUMENT)
@pytest.mark.parametrize(
    ("key", "named"),
    [({"store": 1}, "store"), ({"phone": "hashed"}, "phone"), ({"_id": 1, "store": 1}, "_id and store")],
)
def test_another_shard_key_than_the_id_is_refused(
    database: MongoDatabase, cluster: Cluster, collection: str, key: dict[str, Any], named: str
) -> None:
    cluster.shard(collection, key)
    for read_only in (False, True):
        with pytest.raises(SettingsError, match=f"has sharded {collection} by {named}: ") as caught:
            prepare(database, read_only=read_only)
        assert caught.value.exit_code is ExitCode.CONFIG
    assert database.raw.list_collection_names() == []


def test_each_of_them_is_named(database: MongoDatabase, cluster: Cluster) -> None:
    cluster.shard("leads", {"store": 1})
    cluster.shard("syncrecords", {"location": 1})
    with pytest.raises(SettingsError, match="has sharded leads by store, syncrecords by location: "):
        prepare(database)


@pytest.mark.parametrize("key", [{"_id": 1}, {"_id": "hashed"}])
def test_the_id_as_shard_key_is_right(database: MongoDatabase, cluster: Cluster, key: dict[str, Any]) -> None:
    cluster.shard("leads", key)
    prepare(database)
    assert "leads" in database.raw.list_collection_names()


def test_what_is_not_sharded_or_not_ours_is_right(database: MongoDatabase, cluster: Cluster) -> None:
    cluster.shard("reports", {"store": 1})
    cluster.shard("synclogs", {"syncType": 1})
    cluster.shard("leads", {"store": 1}, dropped=True)  # as it was once, before 5.0
    prepare(database)


def test_a_user_who_may_not_see_the_list(
    database: MongoDatabase, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role readWrite on one database does not include it, but tells whether a collection is sharded."""

    def refused(*_: Any) -> Any:
        raise OperationFailure("not authorized on config", 13)

    config = type("Config", (), {"find": refused})
    monkeypatch.setattr("pymongo.MongoClient.config", type("C", (), {"collections": config()}), raising=False)
    prepare(database)
    monkeypatch.setattr(mongo_facts, "_is_sharded", lambda _, collection: collection == "leads")
    with pytest.raises(SettingsError, match=r"sharded leads by an unknown key: .*role clusterMonitor"):
        prepare(database)


def test_another_deployment_is_not_asked(database: MongoDatabase) -> None:
    cluster = Cluster(database)
    cluster.shard("leads", {"store": 1})
    try:
        prepare(database)
    finally:
        cluster.empty()


def test_doctor_goes_on_with_its_other_checks(database: MongoDatabase, cluster: Cluster) -> None:
    cluster.shard("leads", {"store": 1})

    @contextmanager
    def opened() -> Iterator[MongoStorage]:
        with closing(MongoStorage(database.url)) as storage:
            storage.prepare()
            yield storage

    (check,) = check_database(opened, opened, MONGODB.hints)
    assert check.result is CheckResult.FAILED
    assert "has sharded leads by store" in check.message
