"""Each dialect is measured over HTTP and used; nothing stays missing longer than a round of audits."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from syncctl.domain.dialects import Dialect, Mode
from syncctl.domain.requests import BodyForm
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.locations import load_locations
from syncctl.sandbox import DIALECTS, Sandbox
from tests.integration.conftest import TODAY
from tests.support.oracle import key_of
from tests.support.world import World

BOOKING, RETURN = StepName.BOOKING, StepName.RETURN
LOCATIONS, BOOKINGS, AUDITS = 4, 200, 2
A_ROUND = LOCATIONS // AUDITS

DATES, MONTHS, WHOLE = Mode.DATES, Mode.MONTHS, Mode.WHOLE
FOUND: dict[str, tuple[Mode, set[Mode]]] = {
    "own-date": (DATES, {DATES}),
    "booking-date": (DATES, {MONTHS, WHOLE}),
    "delivery-date": (MONTHS, {MONTHS, WHOLE}),
    "expected-return-date": (MONTHS, {MONTHS, WHOLE}),
    "dates-empty": (MONTHS, {MONTHS}),
    "dates-error": (MONTHS, {MONTHS}),
    "dates-ignored": (MONTHS, {MONTHS}),
    "all-ignored": (WHOLE, {WHOLE}),
    "dates-without-months": (DATES, {DATES}),
    "dates-with-months": (DATES, {DATES}),
    "dates-without-empty-strings": (DATES, {DATES}),
}
"""What is to be found: for bookings, and for returns. How long before its return a garment was booked or
delivered decides whether a window of months by these dates can be relied on."""

FORMS = {
    "own-date": BodyForm.ALL_KEYS,
    "dates-with-months": BodyForm.ALL_KEYS,
    "dates-without-months": BodyForm.WITHOUT_MONTHS,
    "dates-without-empty-strings": BodyForm.WITHOUT_EMPTY,
}


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def sandbox(dialect: str) -> Iterator[Sandbox]:
    with Sandbox(locations=LOCATIONS, bookings=BOOKINGS, today=TODAY, dialect=dialect) as sandbox:
        yield sandbox


@pytest.fixture
def world(sandbox: Sandbox, database_url: str) -> Iterator[World]:
    every = load_locations()
    by_code = {code: every.by_code[code] for code in sandbox.locations}
    world = World(sandbox, database_url, replace(every, by_code=by_code))
    world.now += timedelta(hours=11)
    yield world
    world.close()


def sync(world: World, after: timedelta = timedelta(minutes=5)) -> RunResult:
    world.now += after
    return world.run(measures=True, audits=AUDITS)


def known(world: World, report: StepName) -> Dialect:
    with world.storage() as storage:
        return storage.dialects()[report]


def missing(world: World, lead_type: str, numbers: Iterable[str]) -> set[str | None]:
    """Which of these booking numbers' leads should be there and are not."""
    expected, there = (
        {lead.get("bookingNo") for lead in leads if lead["leadType"] == lead_type}
        for leads in (world.expected().leads.values(), world.app.leads())
    )
    return expected.intersection(numbers) - there


def whole_calls(sandbox: Sandbox, since: int) -> Counter[str]:
    """How many calls there were for whole windows, by report, since that many calls of all kinds."""
    return Counter(
        request.api
        for request in sandbox.requests[since:]
        if request.body and not request.body.get("dateFrom") and request.body.get("months") == "12"
    )


@pytest.mark.slow
def test_it_is_found_out_and_relied_on_and_nothing_stays_missing(
    world: World, sandbox: Sandbox, dialect: str
) -> None:
    assert sync(world).ok
    assert {key_of(lead) for lead in world.app.leads()} == set(world.expected().leads)
    booking, returns = known(world, BOOKING), known(world, RETURN)
    assert booking.mode is FOUND[dialect][0]
    assert returns.mode in FOUND[dialect][1]
    if dialect in FORMS:
        assert booking.form is returns.form is FORMS[dialect]

    booked = {row["bookingNo"] for row in sandbox.add_bookings(8)}
    backdated = {row["bookingNo"] for row in sandbox.add_bookings(LOCATIONS)}
    for number in backdated:
        sandbox.change_booking(number, bookingDate=datetime.combine(TODAY - timedelta(days=70), time(11)))
    returned = [
        row["bookingNo"]
        for row in sandbox.rows("return")
        if row.get("bookingNo") and not row.get("returnDate") and row["bookingDate"] < str(TODAY)
    ][:10]
    for number in returned:
        sandbox.return_booking(number, datetime.combine(TODAY, time(11)))
    before = len(sandbox.requests)
    result = sync(world)
    assert result.ok
    assert all(step.counts.balanced for step in result.steps)
    assert missing(world, "bookingConfirmation", booked) == set()
    if returns.mode is not MONTHS or dialect.startswith("dates-"):
        assert missing(world, "return", returned) == set()
    asked = whole_calls(sandbox, before)
    assert asked["booking"] == (LOCATIONS if booking.mode is WHOLE else AUDITS)
    assert asked["return"] == (LOCATIONS if returns.mode is WHOLE else AUDITS)

    for _ in range(A_ROUND):
        assert sync(world).ok
    assert {key_of(lead) for lead in world.app.leads()} == set(world.expected().leads)
    assert known(world, BOOKING).mode is booking.mode


@pytest.mark.slow
def test_it_is_measured_once_a_day(world: World, sandbox: Sandbox) -> None:
    sync(world)
    first = known(world, BOOKING)
    sync(world)
    assert known(world, BOOKING) == first
    sync(world, timedelta(days=1))
    again = known(world, BOOKING)
    assert first.measured_at is not None
    assert again.measured_at is not None
    assert again.measured_at - first.measured_at == timedelta(days=1, minutes=5)
    assert (again.mode, again.months, again.form) == (first.mode, first.months, first.form)


@pytest.mark.parametrize("dialect", ["own-date"], indirect=True)
def test_a_run_that_is_out_of_time_ends_in_time_and_has_asked_what_it_must(
    world: World, sandbox: Sandbox
) -> None:
    sync(world)
    before = len(sandbox.requests)
    result = world.run(measures=True, audits=AUDITS, deadline_s=0.0)
    assert not result.ok
    assert whole_calls(sandbox, before) == {}
    assert result.duration_s < 5.0
