"""From the rental API to the database, field by field, again and again."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.ports.storage import Storage
from syncctl.sandbox import Sandbox
from tests.support.oracle import key_of
from tests.support.world import World


def assert_balanced(result: RunResult) -> None:
    for step in result.steps:
        assert step.counts.balanced, step


def by_key(world: World) -> dict[tuple[str, ...], dict[str, object]]:
    leads = world.app.leads()
    found = {key_of(lead): lead for lead in leads}
    assert len(found) == len(leads), [key for key, n in Counter(map(key_of, leads)).items() if n > 1]
    return found


def without_id(lead: dict[str, object]) -> dict[str, object]:
    return {field: value for field, value in lead.items() if field != "_id"}


def test_each_booking_and_return_becomes_one_lead_field_by_field(world: World) -> None:
    result = world.run()
    assert result.ok
    assert_balanced(result)
    expected = world.expected()
    stored = by_key(world)
    assert stored.keys() == expected.leads.keys()
    for key, lead in expected.leads.items():
        assert without_id(stored[key]) == lead
    for step in result.steps[1:]:
        counts = expected.counts[step.name]
        assert step.counts.rows == counts["rows"]
        assert step.counts.invalid == counts["invalid"] > 0
        assert step.counts.ignored == counts["ignored"]
    assert sum(step.counts.saved for step in result.steps[1:]) == len(expected.leads)


def test_a_second_run_saves_nothing_and_changes_nothing(world: World) -> None:
    world.run()
    before = by_key(world)
    again = world.run(full=True)
    assert again.ok
    assert_balanced(again)
    assert sum(step.counts.saved for step in again.steps) == 0
    assert by_key(world) == before
    assert sum(step.changed for step in again.steps) == 0


def test_a_run_without_news_writes_no_lead_and_no_record(world: World) -> None:
    class Counting:
        """Counts the calls that write leads or what is known of them."""

        def __init__(self, storage: Storage) -> None:
            self._storage = storage

        def __getattr__(self, name: str) -> Any:
            if name in {"store_leads", "update_records", "add_rejects", "clear_rejects", "add_stores"}:
                written[name] += 1
            return getattr(self._storage, name)

    world.run()
    written: Counter[str] = Counter()
    assert world.run(wrap=Counting).ok
    assert written == {}


def test_a_later_run_asks_for_the_whole_window_again(world: World, sandbox: Sandbox) -> None:
    world.run()
    asked_before = len(sandbox.requests)
    world.run()
    asked = sandbox.requests[asked_before:]
    reports = [request for request in asked if request.api in {"booking", "return"}]
    # Locations without any data in their whole first window are left alone.
    assert Counter((request.api, request.location) for request in reports) == Counter(
        {(api, location): 1 for api in ("booking", "return") for location in sandbox.locations}
    )
    for request in reports:
        assert request.body is not None
        assert request.body["months"] == "12"
        assert request.body.get("dateFrom", "") == request.body.get("dateTo", "") == ""


def test_new_bookings_are_stored_and_only_they(world: World, sandbox: Sandbox) -> None:
    world.run()
    before = by_key(world)
    added = {row["bookingNo"] for row in sandbox.add_bookings(5)}
    result = world.run()
    assert_balanced(result)
    assert {key[1] for key in by_key(world).keys() - before.keys()} == added
    assert sum(step.counts.saved for step in result.steps) == len(added) == 5


def test_a_return_is_stored_once_the_garment_is_back(world: World, sandbox: Sandbox) -> None:
    added = sandbox.add_bookings(1)[0]["bookingNo"]
    world.run()
    assert ("return", added) not in {key[:2] for key in by_key(world)}
    sandbox.return_booking(added)
    world.run()
    assert ("return", added) in {key[:2] for key in by_key(world)}


def test_dormant_locations_are_asked_again_once_a_day_and_by_full(world: World, sandbox: Sandbox) -> None:
    first = world.run((StepName.BOOKING,))
    assert first.steps[0].total > len(sandbox.locations)
    second = world.run((StepName.BOOKING,))
    assert second.steps[0].total == len(sandbox.locations)
    assert second.steps[0].dormant == first.steps[0].total - second.steps[0].total
    assert world.run((StepName.BOOKING,), full=True).steps[0].total == first.steps[0].total
    world.now += timedelta(days=1)
    assert world.run((StepName.BOOKING,)).steps[0].total == first.steps[0].total


def test_a_backfill_takes_its_days_only_and_leaves_the_watermark_alone(
    world: World, sandbox: Sandbox
) -> None:
    result = world.run((StepName.BOOKING,), date_from=date(2025, 12, 1), date_to=date(2025, 12, 31))
    december = by_key(world)
    assert december
    assert all(lead["createdAt"].strftime("%Y-%m") == "2025-12" for lead in december.values())  # type: ignore[attr-defined]
    assert_balanced(result)
    counts = result.steps[0].counts
    assert counts.rows == len(sandbox.rows("booking"))
    assert counts.ignored == counts.rows - counts.saved - counts.merged - counts.invalid > 0
    with world.storage() as storage:
        assert storage.location_states(StepName.BOOKING) == {}
    assert {request.body["months"] for request in sandbox.requests if request.body} == {"12"}


@pytest.mark.slow
def test_a_backfill_leaves_the_rejects_of_other_days_on_their_list(world: World, sandbox: Sandbox) -> None:
    world.run()
    rejects = world.app.all("syncrejects")
    assert rejects
    world.run(date_from=sandbox.today, date_to=sandbox.today)
    assert world.app.all("syncrejects") == rejects


def test_a_backfill_of_long_ago_asks_for_as_many_months_as_it_takes(world: World, sandbox: Sandbox) -> None:
    world.run(date_from=date(2024, 3, 11), date_to=date(2024, 3, 31))
    # Returns of these days may have been booked three months before.
    assert {request.body["months"] for request in sandbox.requests if request.body} == {"28"}


def test_a_chosen_location_only(world: World, sandbox: Sandbox) -> None:
    chosen = sandbox.locations[0]
    result = world.run(locations=(chosen,))
    assert [(step.processed, step.total) for step in result.steps[1:]] == [(1, 1), (1, 1)]
    assert {request.location for request in sandbox.requests if request.location} == {chosen}


@pytest.mark.slow
def test_a_dry_run_fetches_for_real_and_writes_nothing(world: World, sandbox: Sandbox) -> None:
    collections = ["leads", "stores", "synclogs", "syncrecords", "syncrejects", "syncstate", "syncruns"]
    prepared = {name: world.app.all(name) for name in collections}
    would = world.run(dry_run=True)
    assert_balanced(would)
    assert {name: world.app.all(name) for name in collections} == prepared
    assert not any(prepared[name] for name in collections if name != "syncstate")
    does = world.run()
    assert [step.counts for step in would.steps] == [step.counts for step in does.steps]


def test_stores_are_added_once_and_left_alone(world: World, sandbox: Sandbox) -> None:
    first = world.run((StepName.STORES,)).steps[0]
    assert first.status is StepStatus.SUCCESS
    assert first.counts.balanced
    stores = world.app.all("stores")
    assert len(stores) == first.counts.saved
    assert len({store["name"] for store in stores}) == len(stores)
    assert {store["code"] for store in stores} <= set(sandbox.locations)
    for store in stores:
        assert store["name"].startswith(f"{store['brand']} - ")
    again = world.run((StepName.STORES,)).steps[0]
    assert (again.counts.saved, again.counts.existing) == (0, again.counts.rows - again.counts.invalid)
    assert world.app.all("stores") == stores


def test_every_step_leaves_a_synclog(world: World) -> None:
    result = world.run()
    logs = {log["syncType"]: log for log in world.app.all("synclogs")}
    assert set(logs) == {"store", "booking", "return"}
    for step, sync_type in zip(result.steps, ("store", "booking", "return"), strict=True):
        log = logs[sync_type]
        assert log["lastSyncCount"] == step.counts.saved
        assert (log["trigger"], log["status"], log["errorMessage"], log["__v"]) == (
            "auto",
            "success",
            None,
            0,
        )
        assert log["createdAt"] == log["updatedAt"] == log["lastSyncAt"]
