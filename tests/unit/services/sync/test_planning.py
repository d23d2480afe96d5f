"""Windows: which locations a report is asked for, in which turn, and how far back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, Mode
from syncctl.domain.requests import BodyForm, Days, Window, covered_from, months_before, months_since
from syncctl.domain.sources import StepName
from syncctl.errors import UsageError
from syncctl.locations import load_locations
from syncctl.services.sync.asked_locations import locations_to_ask
from syncctl.services.sync.planning import Planner, SyncOptions, WindowSettings

KOLKATA = ZoneInfo("Asia/Kolkata")
SCHEDULE = WindowSettings(first_months=12, business_zone=KOLKATA)
NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # already the 11th in Kolkata
TODAY = date(2026, 3, 11)
WHOLE = Window(months=12)
UNMEASURED = Dialect(StepName.BOOKING)


def planner(options: SyncOptions | None = None, now: datetime = NOW) -> Planner:
    return Planner(SCHEDULE, options or SyncOptions(), now)


def window(
    state: LocationState, options: SyncOptions | None = None, dialect: Dialect = UNMEASURED
) -> Window | None:
    return (
        planner(options).plan([state.location], {state.location: state}, dialect).windows.get(state.location)
    )


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(minutes=5), timedelta(days=40), timedelta(days=365)])
def test_each_window_is_the_whole_one_wherever_the_watermark_is(ago: timedelta) -> None:
    assert window(LocationState("7")) == WHOLE
    state = LocationState("7", watermark=NOW - ago)
    assert window(state) == window(state, SyncOptions(full=True)) == WHOLE
    assert planner().days is None


@pytest.mark.parametrize("full", [False, True])
def test_after_an_outage_that_was_longer_it_reaches_back_to_the_watermark(full: bool) -> None:
    long_ago = LocationState("7", watermark=NOW - timedelta(days=500), answered_at=NOW - timedelta(days=500))
    assert window(long_ago, SyncOptions(full=full)) == Window(17)
    assert window(long_ago._replace(dormant=True), SyncOptions(full=full)) == Window(17)


def test_days_are_the_businesss() -> None:
    options = SyncOptions(date_from=date(2026, 3, 11))
    before = planner(options, now=datetime(2026, 3, 11, 18, 29, tzinfo=UTC))
    assert before.days == Days(TODAY, TODAY)
    after = planner(options, now=datetime(2026, 3, 11, 18, 30, tzinfo=UTC))
    assert after.days == Days(TODAY, TODAY + timedelta(days=1))


def test_a_backfill_asks_for_a_whole_window_and_picks_its_days() -> None:
    state = LocationState("7", watermark=NOW, dormant=True, answered_at=NOW)
    options = SyncOptions(date_from=date(2026, 1, 1), date_to=date(2026, 1, 31))
    assert window(state, options) == WHOLE
    assert planner(options).days == Days(date(2026, 1, 1), date(2026, 1, 31))
    assert planner(SyncOptions(date_from=date(2026, 1, 1))).days == Days(date(2026, 1, 1), TODAY)


@pytest.mark.parametrize(
    ("first", "months"),
    [
        (date(2025, 6, 12), 12),
        (
            date(2025, 6, 10),
            13,
        ),  # three months before that is more than twelve ago
        (date(2025, 1, 1), 18),
        (date(2000, 1, 1), 315),
        (date.min, 315),
        (date.max, 12),
    ],
)
def test_a_backfills_window_reaches_the_bookings_of_its_first_days_returns(first: date, months: int) -> None:
    options = SyncOptions(date_from=first, date_to=date.max)
    assert window(LocationState("7"), options) == Window(months)


def test_a_watermark_from_a_wrong_clock_changes_nothing() -> None:
    for days in (1, 400, 10_000):
        assert window(LocationState("7", watermark=NOW + timedelta(days=days))) == WHOLE
    broken = LocationState("7", watermark=datetime(1, 1, 2, tzinfo=UTC))
    assert window(broken) == Window(315)


def test_a_dormant_location_is_asked_once_a_day_for_the_whole_window() -> None:
    asleep = LocationState("7", watermark=NOW, answered_at=NOW - timedelta(hours=23), dormant=True)
    assert window(asleep) is None
    assert planner().plan(["7"], {"7": asleep}, UNMEASURED).dormant == 1
    due = LocationState("7", watermark=NOW, answered_at=NOW - timedelta(hours=24), dormant=True)
    assert window(due) == WHOLE
    assert window(asleep, SyncOptions(full=True)) == WHOLE
    assert window(asleep, SyncOptions(locations=("7",))) == WHOLE


def test_a_clock_set_back_does_not_let_a_location_sleep_for_years() -> None:
    state = LocationState("7", answered_at=NOW + timedelta(days=300), dormant=True)
    assert window(state) == WHOLE


def test_those_that_have_waited_longest_come_first() -> None:
    states = {
        "7": LocationState("7", tried_at=NOW),
        "8": LocationState("8", tried_at=NOW - timedelta(days=3)),
        "10": LocationState("10"),
        "9": LocationState("9"),
    }
    assert list(planner().plan(states, states, UNMEASURED).windows) == ["9", "10", "8", "7"]


@pytest.mark.parametrize("hours", [1, 20, 9000])
def test_one_tried_in_the_future_by_a_wrong_clock_does_not_wait_for_it(hours: int) -> None:
    """Where each run's deadline leaves the last ones out, it would else be left out until then."""
    states = {
        "7": LocationState("7", tried_at=NOW + timedelta(hours=hours)),
        "8": LocationState("8", tried_at=NOW - timedelta(minutes=5)),
    }
    assert list(planner().plan(states, states, UNMEASURED).windows) == ["7", "8"]


