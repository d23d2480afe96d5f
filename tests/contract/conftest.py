"""Databases to test the adapters with; and makes pytest explain the assertions of the suites, which are no
test modules themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.sqlite_database import SqliteDatabase

if TYPE_CHECKING:
    from syncctl.storage.mongo.storage import MongoStorage
    from syncctl.storage.sqlite.storage import SqliteStorage
    from tests.contract.mongo_database import MongoDatabase

pytest.register_assert_rewrite(
    "tests.contract.storage_suite",
    "tests.contract.lead_suite",
    "tests.contract.merge_suite",
    "tests.contract.sync_state_suite",
    "tests.contract.survey_suite",
    "tests.contract.looking_suite",
    "tests.contract.repair_suite",
    "tests.contract.import_suite",
)


@pytest.fixture
def mongo_database(prepared_mongo_url: str) -> Iterator["MongoDatabase"]:
    """A MongoDB database that is prepared and empty."""
    from pymongo import MongoClient

    from tests.contract.mongo_database import MongoDatabase

    with MongoClient[dict[str, object]](prepared_mongo_url, tz_aware=True) as client:
        yield MongoDatabase(prepared_mongo_url, client.get_default_database())


@pytest.fixture
def mongo(mongo_database: "MongoDatabase") -> Iterator["MongoStorage"]:
    """The adapter, on `mongo_database`."""
    from syncctl.storage.mongo.storage import MongoStorage

    storage = MongoStorage(mongo_database.url)
    storage.prepare()
    yield storage
    storage.close()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> SqliteDatabase:
    """A SQLite database that is not there yet."""
    return SqliteDatabase(tmp_path / "syncctl.db")


@pytest.fixture
def sqlite(sqlite_database: SqliteDatabase) -> Iterator["SqliteStorage"]:
    """The adapter, on `sqlite_database`."""
    from syncctl.storage.sqlite.storage import SqliteStorage

    storage = SqliteStorage(sqlite_database.path, busy_timeout_s=0.05)
    storage.prepare()
    yield storage
    storage.close()
