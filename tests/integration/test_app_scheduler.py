"""The web app's own scheduler beside syncctl: seen while it is at work, and not where it is not."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from syncctl.domain.checks import CheckResult, Finding
from syncctl.domain.identity import derived_id, first_id_at, id_time
from syncctl.domain.sources import LeadType, StepName
from syncctl.errors import InterruptedRunError
from syncctl.ports.admin import Database
from syncctl.ports.machine import LockState, ScheduleState
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from syncctl.services.checks.app_scheduler import APP_SCHEDULER, ENTRIES_BACK, AppTraces, find_traces
from syncctl.services.checks.environment_checks import SyncEnvironment
from syncctl.services.checks.severity import Health
from syncctl.services.checks.status import Status, Surroundings, collect_status
from syncctl.services.checks.sync_checks import check_sync
from syncctl.services.matching.legacy_leads import stored_key
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage
from tests.support.completeness import repair
from tests.support.failing_storage import FailingStorage, Killed, Moment, interrupted
from tests.support.webapp import Lead, bring_back, finish
from tests.support.world import KOLKATA, World

FIVE_MINUTES = timedelta(minutes=5)
FREE = LockState(held=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=24, today=date(2026, 3, 11)) as sandbox:
        yield sandbox


@pytest.fixture
def world(world: World) -> World:
    """At noon, where the old system has long been at work and syncctl has run twice."""
    world.now += timedelta(hours=12)
    for days in range(1, 9):
        scheduler_runs(world, world.now - timedelta(days=days))
    api_runs(world, 2)
    return world


def api_runs(world: World, times: int = 1) -> None:
    for _ in range(times):
        world.now += FIVE_MINUTES
        assert world.run().ok


def scheduler_runs(world: World, at: datetime, *leads: Lead) -> list[str]:
    """One of the web app's own runs: it stores these leads. Gives their ids."""
    for seconds, sync_type in enumerate(("booking", "return")):
        world.app.log_sync(sync_type, at + timedelta(seconds=seconds))
    return [bring_back(world.app, lead, at) for lead in leads]


def looked_at(world: World, look: Callable[[Database], Any]) -> Any:
    with closing(open_storage(world.url, for_reading_only=True)) as database:
        database.prepare()
        return look(database)


def traces(world: World, lock: LockState = FREE) -> AppTraces:
    found: AppTraces = looked_at(world, lambda each: find_traces(each, world.locations, lock, world.now))
    return found


def clock(world: World) -> Clock:
    return Clock(lambda: world.now, lambda: 0.0, lambda after: after + FIVE_MINUTES, KOLKATA)


def verified(world: World) -> Finding:
    """The line of `verify sync` about it."""
    environment = SyncEnvironment(
        sync_enabled=True,
        schedule="*/5 * * * *",
        endpoints={},
        in_force={},
        audit_locations=0,
        run_deadline=timedelta(minutes=4),
        lock=FREE,
        scheduler=ScheduleState(installed=True, in_step=True, found="the line"),
    )
    report = looked_at(world, lambda each: check_sync(each, environment, world.locations, clock(world)))
    (check,) = [check for check in report.checks if check.name == APP_SCHEDULER]
    assert isinstance(check, Finding)
    return check


def status(world: World) -> Status:
    seen: Status = looked_at(
        world, lambda each: collect_status(each, Surroundings(FREE), world.locations, clock(world))
    )
    return seen


def said_of_it(world: World) -> list[str]:
    """What `status` says of the web app's scheduler; other reasons are rejects and duplicates."""
    return [reason for reason in status(world).reasons if "web app" in reason.lower()]


def of_api(world: World) -> list[Lead]:
    """The leads that come from the API, with their booking numbers."""
    leads = [lead for lead in world.app.leads() if lead.get("bookingNo")]
    assert {lead["leadType"] for lead in leads} == {LeadType.BOOKING, LeadType.RETURN}
    return sorted(leads, key=lambda lead: str(lead["_id"]))


def test_syncctl_alone_leaves_no_trace(world: World) -> None:
    api_runs(world, 2)
    world.run(full=True)
    world.run((StepName.BOOKING,))
    assert (traces(world).entries, traces(world).leads) == (0, 0)
    assert verified(world).result is CheckResult.PASSED
    assert (status(world).health, said_of_it(world)) == (Health.OK, [])