BY_DATES = Dialect(StepName.BOOKING, Mode.DATES, form=BodyForm.WITHOUT_MONTHS)
BY_MONTHS = Dialect(StepName.BOOKING, Mode.MONTHS, months=2)


def test_a_proven_window_begins_a_week_behind_the_watermark_and_a_day_wider_at_both_ends() -> None:
    state = LocationState("7", watermark=NOW - timedelta(days=3))
    asked = Window(days=Days(date(2026, 2, 28), TODAY + timedelta(days=1)), form=BodyForm.WITHOUT_MONTHS)
    assert window(state, None, BY_DATES) == asked
    assert window(state, None, BY_MONTHS) == Window(2)


@pytest.mark.parametrize("dialect", [BY_DATES, BY_MONTHS])
def test_what_is_not_proven_is_asked_for_whole(dialect: Dialect) -> None:
    known = LocationState("7", watermark=NOW - timedelta(days=3))
    assert window(LocationState("7"), None, dialect) == WHOLE
    assert window(known._replace(watermark=NOW - timedelta(days=20)), None, dialect) == WHOLE
    assert window(known._replace(doubted_since=NOW), None, dialect) == WHOLE
    assert window(known._replace(dormant=True), None, dialect) == WHOLE
    assert window(known, SyncOptions(full=True), dialect) == WHOLE


def of(code: str, hours: float | None, *, tried: float | None = None) -> LocationState:
    """One that was audited, or that an audit asked in vain, so many hours ago."""
    audited, in_vain = (None if ago is None else NOW - timedelta(hours=ago) for ago in (hours, tried))
    return LocationState(code, audited_at=audited, audit_tried_at=in_vain, dormant=code == "8")


def auditing(options: SyncOptions | None = None) -> Planner:
    return Planner(SCHEDULE._replace(audits=2), options or SyncOptions(), NOW)


