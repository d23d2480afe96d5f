"""Each run audits a few locations: nothing stays missing for longer than a round of audits."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from syncctl.domain.dialects import Dialect, Mode
from syncctl.domain.requests import BodyForm, ReportRequest
from syncctl.domain.run_results import RunResult
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.errors import ApiError, KeyRefusedError, RetryableApiError, StorageError, StorageUnavailableError
from syncctl.locations import Locations
from tests.support.api_model import DIALECTS, Row
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.model_world import CODES, REPORTS, STORES, ModelWorld

BOOKING, RETURN = REPORTS
OUTAGE = RetryableApiError("rental.example answered 503")


@pytest.fixture
def world() -> ModelWorld:
    """Both reports are asked for days, and everything was asked for once."""
    world = ModelWorld()
    world.fill()
    world.run()
    assert {world.mode(report) for report in REPORTS} == {"dates"}
    return world


def audited(world: ModelWorld, report: StepName = BOOKING) -> list[str]:
    """The locations of which the last run asked a report for everything besides."""
    return [request.location for request in world.asked(report) if not request.window.days]


def audit_of(result: RunResult, report: StepName = BOOKING) -> tuple[int, int, int]:
    """How many audits of a report answered, how many leads they brought, and how many failed."""
    (step,) = [step for step in result.steps if step.name is report]
    assert step.counts.balanced
    assert step.audit is not None
    return step.audit.locations, step.audit.counts.saved, len(step.audit.failed)


def backdated(world: ModelWorld, code: str) -> Row:
    """A booking that no window of days has any more, and that is returned as long ago."""
    row = world.book(code, world.today - timedelta(days=60))
    world.give_back(row, world.today - timedelta(days=40))
    return row


def test_what_no_window_has_comes_within_a_round_and_is_counted_as_such(world: ModelWorld) -> None:
    rows = {code: backdated(world, code)["bookingNo"] for code in CODES}
    brought = 0
    for _ in range(3):
        result = world.run()
        assert result.ok
        for report in REPORTS:
            locations, saved, failed = audit_of(result, report)
            assert (locations, failed) == (2, 0)
        brought += saved
    assert brought == len(rows)
    for report in REPORTS:
        assert set(rows.values()) <= world.numbers(report)
    assert world.recorder.warnings == []


def test_they_go_in_turn_dormant_ids_too(world: ModelWorld) -> None:
    asked: list[list[str]] = []
    for _ in range(6):
        world.run()
        assert audited(world, BOOKING) == audited(world, RETURN)
        asked.append(audited(world))
    assert asked[0] == ["11", "12"]
    for first in range(4):
        assert {code for codes in asked[first : first + 3] for code in codes} == set(CODES)


def test_a_dormant_location_that_an_audit_finds_awake_is_synced_from_then_on(world: ModelWorld) -> None:
    assert world.state(BOOKING, "15").dormant
    world.book("15", world.today)
    world.run_a_round()
    assert not world.state(BOOKING, "15").dormant
    world.run()
    assert "15" in {request.location for request in world.asked(BOOKING)}


def test_only_dormant_ids_are_audited_where_everything_is_asked_for(world: ModelWorld) -> None:
    for report in REPORTS:
        world.storage.save_dialect(Dialect(report, measured_at=world.now))
    world.run()
    assert world.calls() == {"booking: 12 months": 5, "return: 12 months": 5}
    assert audited(world)[-1] == "15"


def test_none_at_all(world: ModelWorld) -> None:
    world.schedule = type(world.schedule)(12, world.schedule.business_zone, audits=0)
    result = world.run()
    assert audited(world) == []
    assert all(step.audit is None for step in result.steps)


@pytest.mark.parametrize("options", [{"locations": ("11",)}, {"date_from": date(2026, 3, 1)}], ids=str)
def test_no_audits_beside_chosen_locations_or_days(world: ModelWorld, options: dict[str, object]) -> None:
    before = world.storage.dialects(), {report: world.storage.location_states(report) for report in REPORTS}
    result = world.run(**options)  # type: ignore[arg-type]
    assert all(step.audit is None for step in result.steps)
    assert before[0] == world.storage.dialects()
    for report in REPORTS:
        for code in CODES:
            assert world.state(report, code).audited_at == before[1][report][code].audited_at


def test_a_dry_run_says_what_audits_would_bring_and_saves_nothing(world: ModelWorld) -> None:
    backdated(world, "11")
    before = {report: world.storage.location_states(report) for report in REPORTS}
    leads = world.numbers(BOOKING)
    result = world.run(dry_run=True)
    assert audit_of(result) == (2, 1, 0)
    assert {report: world.storage.location_states(report) for report in REPORTS} == before
    assert world.numbers(BOOKING) == leads


def test_one_report_by_itself_is_audited_by_itself(world: ModelWorld) -> None:
    result = world.run((BOOKING,))
    assert [step.name for step in result.steps] == [BOOKING]
    assert audit_of(result) == (2, 0, 0)
    assert audited(world, RETURN) == []


# What fails.


def whole(request: ReportRequest) -> bool:
    return request.window.days is None


def failing(of: Callable[[ReportRequest], bool], error: ApiError = OUTAGE) -> Callable[..., ApiError | None]:
    return lambda request: error if of(request) else None


def test_a_failed_audit_is_a_warning_and_not_a_failed_run(world: ModelWorld) -> None:
    world.api.fails = failing(whole)
    result = world.run()
    assert result.ok
    assert {step.status for step in result.steps} == {StepStatus.SUCCESS}
    assert audit_of(result) == (0, 0, 2)
    assert world.recorder.warnings == [
        f"The audit of location 11 and 1 more ({report}) failed: rental.example answered 503. It is repeated."
        for report in REPORTS
    ]


def test_locations_that_always_fail_do_not_keep_the_others_waiting(world: ModelWorld) -> None:
    """Such as the largest shops, whose whole windows take too long."""
    world.api.fails = failing(lambda request: whole(request) and request.location in ("11", "12"))
    row = backdated(world, "14")
    asked: list[str] = []
    for _ in range(3):
        world.run()
        asked += audited(world)
    assert set(asked) == set(CODES)
    assert row["bookingNo"] in world.numbers(BOOKING)
    assert world.state(BOOKING, "11").audited_at is not None
    assert world.state(BOOKING, "11").audited_at != world.state(BOOKING, "11").audit_tried_at


def test_one_that_failed_keeps_its_checkpoint(world: ModelWorld) -> None:
    world.api.fails = failing(whole)
    world.run()
    state = world.state(BOOKING, "11")
    assert (state.watermark, state.audit_tried_at) == (world.now, world.now)
    assert state.audited_at == world.now - timedelta(minutes=5)
    assert state.doubted_since is None


def test_no_audit_of_a_report_whose_key_was_refused(world: ModelWorld) -> None:
    world.api.fails = failing(lambda request: request.report is BOOKING, KeyRefusedError("refused"))
    world.run()
    assert audited(world, BOOKING) == []
    assert len(audited(world, RETURN)) == 2


def test_a_database_that_refuses_an_audit_is_a_warning(world: ModelWorld) -> None:
    backdated(world, "11")
    refusing = FailingStorage(world.storage, 1, lambda: StorageError("no"), among=["store_leads"])
    result = world.run(wrap=lambda storage: refusing)
    assert result.ok
    assert refusing.struck == "store_leads"
    assert audit_of(result) == (1, 0, 1)
    assert "The audit of location 11 (booking) failed: no. It is repeated." in world.recorder.warnings


def test_a_database_that_is_gone_ends_the_run_and_what_was_brought_counts(world: ModelWorld) -> None:
    backdated(world, "11")
    gone = FailingStorage(world.storage, 2, lambda: StorageUnavailableError("gone"), among=["store_leads"])
    with pytest.raises(StorageUnavailableError):
        world.run(wrap=lambda storage: gone)


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
@pytest.mark.parametrize("write", ["store_leads", "save_location_states"])
def test_a_kill_in_an_audit_loses_nothing(world: ModelWorld, write: str, moment: Moment) -> None:
    rows = [backdated(world, code)["bookingNo"] for code in CODES]
    healthy = FailingStorage(world.storage, 0, among=[write])
    world.run(wrap=lambda storage: healthy)
    for at in range(1, len(healthy.calls) + 1):
        killed = FailingStorage(world.storage, at, Killed, moment, among=[write])
        try:
            world.run(wrap=lambda storage, killed=killed: killed)  # type: ignore[misc]
        except Killed:
            assert killed.struck == write
    world.run_a_round()
    assert set(rows) <= world.numbers(BOOKING)
    assert {world.mode(report) for report in REPORTS} == {"dates"}


# Thin and capped answers.


def emptied(world: ModelWorld, code: str) -> list[Row]:
    rows, world.api.books[code] = world.api.books[code], []
    return rows


def test_a_thin_audit_holds_the_checkpoint_and_lets_the_others_have_their_turn(world: ModelWorld) -> None:
    rows = world.api.books["11"]
    days = [row for row in rows if row["bookingDate"] > str(world.today - timedelta(days=10))]

    def shorten(request: ReportRequest) -> None:
        world.api.books["11"] = days if whole(request) and request.location == "11" else rows

    world.api.before = shorten
    result = world.run()
    assert result.ok
    assert any(
        warning.startswith("The audit of location 11 (booking) brought only 6 rows")
        for warning in world.recorder.warnings
    )
    state = world.state(BOOKING, "11")
    assert state.doubted_since == world.now
    assert state.due_again > 50
    world.run()
    assert set(audited(world)) == {"11", "13", "14"}  # 11 by its ordinary call
    doubted_at = state.doubted_since
    assert world.state(BOOKING, "11").doubted_since == doubted_at
    assert world.state(BOOKING, "11").watermark != world.now
    world.run(after=timedelta(days=2))
    world.run()
    assert world.state(BOOKING, "11").doubted_since is None


def test_a_thin_answer_holds_the_checkpoint_for_at_most_two_days(world: ModelWorld) -> None:
    for _ in range(5):
        world.book("11", world.today)
    world.run()
    kept = world.state(BOOKING, "11").watermark
    rows = emptied(world, "11")
    for _ in range(3):
        result = world.run(after=timedelta(hours=15))
        state = world.state(BOOKING, "11")
        assert state.watermark == kept
        assert state.doubted_since is not None
        (location,) = [each for each in result.steps[1].locations if each.location == "11"]
        assert location.warning is not None
    world.run(after=timedelta(hours=4))
    assert world.state(BOOKING, "11").doubted_since is None
    assert {row["bookingNo"] for row in rows} <= world.numbers(BOOKING)  # nothing is ever deleted


def capped(world: ModelWorld, at: int) -> None:
    for code in CODES[:4]:
        for number in range(at + 20):
            world.book(code, world.today - timedelta(days=number % 100))
    for report in REPORTS:
        world.api.dialects[report] = type(world.api.dialects[report])(at_most=at)


@pytest.mark.parametrize(("at", "warns"), [(100, True), (250, True), (117, False), (60, False)])
def test_answers_that_are_cut_hold_the_checkpoint_and_warn(at: int, warns: bool) -> None:
    world = ModelWorld()
    capped(world, at)
    assert world.run((BOOKING,)).ok
    said = [warning for warning in world.recorder.warnings if f"exactly {at} rows" in warning]
    assert bool(said) is warns
    for code in CODES[:4]:
        assert (world.state(BOOKING, code).watermark is None) is warns
        assert len(world.numbers(BOOKING)) >= 4 * at  # more, by the last month's answers
    if warns:
        assert "locations 11, 12, 13, 14" in said[0]
        world.run((BOOKING,), after=timedelta(days=2, hours=1))
        assert world.state(BOOKING, "11").watermark == world.now


@pytest.mark.parametrize(("name", "comes"), [("dates-empty", True), ("all-ignored", False)])
def test_the_last_month_is_asked_for_where_the_newest_rows_may_be_cut_off(name: str, comes: bool) -> None:
    world = ModelWorld(audits=0)
    for code in CODES[:4]:
        for number in range(130):
            world.book(code, world.today - timedelta(days=200 - number))
        world.book(code, world.today)
    world.api.dialects = {report: replace(DIALECTS[name], at_most=100) for report in REPORTS}
    world.run((BOOKING,))
    newest = {row["bookingNo"] for row in (world.api.books[code][-1] for code in CODES[:4])}
    assert (newest <= world.numbers(BOOKING)) is comes
    assert world.state(BOOKING, "11").watermark is None
    assert sum(len(world.api.books[code]) for code in CODES) > len(world.numbers(BOOKING))


def test_two_ids_of_one_shop_are_not_cut_because_they_answer_alike() -> None:
    world = ModelWorld()
    shop = dict.fromkeys(("11", "12", "13"), STORES["11"])
    world.locations = Locations.from_tables(STORES | shop, {"Zorucci": ["Z"]}, {})
    for number in range(200):
        world.book("11", world.today - timedelta(days=number % 100))
    world.api.books["12"] = world.api.books["13"] = world.api.books["11"]
    world.run((BOOKING,))
    assert world.recorder.warnings == []


def test_audits_that_are_cut_warn(world: ModelWorld) -> None:
    capped(world, 100)
    world.run((BOOKING,))
    assert any("exactly 100 rows for locations 11, 12" in warning for warning in world.recorder.warnings)


# Time.


def test_audits_are_the_first_to_be_dropped_at_the_deadline(world: ModelWorld) -> None:
    world.api.seconds = 1.0
    ordinary = 8
    for left in range(5):
        started = world.api.clock
        row = world.book(CODES[left % 4], world.today)
        result = world.run(deadline_s=2 * ordinary + left + 0.5)
        assert result.ok
        assert world.api.clock - started <= 2 * ordinary + left + 0.5
        assert row["bookingNo"] in world.numbers(BOOKING)
        assert sum(request.window.days is not None for request in world.api.asked) >= ordinary


def test_ordinary_calls_come_first(world: ModelWorld) -> None:
    world.run(after=timedelta(days=1))  # is measured as well
    kinds = [
        "measuring" if request.tries == 1 else "audit" if whole(request) else "ordinary"
        for request in world.api.asked
        if request.location != "15"  # dormant since a day: it is asked whole
    ]
    assert kinds == sorted(kinds, key=["ordinary", "audit", "measuring"].index)
    assert set(kinds) == {"ordinary", "audit", "measuring"}


def test_audits_that_the_deadline_left_out_come_in_the_next_run(world: ModelWorld) -> None:
    world.api.seconds = 1.0
    world.run(deadline_s=8.0)
    assert audited(world) == []
    assert world.state(BOOKING, "11").audit_tried_at is None
    assert [warning for warning in world.recorder.warnings if "not asked: the run's time was over" in warning]
    world.run()
    assert audited(world) == ["11", "12"]


def test_an_audit_that_hangs_until_the_deadline_comes_after_the_others(world: ModelWorld) -> None:
    def hang(request: ReportRequest) -> None:
        if whole(request) and request.location == "11":
            world.api.clock += 1000.0

    world.api.before = hang
    started = world.api.clock
    world.run((BOOKING,))
    assert world.api.clock - started <= 240.0
    world.run((BOOKING,))
    assert audited(world) == ["12", "13"]


def test_the_body_that_whole_windows_are_answered_in_is_used(world: ModelWorld) -> None:
    for report in REPORTS:
        known = world.dialect(report)
        world.storage.save_dialect(
            Dialect(report, Mode.DATES, 1, known.form, BodyForm.WITHOUT_EMPTY, known.since, known.measured_at)
        )
    world.run()
    forms = {request.window.form for request in world.api.asked if whole(request)}
    assert forms == {BodyForm.WITHOUT_EMPTY}
