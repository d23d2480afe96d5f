"""Dormancy and watermarks: a watermark only follows the data, and ignores suspiciously thin answers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.requests import Days, Window
from syncctl.domain.sources import StepName
from syncctl.services.sync.answer_rows import classify_rows
from syncctl.services.sync.checkpoints import AnswerCounts, Checkpoints
from syncctl.services.sync.planning import Planner, SyncOptions, WindowSettings

SCHEDULE = WindowSettings(first_months=12, business_zone=ZoneInfo("Asia/Kolkata"))
NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # already the 11th in Kolkata
TODAY = date(2026, 3, 11)
WHOLE = Window(months=12)
NARROW = Window(days=Days(TODAY - timedelta(days=8), TODAY + timedelta(days=1)))
MIN_DUE_ROWS = LocationState("7", watermark=NOW, answered_at=NOW, due_again=300, recent=10)


def planner(options: SyncOptions | None = None, now: datetime = NOW) -> Planner:
    return Planner(SCHEDULE, options or SyncOptions(), now)


def checkpoints(options: SyncOptions | None = None, now: datetime = NOW) -> Checkpoints:
    return Checkpoints(planner(options, now))


def answer_counts(rows: int, due_again: int = 0, again: int = 0, recent: int = 0) -> AnswerCounts:
    return AnswerCounts(rows, due_again, again, recent)


def test_the_watermark_is_the_runs_start() -> None:
    state = checkpoints().next_state(LocationState("7"), WHOLE, answer_counts(3, 1, 1, 1))
    assert state == LocationState(
        "7", watermark=NOW, answered_at=NOW, tried_at=NOW, due_again=1, recent=1, audited_at=NOW
    )


def test_nothing_in_the_whole_window_makes_dormant_and_rows_wake_up() -> None:
    state = checkpoints().next_state(LocationState("7"), WHOLE, answer_counts(0, 0, 0, 0))
    assert state is not None
    assert state.dormant
    woken = checkpoints().next_state(state, WHOLE, answer_counts(1, 1, 1, 1))
    assert woken is not None
    assert not woken.dormant


def test_a_backfill_leaves_the_watermark_alone_and_suspects_nothing() -> None:
    backfill = checkpoints(SyncOptions(date_from=date(2025, 1, 1)))
    assert backfill.next_state(LocationState("7"), WHOLE, answer_counts(5, 5, 5, 5)) is None
    assert not backfill.is_suspicious(MIN_DUE_ROWS, WHOLE, answer_counts(0))


@pytest.mark.parametrize("due_again", [1, 5, 300])
def test_an_empty_answer_where_rows_were_due_again_moves_nothing(due_again: int) -> None:
    before = LocationState("7", watermark=NOW, answered_at=NOW - timedelta(hours=1), due_again=due_again)
    assert checkpoints().is_suspicious(before, WHOLE, answer_counts(0))
    assert checkpoints().next_state(before, WHOLE, answer_counts(0, 0, 0, 0)) is None
    assert checkpoints().is_suspicious(before, WHOLE, answer_counts(1)) is (due_again > 1)
    assert not checkpoints().is_suspicious(before, WHOLE, answer_counts((due_again + 1) // 2))
    assert not checkpoints().is_suspicious(before._replace(dormant=True), WHOLE, answer_counts(0))
    assert not checkpoints().is_suspicious(LocationState("7"), WHOLE, answer_counts(0))


def test_an_empty_answer_where_all_rows_have_grown_too_old_is_no_news() -> None:
    before = checkpoints().next_state(LocationState("7"), WHOLE, answer_counts(4, 0, 0, 0))
    assert before is not None
    assert not before.dormant
    later = checkpoints(now=NOW + timedelta(days=1))
    assert not later.is_suspicious(before, WHOLE, answer_counts(0))
    after = later.next_state(before, WHOLE, answer_counts(0, 0, 0, 0))
    assert after is not None
    assert after.dormant


def test_an_api_that_insists_on_its_empty_answer_is_believed_in_the_end() -> None:
    before = LocationState("7", watermark=NOW, answered_at=NOW, due_again=5)
    doubted = checkpoints().doubted(before)
    assert doubted.watermark == NOW
    assert checkpoints(now=NOW + timedelta(days=1)).doubted(doubted).doubted_since == NOW
    insisting = checkpoints(now=NOW + timedelta(days=2))
    assert insisting.next_state(doubted, WHOLE, answer_counts(0, 0, 0, 0)) is None
    state = checkpoints(now=NOW + timedelta(days=2, minutes=5)).next_state(
        doubted, WHOLE, answer_counts(0, 0, 0, 0)
    )
    assert state is not None
    assert state.dormant
    assert state.doubted_since is None


def test_an_empty_narrow_window_makes_nothing_dormant_and_a_thin_one_is_suspicious() -> None:
    few = MIN_DUE_ROWS._replace(recent=4)
    after = checkpoints().next_state(few, NARROW, answer_counts(0))
    assert after is not None
    assert not after.dormant
    assert (after.due_again, after.audited_at) == (300, None)
    assert checkpoints().is_suspicious(MIN_DUE_ROWS, NARROW, answer_counts(90, again=4))
    assert not checkpoints().is_suspicious(MIN_DUE_ROWS, NARROW, answer_counts(5, again=5))


def returned(number: int, on: date | None) -> dict[str, Any]:
    returned_at = None if on is None else f"{on}T11:00:00"
    names = {"customerName": "Anagha", "phoneNo": "8848782000", "bookingNo": str(number)}
    return names | {"bookingDate": "2026-01-10T11:00:00", "returnDate": returned_at}


def test_what_is_not_returned_yet_is_not_due_in_a_window_of_days() -> None:
    rows = [returned(number, TODAY - timedelta(days=number % 6)) for number in range(12)]
    rows += [returned(number, None) for number in range(100, 300)]
    whole = classify_rows(StepName.RETURN, "7", "Zorucci - Edappally", rows, UTC)
    before = checkpoints().next_state(
        LocationState("7"), WHOLE, checkpoints().answer_counts(LocationState("7"), whole)
    )
    assert before is not None
    assert (before.recent, before.due_again) == (12, 212)
    narrow = classify_rows(StepName.RETURN, "7", "Zorucci - Edappally", rows[:6], UTC)
    answers = {6: rows[:6], 5: rows[:5] + rows[12:40]}
    for again, found in answers.items():
        narrow = classify_rows(StepName.RETURN, "7", "Zorucci - Edappally", found, UTC)
        counted = checkpoints().answer_counts(before, narrow)
        assert counted.again == again
        assert checkpoints().is_suspicious(before, NARROW, counted) is (again < 6)


def test_the_days_that_are_due_again_are_those_of_the_last_answer() -> None:
    """What has grown too old for the next window meanwhile is not missed."""
    rows = [returned(number, TODAY - timedelta(days=7)) for number in range(10)]
    answer = classify_rows(StepName.RETURN, "7", "Zorucci - Edappally", rows, UTC)
    before = checkpoints().next_state(
        LocationState("7"), WHOLE, checkpoints().answer_counts(LocationState("7"), answer)
    )
    assert before is not None
    assert before.recent == 10
    later = planner(now=NOW + timedelta(days=3))
    again = Checkpoints(later).answer_counts(before, answer)
    window = later.plan(["7"], {"7": before}, Dialect(StepName.RETURN)).windows["7"]
    assert not Checkpoints(later).is_suspicious(before, window, again)
    assert (again.again, again.recent) == (10, 0)


def test_an_audit_moves_no_watermark_and_wakes_up() -> None:
    asleep = LocationState("7", NOW - timedelta(hours=9), NOW - timedelta(hours=9), dormant=True)
    awake = checkpoints().audited(asleep, answer_counts(3, due_again=2))
    assert awake == asleep._replace(
        answered_at=NOW, dormant=False, due_again=2, audited_at=NOW, audit_tried_at=NOW
    )
    still = checkpoints().audited(asleep, answer_counts(0))
    assert (still.dormant, still.answered_at, still.watermark) == (True, NOW, asleep.watermark)
    known = MIN_DUE_ROWS._replace(watermark=NOW - timedelta(minutes=5))
    assert checkpoints().audited(known, answer_counts(310, due_again=305)).watermark == known.watermark


def test_a_thin_audit_is_not_believed_either() -> None:
    after = checkpoints().audited(MIN_DUE_ROWS, answer_counts(149, due_again=149))
    assert after == MIN_DUE_ROWS._replace(audited_at=NOW, audit_tried_at=NOW, doubted_since=NOW)
    assert checkpoints().audited(MIN_DUE_ROWS, answer_counts(150, due_again=150)).due_again == 150


def test_an_audit_in_vain_is_only_noted() -> None:
    assert checkpoints().audit_failed(MIN_DUE_ROWS) == MIN_DUE_ROWS._replace(audit_tried_at=NOW)
    known = MIN_DUE_ROWS._replace(audit_tried_at=NOW - timedelta(days=1), audited_at=NOW - timedelta(days=2))
    after = checkpoints().next_state(known, NARROW, answer_counts(10, again=10))
    assert after is not None
    assert (after.audit_tried_at, after.audited_at) == (known.audit_tried_at, known.audited_at)


def test_a_doubt_dated_in_the_future_by_a_wrong_clock_lasts_no_longer_than_others() -> None:
    ahead = MIN_DUE_ROWS._replace(doubted_since=NOW + timedelta(days=900))
    assert checkpoints().is_suspicious(ahead, WHOLE, answer_counts(0))
    doubted = checkpoints().doubted(ahead)
    assert doubted.doubted_since == NOW
    assert not checkpoints(now=NOW + timedelta(days=2, minutes=5)).is_suspicious(
        doubted, WHOLE, answer_counts(0)
    )


def test_one_that_failed_is_asked_after_the_others_next_time() -> None:
    states = {code: LocationState(code) for code in ("7", "8")}
    failed = checkpoints().tried(states, "7")
    assert failed == LocationState("7", tried_at=NOW)
    next_time = planner().plan(states, {**states, "7": failed}, Dialect(StepName.BOOKING))
    assert list(next_time.windows) == ["8", "7"]
    assert checkpoints(SyncOptions(date_from=TODAY)).tried(states, "7") is None
