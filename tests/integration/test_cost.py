"""What a sync costs, counted: calls of the API, and round trips to the database."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pymongo import MongoClient

from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.sandbox import Sandbox
from syncctl.services.sync.step_tools import STATES_TOGETHER
from tests.integration.conftest import TODAY
from tests.support.store_files import row, write
from tests.support.world import World

LOCATIONS = 3
COMMANDS = ("find", "getMore", "aggregate", "insert", "update", "delete", "createIndexes", "listIndexes")
OF_EACH_RUN = 28
"""Round trips of a run whatever it is told: indexes, stores, states, rejects and answers, logs, history."""
NEW_ROWS = 8
"""Round trips of an import that stores up to a thousand new rows more than of one that finds nothing new."""
CHANGED_ROWS = 16
"""The same of one that changes up to a thousand leads."""


@pytest.fixture
def few(mongo_url: str) -> Iterator[World]:
    with Sandbox(locations=LOCATIONS, bookings=20, today=TODAY) as sandbox:
        world = World(sandbox, mongo_url, load_locations())
        yield world
        world.close()


@pytest.fixture
def many(mongo_url: str) -> Iterator[World]:
    with Sandbox(locations=LOCATIONS, bookings=400, today=TODAY) as sandbox:
        world = World(sandbox, f"{mongo_url}_many", load_locations())
        yield world
        world.app._database.client.drop_database(world.app._database.name)  # type: ignore[union-attr]
        world.close()


def round_trips(world: World, *, full: bool) -> int:
    """Those of one sync, by the server's own count: a bulk write is one."""

    return counted(world, lambda: world.run(full=full))


def counted(world: World, act: Callable[[], object]) -> int:
    """The round trips of what `act` does."""

    def commands() -> int:
        metrics = client.admin.command("serverStatus")["metrics"]["commands"]
        return sum(metrics[name]["total"] for name in COMMANDS)

    with MongoClient[dict[str, object]](world.url) as client:
        before = commands()
        act()
        return commands() - before


def test_each_location_is_asked_once_for_each_report(few: World) -> None:
    for full in (False, True, False):
        before = len(few.sandbox.requests)
        few.run(full=full)
        asked = few.sandbox.requests[before:]
        assert set(Counter((call.api, call.location) for call in asked).values()) == {1}
        assert sum(call.api == "stores" for call in asked) == 1
    # The last run is an ordinary one: it leaves the dormant locations alone.
    assert len(asked) == 1 + 2 * LOCATIONS


@pytest.mark.slow
def test_round_trips_do_not_follow_the_number_of_rows(few: World, many: World) -> None:
    # Of what is known: the records, their leads, and whether a booking has two records.
    for full, of_each in ((False, 8), (True, 3), (False, 3)):
        of_few, of_many = round_trips(few, full=full), round_trips(many, full=full)
        few_rows, many_rows = (world.recorder.finished[1].counts.rows for world in (few, many))
        assert many_rows > 10 * few_rows
        # An answer is taken in by the thousand; only where something was found is there more to ask.
        assert of_many <= of_few + 2 * 2 * LOCATIONS
        locations = [location for step in many.recorder.finished[-2:] for location in step.locations]
        with_rows = sum(location.counts.rows > 0 for location in locations)
        assert with_rows == 2 * LOCATIONS
        assert of_many <= of_each * with_rows + len(locations) // STATES_TOGETHER + OF_EACH_RUN


@pytest.mark.slow
def test_an_import_notes_a_thousand_changes_at_once(few: World, tmp_path: Path) -> None:
    """Round trips, and what the notes hold of rows that are new: no copy of what the database has anyway."""
    trips = {}
    for number, remarks in enumerate(("as it was", "called again", "called again")):
        few.now += timedelta(minutes=1)
        customers = ({"Contact": f"94000{n:05}", "Customer_Name": f"Customer {n}"} for n in range(900))
        rows = [row(**customer, Remarks=remarks) for customer in customers]
        file = write(tmp_path / "walkin_sg_calicut.csv", *rows)
        trips[number] = counted(few, partial(few.import_files, StepName.WALKIN, file))
        if number == 0:
            notes = [each["note"] for each in few.app.all("syncimports") if "startedAt" not in each]
            assert sorted(note["kind"] for note in notes) == ["added", "file"]
            assert sum(len(str(note)) for note in notes) < 900 * 100
    assert trips[0] <= trips[2] + NEW_ROWS
    assert trips[1] <= trips[2] + CHANGED_ROWS
