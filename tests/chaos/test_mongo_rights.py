"""MongoDB users without a right, collections with rules of their own: told, survived, made good later."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from syncctl.domain.run_results import RunResult
from syncctl.errors import StorageError, StorageUnavailableError
from syncctl.sandbox import Sandbox
from tests.chaos.jobs import JOBS, LATER_SYNC
from tests.chaos.prepared import PreparedJob, prepared
from tests.chaos.states import assert_as_undisturbed, state_of
from tests.chaos.tally import tally
from tests.support import mongod
from tests.support.mongod import with_database
from tests.support.world import World, few_locations

pytestmark = pytest.mark.mongo

NAME = "torture_rights"
ADMIN = "mongodb://admin:made-up@"
USER = "mongodb://sync:made-up@"
DATA = ["find", "insert", "update", "remove"]
WEB_APP = ("leads", "reports", "stores", "synclogs", "users")
WRITTEN = ("leads", "stores", "synclogs", "syncrecords", "syncrejects", "syncruns", "syncstate")
"""Every collection that a sync writes to."""

SURVIVED = ("leads", "stores", "synclogs", "syncruns")
"""Refused leads are rows on the rejects list; the others of these are no part of anybody's data."""

Raw = Database[dict[str, Any]]


@pytest.fixture(scope="module")
def secured() -> Iterator[str]:
    """A server that requires authentication; its address without the scheme."""
    try:
        with mongod.own_mongod("--auth") as server:
            with MongoClient[dict[str, Any]](server.uri) as client:  # the first user may be made from here
                client.admin.command("createUser", "admin", pwd="made-up", roles=["root"])
            yield server.host
    except mongod.NoMongodError as error:
        pytest.skip(f"no MongoDB: {error}")


@contextmanager
def user_with(secured: str, *privileges: dict[str, Any]) -> Iterator[tuple[str, Raw]]:
    """A DATABASE_URL of a user with only these privileges, and the database as its owner sees it."""
    with MongoClient[dict[str, Any]](with_database(f"{ADMIN}{secured}", "admin")) as client:
        database = client[NAME]
        client.drop_database(NAME)
        database.command("createRole", "torture", privileges=list(privileges), roles=[])
        database.command("createUser", "sync", pwd="made-up", roles=["torture"])
        try:
            yield with_database(f"{USER}{secured}", NAME), database
        finally:
            database.command("dropUser", "sync")
            database.command("dropRole", "torture")


def may(actions: list[str], collection: str = "") -> dict[str, Any]:
    """The privilege to do this to one collection, or to each ("")."""
    return {"resource": {"db": NAME, "collection": collection}, "actions": actions}


def test_without_the_right_to_make_an_index_or_a_collection(secured: str, sandbox: Sandbox) -> None:
    """Indexes are for speed: a database administrator may keep that right."""
    tally.add("database troubles")
    with (
        user_with(secured, may(DATA)) as (url, _),
        closing(World(sandbox, url, few_locations(sandbox))) as world,
    ):
        assert world.run().ok
        assert len(world.app.leads()) == len(world.expected().leads)


@pytest.mark.parametrize(
    "privileges",
    [
        pytest.param([may(["find"])], id="may only read"),
        pytest.param([may(DATA, name) for name in WEB_APP], id="none for the sync's own"),
        pytest.param([may(DATA, name) for name in WRITTEN if name != "leads"], id="none for leads"),
        pytest.param([], id="none at all"),
    ],
)
def test_without_the_right_to_what_a_sync_needs(
    secured: str, sandbox: Sandbox, privileges: list[dict[str, Any]]
) -> None:
    tally.add("database troubles")
    with user_with(secured, *privileges) as (url, database):
        with (
            pytest.raises(StorageUnavailableError, match="needs a user with the role readWrite"),
            closing(World(sandbox, url, few_locations(sandbox))) as world,
        ):
            world.run()
        assert database.leads.count_documents({}) == 0


def test_collections_that_take_nothing_for_a_while(mongo_url: str, tmp_path: Path, rounds: int) -> None:
    """Validation rules of the database's own: what they keep out is no duplicate, and comes in later."""
    for number, job in enumerate(JOBS if rounds > 1 else (LATER_SYNC,)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        with prepared(job, mongo_url, folder) as ready, MongoClient[dict[str, Any]](mongo_url) as client:
            world = ready.workspace.world
            for collection in WRITTEN:
                ready.rewind()
                with rejecting_writes(client.get_default_database(), collection):
                    all_right = reports_success(ready, collection)
                warned = bool(world.recorder.warnings)
                # Leads that were refused are on the rejects list.
                taken_later = saved_by_a_retry(ready, client) if collection == "leads" else 0
                if all_right:
                    found = state_of(world.app)
                    if collection == "syncruns":  # a history that takes nothing is a warning
                        found = replace(found, runs=ready.undisturbed.runs)
                    assert_as_undisturbed(found, ready.undisturbed)
                tally.add("database troubles", not all_right or warned or taken_later > 0)
                ready.assert_redone()


def saved_by_a_retry(ready: PreparedJob, client: MongoClient[dict[str, Any]]) -> int:
    """Try the rejects again, which leaves no trace in the history here."""
    history = client.get_default_database().syncruns
    runs = history.distinct("_id")
    saved = ready.workspace.world.retry_rejects().saved
    history.delete_many({"_id": {"$nin": runs}})
    return saved


@contextmanager
def rejecting_writes(database: Raw, collection: str) -> Iterator[None]:
    """A validation rule that rejects new and changed documents. Existing ones stay and may be deleted."""
    if collection not in database.list_collection_names():
        database.create_collection(collection)
    database.command("collMod", collection, validator={"_id": {"$exists": False}}, validationLevel="strict")
    try:
        yield
    finally:
        database.command("collMod", collection, validator={})


def reports_success(ready: PreparedJob, collection: str) -> bool:
    """Run the job while a collection rejects writes; whether it completed without failures."""
    try:
        result = ready.job.do(ready.workspace, lambda storage: storage)
    except StorageError:
        return False
    if not isinstance(result, RunResult):
        return True
    recorder = ready.workspace.world.recorder
    assert all(step.counts.balanced for step in result.steps)
    if ready.job is LATER_SYNC:
        assert result.ok == (collection in SURVIVED), collection
    if collection in ("synclogs", "syncruns"):
        assert any("could not be" in warning for warning in recorder.warnings)
    return result.ok