def test_its_leads_and_entries_are_seen_until_a_day_after_it_is_off(world: World) -> None:
    first_run = world.now - FIVE_MINUTES
    finished, deleted, doubled, *_ = of_api(world)
    finish(world.app, finished, "leadData")
    world.app.delete(deleted["_id"])
    api_runs(world)
    last = world.now + timedelta(minutes=2)
    scheduler_runs(world, last, finished, deleted, doubled)
    api_runs(world)
    assert traces(world) == AppTraces(
        since=first_run, entries=2, last_entry=last + timedelta(seconds=1), leads=3, last_lead=last
    )
    check = verified(world)
    assert check.result is CheckResult.FAILED
    assert "3 leads of its own, the last 3 min ago; 2 synclogs entries" in check.message
    assert status(world).health is Health.FAILING
    assert "API_SYNC_ENABLED=false" in status(world).reasons[0]

    world.now = last + timedelta(hours=24)
    api_runs(world)
    assert verified(world).result is CheckResult.WARNING
    assert (status(world).health, said_of_it(world)) == (Health.OK, [])
    for lead in of_api(world):
        if lead["_id"].startswith(f"{int(last.timestamp()):08x}"):
            world.app.delete(lead["_id"])
    assert verified(world).result is CheckResult.PASSED


def test_runs_of_its_own_that_find_nothing_new(world: World) -> None:
    for _ in range(3):
        scheduler_runs(world, world.now)  # as both start at the full minute
        api_runs(world, 2)
    assert (traces(world).entries, traces(world).leads) == (6, 0)
    assert verified(world).result is CheckResult.FAILED


@pytest.mark.slow
def test_entries_of_before_the_first_run_or_of_long_ago(world: World) -> None:
    assert traces(world).entries == 0
    scheduler_runs(world, world.now)
    world.now += ENTRIES_BACK - timedelta(hours=1)
    api_runs(world)
    assert traces(world).entries == 2
    world.now += timedelta(hours=2)
    assert traces(world).entries == 0


def test_leads_that_are_no_trace(world: World) -> None:
    booking = of_api(world)[0]
    by_hand = {field: value for field, value in booking.items() if field != "bookingNo"}
    bring_back(world.app, by_hand, world.now)
    bring_back(world.app, {**booking, "leadType": LeadType.GENERAL}, world.now)
    bring_back(world.app, booking, world.now - timedelta(days=1))
    assert traces(world).leads == 0
    bring_back(world.app, booking, world.now)
    assert traces(world).leads == 1


def test_a_lead_of_a_killed_run_whose_id_looks_like_one_made_lately(world: World) -> None:
    booking = of_api(world)[0]
    first_run, world.now = world.now, world.now + timedelta(days=80)
    for number in count(1):
        booking["bookingNo"] = str(number)
        booking["_id"] = derived_id(stored_key(booking, world.locations))
        made_at = id_time(booking["_id"])
        if made_at and first_run < made_at < world.now:
            break
    world.app.insert(booking)
    assert traces(world).leads == 0
    world.app.edit(booking["_id"], bookingNo="another")
    assert traces(world).leads == 1


def test_more_leads_than_are_looked_up_at_a_time(world: World) -> None:
    booking = of_api(world)[0]
    with world.storage() as storage:
        made_at = first_id_at(world.now)[:8]
        leads = [{**booking, "_id": f"{made_at}{number:016x}"} for number in range(2500)]
        storage.store_leads(leads, [])
    assert traces(world).leads == 2500


def test_before_any_run_of_the_api(sandbox: Sandbox, database_url: str) -> None:
    with closing(World(sandbox, database_url)) as world:
        scheduler_runs(world, world.now)
        assert traces(world) is None
        assert status(world).health is Health.LATE


def test_a_run_that_is_killed_is_not_taken_for_it(world: World) -> None:
    for moment in (Moment.BEFORE, Moment.AFTER):
        for noted in (1, 2, 3):
            world.now += timedelta(hours=3)
            stopped_at(world, noted, Killed, moment)
            if (noted, moment) == (3, Moment.AFTER):
                continue
            assert traces(world).entries == 0
            api_runs(world)
            assert traces(world).entries == 0
    # Once all of its entries are written, only the history could tell it from the web app.
    assert traces(world).entries == 3


def test_a_run_that_is_interrupted_is_not_taken_for_it(world: World) -> None:
    for noted in (1, 2, 3):
        world.now += FIVE_MINUTES
        stopped_at(world, noted, interrupted, Moment.BEFORE)
        assert traces(world).entries == 0


def stopped_at(world: World, noted: int, error: Callable[[], BaseException], moment: Moment) -> None:
    """A run that is stopped as it notes the end of that step of its."""

    def stopping(storage: Storage) -> Any:
        return FailingStorage(storage, noted, error, moment, among=("add_sync_log",))

    with pytest.raises((Killed, InterruptedRunError)):
        world.run(wrap=stopping)


def test_a_repair_is_not_taken_for_it(world: World) -> None:
    world.now += FIVE_MINUTES
    repair(world)
    assert traces(world).entries == 0


def test_a_run_that_is_still_under_way_is_not_taken_for_it(world: World) -> None:
    world.now += FIVE_MINUTES
    for sync_type in ("store", "booking", "return"):
        world.app.log_sync(sync_type, world.now)
    assert traces(world).entries == 3
    held = LockState(held=True, since=world.now - timedelta(seconds=30))
    assert traces(world, held).entries == 0
    scheduler_runs(world, world.now)
    assert traces(world, held).entries == 2
