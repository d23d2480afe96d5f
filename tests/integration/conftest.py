"""A world for each database."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from syncctl.sandbox import Sandbox
from tests.support.world import World

TODAY = date(2026, 3, 11)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=4, bookings=60, today=TODAY) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "mongo"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "mongo":
        return str(request.getfixturevalue("mongo_url"))
    return f"sqlite:///{tmp_path / 'syncctl.db'}"


@pytest.fixture
def world(sandbox: Sandbox, database_url: str) -> Iterator[World]:
    world = World(sandbox, database_url)
    yield world
    world.close()
