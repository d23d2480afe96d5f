"""What a sync costs, counted: calls of the API, and round trips to the database."""

from collections import Counter
from collections.abc import Iterator

import pytest
from pymongo import MongoClient

from syncctl.sandbox import Sandbox
from tests.integration.conftest import TODAY
from tests.support.world import World

LOCATIONS = 3


@pytest.fixture
def few(mongo_url: str) -> Iterator[World]:
    with Sandbox(locations=LOCATIONS, bookings=20, today=TODAY) as sandbox:
        world = World(sandbox, mongo_url)
        yield world
        world.close()


@pytest.fixture
def many(mongo_url: str) -> Iterator[World]:
    with Sandbox(locations=LOCATIONS, bookings=400, today=TODAY) as sandbox:
        world = World(sandbox, f"{mongo_url}_many")
        yield world
        world.app._database.client.drop_database(world.app._database.name)  # type: ignore[union-attr]
        world.close()


def round_trips(world: World, *, full: bool) -> int:
    """Those of one sync, by the server's own profiler."""
    with MongoClient[dict[str, object]](world.url) as client:
        database = client.get_default_database()
        database.command("profile", 2)
        world.run(full=full)
        database.command("profile", 0)
        count = database["system.profile"].count_documents({"appName": "syncctl"})
        database["system.profile"].drop()
    return count


def test_each_location_is_asked_once_for_each_report(few: World) -> None:
    for full in (False, True):
        before = len(few.sandbox.requests)
        few.run(full=full)
        asked = few.sandbox.requests[before:]
        assert set(Counter((call.api, call.location) for call in asked).values()) == {1}
        assert sum(call.api == "stores" for call in asked) == 1


def test_round_trips_do_not_follow_the_number_of_rows(few: World, many: World) -> None:
    for full in (False, True):
        of_few, of_many = round_trips(few, full=full), round_trips(many, full=full)
        assert many.recorder.finished[1].counts.rows > 10 * few.recorder.finished[1].counts.rows
        # An answer is taken in by the thousand; only where something was found is there more to ask.
        assert of_many <= of_few + 2 * 2 * LOCATIONS
        answers = sum(len(step.locations) for step in many.recorder.finished)
        assert of_many <= 8 * answers
