"""A run or a few by a clock that is years ahead or behind: the history stays, and nothing fails falsely."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import CheckReport, CheckResult
from syncctl.domain.run_history import RunEntry
from syncctl.ports.machine import LockState, ScheduleState
from syncctl.sandbox import Sandbox
from syncctl.services.checks.environment_checks import SyncEnvironment
from syncctl.services.checks.severity import Health
from syncctl.services.checks.status import Surroundings, collect_status
from syncctl.services.checks.sync_checks import check_sync
from syncctl.services.run import MAX_RUNS_PURGED, Clock
from syncctl.services.sync.checkpoints import Checkpoints
from syncctl.services.sync.planning import Planner, SyncOptions, WindowSettings
from syncctl.storage.registry import open_storage
from tests.chaos.states import assert_nothing_is_missing
from tests.support.world import KOLKATA, World, few_locations

pytestmark = pytest.mark.attack("clock")

FIVE_MINUTES = timedelta(minutes=5)
FREE = LockState(held=False)
AROUND = SyncEnvironment(
    sync_enabled=True,
    schedule="*/5 * * * *",
    endpoints={},
    in_force={},
    audit_locations=2,
    run_deadline=timedelta(minutes=4),
    lock=FREE,
    scheduler=ScheduleState(installed=True, in_step=True, found="the line"),
)
YEAR = timedelta(days=365)
WRONG: dict[str, Callable[[datetime], datetime]] = {
    "a year ahead": lambda now: now + YEAR,
    "a week ahead": lambda now: now + timedelta(days=7),
    "in 2262": lambda now: datetime(2262, 1, 1, tzinfo=UTC),
    "in 1970": lambda now: datetime(1970, 1, 1, 0, 3, tzinfo=UTC),
    "a year behind": lambda now: now - YEAR,
}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with (
        Sandbox(locations=2, bookings=6) as sandbox,
        closing(World(sandbox, database_url, few_locations(sandbox))) as world,
    ):
        yield world


def api_runs(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.now += FIVE_MINUTES
        assert world.run().ok


def history(world: World) -> set[str]:
    with closing(open_storage(world.url, for_reading_only=True)) as database:
        return {run.run_id for run in database.runs(0)}


def looked_at(world: World) -> tuple[CheckReport, Health]:
    clock = Clock(lambda: world.now, lambda: 0.0, lambda after: after + FIVE_MINUTES, KOLKATA)
    with closing(open_storage(world.url, for_reading_only=True)) as database:
        database.prepare()
        status = collect_status(database, Surroundings(FREE), world.locations, clock)
        return check_sync(database, AROUND, world.locations, clock), status.health


@pytest.mark.parametrize("wrong", WRONG)
def test_one_run_by_a_wrong_clock(world: World, wrong: str) -> None:
    api_runs(world, 2)
    before, right = history(world), world.now
    world.now = WRONG[wrong](right)
    world.run()  # an API may well refuse so many months
    assert before < history(world)
    world.now = right
    api_runs(world)
    report, health = looked_at(world)
    assert [check for check in report.checks if check.result is CheckResult.FAILED] == []
    assert health is Health.OK
    assert before < history(world)
    assert_nothing_is_missing(world)


def test_runs_by_a_wrong_clock_until_somebody_notices(world: World) -> None:
    right = world.now
    with closing(open_storage(world.url)) as database:
        for number in range(30):
            started = right - number * FIVE_MINUTES
            database.save_run(RunEntry(f"right {number}", started, {"steps": []}))
    before = history(world)
    world.now = right + YEAR
    api_runs(world, 3)
    assert len(before - history(world)) <= 2 * MAX_RUNS_PURGED  # by the second and the third
    with closing(open_storage(world.url)) as database:
        for number in range(30):  # more than are looked at
            started = right + YEAR + number * FIVE_MINUTES
            database.save_run(RunEntry(f"wrong {number}", started, {"steps": []}))
    world.now = right
    api_runs(world)
    report, _ = looked_at(world)
    assert report.ok
    (check,) = [check for check in report.checks if check.name == "synclogs"]
    assert check.result is CheckResult.PASSED


@pytest.mark.attack("clock", counted=False)
def test_the_history_is_still_forgotten_by_a_clock_that_is_right(world: World) -> None:
    api_runs(world, 2)
    old = history(world)
    world.now += timedelta(days=100)
    api_runs(world)
    assert old < history(world)  # the shop was closed, or the clock is ahead
    api_runs(world)
    assert len(history(world)) == 2
    assert not old & history(world)


def test_what_a_wrong_clock_noted_of_a_location_does_not_last() -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    planner = Planner(WindowSettings(12, KOLKATA, audits=1), SyncOptions(), now)
    state = LocationState("7", doubted_since=now + YEAR)
    assert Checkpoints(planner).doubted(state).doubted_since == now
    audited = {"7": LocationState("7", audited_at=now + YEAR), "9": LocationState("9", audited_at=now)}
    assert planner.audits(["9", "7"], [audited], [()]) == ["7"]