def test_audits_go_in_turn_dormant_ones_too() -> None:
    bookings = {"7": of("7", 1), "8": of("8", 5), "9": of("9", 2)}
    returns = {**bookings, "7": of("7", 9)}
    audits = auditing().audits
    assert audits(["7", "8", "9", "10"], [bookings, returns], [(), ()]) == ["10", "7"]
    assert audits(["7", "8", "9"], [bookings, returns], [["7"], ["7"]]) == ["8", "9"]
    assert planner().audits(["7"], [bookings], [()]) == []
    for options in (SyncOptions(locations=("7",)), SyncOptions(date_from=TODAY)):
        assert auditing(options).audits(["7"], [bookings], [()]) == []


def test_a_report_that_is_asked_whole_anyway_decides_no_turn() -> None:
    bookings = {"7": of("7", 1), "8": of("8", 5), "9": of("9", 2)}
    returns = {"7": of("7", None), "8": of("8", 0), "9": of("9", 0)}
    assert auditing().audits(["7", "8", "9"], [bookings, returns], [(), ["7", "8", "9"]]) == ["8", "9"]


def test_an_audit_that_failed_comes_again_after_the_others() -> None:
    states = {"7": of("7", 99, tried=0.1), "8": of("8", None, tried=0.2), "9": of("9", 2), "10": of("10", 3)}
    assert auditing().audits(states, [states], [()]) == ["10", "9"]
    later = {**states, "9": of("9", 0), "10": of("10", 0)}
    assert auditing().audits(later, [later], [()]) == ["8", "7"]


@pytest.mark.parametrize("ahead", [1, 20, 9000])
def test_an_audit_dated_in_the_future_by_a_wrong_clock_counts_as_none(ahead: int) -> None:
    """It would else have no turn until then, and what only audits bring would be missing as long."""
    states = {"7": of("7", -ahead), "8": of("8", 5), "9": of("9", 8, tried=-ahead)}
    assert auditing().audits(states, [states], [()]) == ["7", "9"]


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 3, 11), 12, date(2025, 3, 11)),
        (date(2026, 3, 31), 1, date(2026, 3, 1)),
        (date(2024, 2, 29), 12, date(2023, 3, 1)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
    ],
)
def test_months_are_counted_on_the_calendar(today: date, months: int, first: date) -> None:
    assert months_before(today, months) == first


@pytest.mark.parametrize(
    ("day", "months"),
    [
        (TODAY + timedelta(days=1), 0),
        (TODAY, 0),
        (date(2026, 3, 10), 1),
        (date(2026, 2, 11), 1),
        (date(2026, 2, 10), 2),
        (date(2025, 3, 11), 12),
    ],
)
def test_as_many_months_as_reach_a_day(day: date, months: int) -> None:
    assert months_since(day, TODAY) == months


def test_of_a_windows_first_days_nothing_is_certain() -> None:
    assert covered_from(WHOLE, TODAY) == date(2025, 3, 17)  # twelve times thirty days, but one
    assert covered_from(Window(1), TODAY) == date(2026, 2, 12)  # a February


def test_what_is_due_again_will_be_for_as_long_as_its_absence_is_suspicious() -> None:
    then = planner(now=NOW + timedelta(days=2))
    assert planner().due_again_from == then.covered_from


def test_locations_are_the_store_lists_and_the_tables() -> None:
    codes = locations_to_ask({"950": "Z.Kannur", "7": "PMNA", "odd": ""}, load_locations(), ())
    assert len(codes) == len(load_locations().by_code) + 2
    assert codes["950"] == "Zorucci - Kannur"
    assert codes["7"] == "Suitor Guy - Perinthalmanna"
    assert codes["709"] == codes["7"]
    assert codes["odd"] is None
    assert next(iter(codes)) == "1"
    assert list(codes)[-1] == "odd"


def test_chosen_locations_only_and_unknown_ones_are_refused() -> None:
    assert list(locations_to_ask({}, load_locations(), ["709", "7"])) == ["7", "709"]
    with pytest.raises(UsageError, match="Location '9999' is neither"):
        locations_to_ask({}, load_locations(), ["9999"])
