"""A world for each database."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from syncctl.ports.admin import Database
from syncctl.sandbox import Sandbox
from syncctl.storage.registry import open_storage
from tests.support.webapp import MongoApp, SqliteApp, open_app
from tests.support.world import World

TODAY = date(2026, 3, 11)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=4, bookings=60, today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "mongo"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "mongo":
        return str(request.getfixturevalue("prepared_mongo_url"))
    return f"sqlite:///{tmp_path / 'syncctl.db'}"


@pytest.fixture
def world(sandbox: Sandbox, database_url: str) -> Iterator[World]:
    world = World(sandbox, database_url)
    yield world
    world.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_storage(database_url)
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def app(database: Database, database_url: str) -> Iterator[MongoApp | SqliteApp]:
    app = open_app(database_url)
    yield app
    app.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "backups"
