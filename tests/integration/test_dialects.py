"""Whatever the API's dialect, everything arrives as long as whole windows are requested."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from syncctl.sandbox import DIALECTS, Sandbox
from tests.integration.conftest import TODAY
from tests.support.completeness import assert_nothing_found, look, lose_lead, numbered, totals
from tests.support.oracle import key_of
from tests.support.webapp import Lead
from tests.support.world import World

WHOLE_BODIES: dict[str, dict[str, str]] = {
    "booking": {"months": "12"},
    "return": {
        "bookingNo": "",
        "dateFrom": "",
        "dateTo": "",
        "userName": "",
        "months": "12",
        "fromLocation": "",
        "userID": "",
    },
}
"""What each report is asked with beside the location: the old system got data with it."""


@pytest.fixture(params=DIALECTS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(locations=2, bookings=40, today=TODAY, dialect=request.param) as sandbox:
        yield sandbox


in_some = pytest.mark.parametrize("sandbox", ["own-date", "booking-date", "all-ignored"], indirect=True)
"""Where only what comes beside the days that are wanted makes a difference."""


def long_booked(sandbox: Sandbox, count: int) -> list[str]:
    """Numbers of bookings that are not returned yet, made weeks ago and more."""
    before = str(sandbox.today - timedelta(days=30))
    found = {
        row["bookingNo"]
        for row in sandbox.rows("return")
        if row.get("bookingNo") and row.get("returnDate", "") is None and row["bookingDate"] < before
    }
    assert len(found) >= count
    return sorted(found)[:count]


def return_today(sandbox: Sandbox, numbers: list[str]) -> None:
    for number in numbers:
        sandbox.return_booking(number, datetime.combine(sandbox.today, time(11)))


def leads_of(world: World, lead_type: str) -> set[str]:
    return {lead.get("bookingNo", "") for lead in world.app.leads() if lead["leadType"] == lead_type}


def assert_whole_windows(sandbox: Sandbox) -> None:
    """Every call so far was for a whole window, in exactly the known body."""
    asked = [request for request in sandbox.requests if request.api != "stores"]
    assert asked
    for request in asked:
        assert request.body == {**WHOLE_BODIES[request.api], "locationID": request.location}


@pytest.mark.slow
def test_an_ordinary_run_brings_every_new_booking_and_every_return_of_an_older_one(
    world: World, sandbox: Sandbox
) -> None:
    world.run()
    booked = {row["bookingNo"] for row in sandbox.add_bookings(5)}
    returned = long_booked(sandbox, 10)
    return_today(sandbox, returned)
    world.now += timedelta(minutes=5)
    result = world.run()
    assert result.ok
    assert all(step.counts.balanced for step in result.steps)
    assert [step.counts.saved for step in result.steps] == [0, 5, 10]
    assert booked <= leads_of(world, "bookingConfirmation")
    assert set(returned) <= leads_of(world, "return")
    assert {key_of(lead) for lead in world.app.leads()} == set(world.expected().leads)
    assert world.recorder.warnings == []
    assert not [done for _, done in world.recorder.done if done.warning]
    assert_whole_windows(sandbox)


@pytest.mark.slow
@in_some
def test_a_backfill_and_the_check_pick_their_days_from_what_comes(world: World, sandbox: Sandbox) -> None:
    returned = long_booked(sandbox, 10)
    return_today(sandbox, returned)
    week: dict[str, Any] = {"date_from": sandbox.today - timedelta(days=7), "date_to": sandbox.today}
    before = look(world, **week)
    result = world.run(**week)
    assert result.ok
    assert all(step.counts.balanced for step in result.steps)
    expected = {key for key, lead in world.expected().leads.items() if is_within(lead, **week)}
    assert {key_of(lead) for lead in world.app.leads()} == expected
    assert set(returned) <= leads_of(world, "return")
    assert totals(before).missing == len(expected)
    for step in result.steps[1:]:
        assert step.counts.rows == len(sandbox.rows(step.name.value))
        assert step.counts.ignored > 0
    assert_nothing_found(look(world, **week))
    assert not look(world).ok
    world.run()
    assert_nothing_found(look(world))
    assert_whole_windows(sandbox)


def is_within(lead: Lead, date_from: date, date_to: date) -> bool:
    """Whether a backfill of these days brings it; what has no date is in every one."""
    at: Any = lead.get("createdAt")
    return at is None or date_from <= at.date() <= date_to


@pytest.mark.slow
@in_some
def test_what_is_lost_is_found_by_its_own_date(world: World, sandbox: Sandbox) -> None:
    (number,) = long_booked(sandbox, 1)
    return_today(sandbox, [number])
    world.run()
    returns = {lead["bookingNo"]: lead for lead in numbered(world) if lead["leadType"] == "return"}
    for lost in (number, *[other for other in returns if other != number][:1]):
        lose_lead(world, returns[lost])
    assert totals(look(world)).missing == 2
    found = look(world, date_from=sandbox.today, date_to=sandbox.today)
    assert [entry.subject.booking_no for place in found.locations for entry in place.missing] == [number]
