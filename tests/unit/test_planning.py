"""Windows, dormancy and watermarks: a watermark only follows the data."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncctl.errors import UsageError
from syncctl.locations import load_locations
from syncctl.models import LocationState, Window
from syncctl.services.planning import Planner, Schedule, SyncOptions, locations_to_ask, months_before

KOLKATA = ZoneInfo("Asia/Kolkata")
SCHEDULE = Schedule(first_months=12, incremental_days=7, business_zone=KOLKATA)
NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # already the 11th in Kolkata
TODAY = date(2026, 3, 11)
WHOLE = Window(months=12)


def planner(options: SyncOptions | None = None, now: datetime = NOW) -> Planner:
    return Planner(SCHEDULE, options or SyncOptions(), now)


def window(state: LocationState, options: SyncOptions | None = None) -> Window | None:
    return planner(options).plan([state.location], {state.location: state}).windows.get(state.location)


def test_the_first_window_is_the_whole_one() -> None:
    assert window(LocationState("7")) == WHOLE


def test_then_it_begins_some_days_before_the_watermark() -> None:
    state = LocationState("7", watermark=NOW - timedelta(minutes=5))
    assert window(state) == Window(months=1, date_from=date(2026, 3, 4), date_to=TODAY)


def test_days_are_the_businesss() -> None:
    state = LocationState("7", watermark=datetime(2026, 3, 9, 18, 29, tzinfo=UTC))
    assert window(state) == Window(months=1, date_from=date(2026, 3, 2), date_to=TODAY)
    state = LocationState("7", watermark=datetime(2026, 3, 9, 18, 30, tzinfo=UTC))
    assert window(state) == Window(months=1, date_from=date(2026, 3, 3), date_to=TODAY)


def test_a_location_that_failed_for_weeks_starts_from_its_own_last_success() -> None:
    state = LocationState("7", watermark=NOW - timedelta(days=40))
    assert window(state) == Window(months=1, date_from=date(2026, 1, 23), date_to=TODAY)


def test_full_ignores_the_watermark_and_a_backfill_names_its_days() -> None:
    state = LocationState("7", watermark=NOW, dormant=True, asked_at=NOW)
    assert window(state, SyncOptions(full=True)) == WHOLE
    days = SyncOptions(date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))
    assert window(state, days) == Window(1, date(2025, 1, 1), date(2025, 1, 31))
    assert window(state, SyncOptions(date_from=date(2025, 1, 1))) == Window(1, date(2025, 1, 1), TODAY)


def test_a_watermark_from_a_wrong_clock_is_not_believed() -> None:
    assert window(LocationState("7", watermark=NOW + timedelta(days=400))) == WHOLE
    slightly = LocationState("7", watermark=NOW + timedelta(minutes=3))
    assert window(slightly) == Window(1, date(2026, 3, 4), TODAY)


def test_a_dormant_location_is_asked_once_a_day_for_the_whole_window() -> None:
    asleep = LocationState("7", watermark=NOW, asked_at=NOW - timedelta(hours=23), dormant=True)
    assert window(asleep) is None
    assert planner().plan(["7"], {"7": asleep}).dormant == 1
    due = LocationState("7", watermark=NOW, asked_at=NOW - timedelta(hours=24), dormant=True)
    assert window(due) == WHOLE
    assert window(asleep, SyncOptions(full=True)) == WHOLE
    assert window(asleep, SyncOptions(locations=("7",))) == WHOLE


def test_a_clock_set_back_does_not_let_a_location_sleep_for_years() -> None:
    state = LocationState("7", asked_at=NOW + timedelta(days=300), dormant=True)
    assert window(state) == WHOLE


def test_those_that_have_waited_longest_come_first() -> None:
    states = {
        "7": LocationState("7", tried_at=NOW),
        "8": LocationState("8", tried_at=NOW - timedelta(days=3)),
        "10": LocationState("10"),
        "9": LocationState("9"),
    }
    assert list(planner().plan(states, states).windows) == ["9", "10", "8", "7"]


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_the_watermark_is_the_runs_start() -> None:
    state = planner().next_state(LocationState("7"), WHOLE, 3, [at(TODAY)])
    assert state == LocationState("7", watermark=NOW, asked_at=NOW, tried_at=NOW, due_again=1)


def test_nothing_in_the_whole_window_makes_dormant_and_rows_wake_up() -> None:
    state = planner().next_state(LocationState("7"), WHOLE, 0, [])
    assert state is not None
    assert state.dormant
    woken = planner().next_state(state, WHOLE, 1, [at(TODAY)])
    assert woken is not None
    assert not woken.dormant


def test_an_empty_week_makes_nobody_dormant() -> None:
    week = Window(1, date(2026, 3, 4), TODAY)
    state = planner().next_state(LocationState("7", watermark=NOW), week, 0, [])
    assert state is not None
    assert not state.dormant


def test_a_backfill_leaves_the_watermark_alone() -> None:
    backfill = planner(SyncOptions(date_from=date(2025, 1, 1)))
    assert backfill.next_state(LocationState("7"), Window(1, date(2025, 1, 1), TODAY), 5, []) is None


def test_an_empty_answer_where_records_were_due_again_moves_nothing() -> None:
    week = Window(1, date(2026, 3, 4), TODAY)
    before = LocationState("7", watermark=NOW, asked_at=NOW - timedelta(hours=1), due_again=5)
    assert planner().is_suspicious(before, week, 0)
    assert planner().next_state(before, week, 0, []) is None
    assert not planner().is_suspicious(before, week, 1)
    assert not planner().is_suspicious(replace(before, due_again=4), week, 0)
    assert planner().is_suspicious(replace(before, due_again=0), WHOLE, 0)
    assert not planner().is_suspicious(replace(before, dormant=True), WHOLE, 0)
    assert not planner().is_suspicious(LocationState("7"), WHOLE, 0)


def test_empty_weeks_do_not_wear_the_evidence_away() -> None:
    week = Window(1, date(2026, 3, 4), TODAY)
    state = planner().next_state(LocationState("7"), WHOLE, 300, [])
    assert state is not None
    quiet = planner(now=NOW + timedelta(days=1)).next_state(state, week, 0, [])
    assert quiet is not None
    assert quiet.watermark == NOW + timedelta(days=1)
    assert planner(now=NOW + timedelta(days=1)).is_suspicious(quiet, WHOLE, 0)


def test_an_api_that_insists_on_its_empty_answer_is_believed_in_the_end() -> None:
    before = LocationState("7", watermark=NOW, asked_at=NOW - timedelta(days=3), due_again=5)
    state = planner(SyncOptions(full=True)).next_state(before, WHOLE, 0, [])
    assert state is not None
    assert state.dormant


def test_neither_full_nor_dormant_windows_jump_over_an_outage() -> None:
    long_ago = LocationState("7", watermark=NOW - timedelta(days=500), asked_at=NOW - timedelta(days=500))
    since_then = Window(1, date(2024, 10, 20), TODAY)
    assert window(long_ago) == window(long_ago, SyncOptions(full=True)) == since_then
    assert window(replace(long_ago, dormant=True)) == since_then
    asleep = planner().next_state(long_ago, since_then, 0, [])
    assert asleep is not None
    assert asleep.dormant


def test_one_that_failed_is_asked_after_the_others_next_time() -> None:
    states = {code: LocationState(code) for code in ("7", "8")}
    failed = planner().tried(states, "7")
    assert failed == LocationState("7", tried_at=NOW)
    assert list(planner().plan(states, {**states, "7": failed}).windows) == ["8", "7"]
    assert planner(SyncOptions(date_from=TODAY)).tried(states, "7") is None


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


def test_due_again_counts_exactly_what_the_next_window_covers() -> None:
    days = [TODAY - timedelta(days=back) for back in (0, 7, 8, 100)] + [TODAY + timedelta(days=1)]
    state = planner().next_state(LocationState("7"), WHOLE, 5, map(at, days))
    assert state is not None
    assert state.due_again == 2
    for later in (NOW, NOW + timedelta(days=2)):
        following = planner(now=later).plan(["7"], {"7": state}).windows["7"]
        assert following.date_from == TODAY - timedelta(days=7)


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
