"""Answers and files that hold more than is taken: what they cost is bounded, and what is left out is said."""

import time
from pathlib import Path
from typing import Any

import pytest

from syncctl.api.wire import Endpoint
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.rejects import list_updates as rejects
from syncctl.services.run import Clock
from syncctl.services.sync import answer_intake as intake
from syncctl.services.sync.store_list import MAX_STORES
from tests.support.scripted_server import ScriptedServer, rows_reply
from tests.support.store_files import row, write
from tests.support.world import KOLKATA, World

pytestmark = pytest.mark.attack("answers")
BOOKING, WALKIN = StepName.BOOKING, StepName.WALKIN
NOISE = 20


@pytest.fixture
def short_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rejects list that takes little."""
    monkeypatch.setattr(rejects, "MOST_NEW", 5)
    monkeypatch.setattr(rejects, "MOST_LISTED", 12)


def noisy(world: World, sandbox: Sandbox) -> str:
    """A location whose report has, from now on, many rows that are none; its own invalid ones are listed."""
    world.run((BOOKING,))
    location = sandbox.locations[0]
    sandbox.add_rows(location, list(range(NOISE)))
    return location


def listed(world: World, location: str) -> int:
    return sum(
        (reject["source"], reject["location"]) == ("booking", location)
        for reject in world.app.all("syncrejects")
    )


@pytest.mark.usefixtures("short_list")
def test_rows_that_are_none_fill_no_list_and_are_counted(world: World, sandbox: Sandbox) -> None:
    location = noisy(world, sandbox)
    before = listed(world, location)
    with world.storage() as storage:
        watermark = storage.location_states(BOOKING)[location].watermark
    result = world.run((BOOKING,))
    (step,) = result.steps
    assert step.counts.balanced
    assert step.counts.invalid >= NOISE
    (place,) = [place for place in step.locations if place.location == location]
    assert "invalid rows did not fit on the rejects list, which takes 5 rows" in str(place.warning)
    assert listed(world, location) == before + 5
    with world.storage() as storage:
        assert storage.location_states(BOOKING)[location].watermark == watermark
    for _ in range(3):  # the next runs go on, up to so many in all
        world.run((BOOKING,))
    assert listed(world, location) == 12


@pytest.mark.usefixtures("short_list")
def test_rows_of_a_file_that_are_none_fill_no_list_and_are_counted(world: World, tmp_path: Path) -> None:
    file = tmp_path / "walkin_sg_calicut.csv"
    write(file, row(), *[row(Contact=str(number)) for number in range(NOISE)])
    result = world.import_files(WALKIN, file)
    (step,) = result.steps
    assert step.counts.balanced
    assert (step.counts.saved, step.counts.invalid) == (1, NOISE)
    assert "15 invalid rows did not fit on the rejects list" in str(step.locations[0].warning)
    assert len(world.app.all("syncrejects")) == 5
    with world.storage() as storage:
        assert storage.file_hashes(WALKIN) == {}  # the next import reads it again
    for _ in range(3):
        world.import_files(WALKIN, file)
    assert len(world.app.all("syncrejects")) == 12


def test_long_rows_that_are_none_fill_no_list_either(
    world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = noisy(world, sandbox)
    monkeypatch.setattr(rejects, "MOST_NEW_CHARACTERS", 2500)
    sandbox.add_rows(location, [f"{number}" * 1000 for number in range(8)])
    (step,) = world.run((BOOKING,)).steps
    assert step.counts.balanced
    long = [reject for reject in world.app.all("syncrejects") if len(reject["row"]) > 1000]
    assert len(long) == 2


@pytest.mark.attack("answers", counted=False)
def test_an_answer_of_too_many_rows_fails_its_location_alone(world: World, sandbox: Sandbox) -> None:
    location = sandbox.locations[0]
    most = max(len(sandbox.rows("booking", each)) for each in sandbox.locations)
    sandbox.add_rows(location, [{}] * most)
    world.config = world.config._replace(max_rows=most)
    result = world.run((BOOKING,))
    (step,) = result.steps
    assert step.status is StepStatus.PARTIAL
    assert [place.location for place in step.locations if place.error] == [location]
    assert "ask for fewer days (--from, --to) or raise API_MAX_ROWS" in str(step.error)


def test_a_store_list_of_more_than_a_business_has(world: World) -> None:
    rows = [{"locCode": number, "locName": f"SG {number}"} for number in range(MAX_STORES + 1)]
    with ScriptedServer(rows_reply(*rows)) as server:
        moved = {StepName.STORES: Endpoint(server.url, None, "STORE_API_KEY")}
        world.config = world.config._replace(endpoints={**world.config.endpoints, **moved})
        (stores,) = world.run((StepName.STORES,)).steps
        assert "1,001 rows, and at most 1,000 are accepted" in str(stores.error)
        assert world.app.all("stores") == []
        assert world.run((BOOKING,)).ok
        assert any("at most 1,000 are accepted" in warning for warning in world.recorder.warnings)


def test_storing_ends_with_the_deadline_and_the_next_run_goes_on(
    world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH", 5)
    passed_s = 0.0

    class Slow:
        """A database that takes an hour to store one batch."""

        def __init__(self, storage: Storage) -> None:
            self._storage = storage

        def __getattr__(self, name: str) -> Any:
            nonlocal passed_s
            if name == "store_leads":
                passed_s += 3600
            return getattr(self._storage, name)

    def slow(storage: Storage) -> Any:
        return Slow(storage)

    clock = Clock(lambda: world.now, lambda: time.monotonic() + passed_s, lambda after: after, KOLKATA)
    with monkeypatch.context() as patched:
        patched.setattr(world, "_clock", lambda: clock)
        (step,) = world.run((BOOKING,), wrap=slow).steps
    assert step.status in (StepStatus.FAILED, StepStatus.PARTIAL)
    assert "not all rows were stored before the run's time ran out (API_RUN_DEADLINE_S)" in str(step.error)
    assert step.counts.balanced
    assert step.counts.saved == len(world.app.leads()) == 5
    with world.storage() as storage:
        states = storage.location_states(BOOKING)
    failed = [place.location for place in step.locations if place.error]
    assert failed
    assert not any(states[location].watermark for location in failed)
    again = world.run((BOOKING,))
    assert again.ok
    assert again.steps[0].counts.existing == 5
    assert len(world.app.leads()) > 100
