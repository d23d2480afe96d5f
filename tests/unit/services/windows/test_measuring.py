"""How each report answers is found out by asking for less, and only what is proven is relied on."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect, Mode, Verdict
from syncctl.domain.requests import BodyForm, ReportRequest
from syncctl.domain.sources import StepName
from syncctl.errors import FinalApiError, RetryableApiError, StorageError, StorageUnavailableError
from syncctl.sandbox import DIALECTS as OF_THE_SANDBOX
from tests.support.api_model import DIALECTS, api_dialect
from tests.support.failing_storage import FailingStorage, Killed, Moment
from tests.support.model_world import CODES, REPORTS, TODAY, ModelWorld

BOOKING, RETURN = REPORTS
A_DAY = timedelta(days=1)
OUTAGE = RetryableApiError("rental.example answered 503")

FOUND = {
    "own-date": ("dates", "dates"),
    "booking-date": ("dates", "3 months"),
    "delivery-date": ("1 months", "3 months"),
    "expected-return-date": ("1 months", "3 months"),
    "dates-empty": ("1 months", "1 months"),
    "dates-error": ("1 months", "1 months"),
    "dates-ignored": ("1 months", "1 months"),
    "all-ignored": ("whole", "whole"),
    "dates-without-months": ("dates", "dates"),
    "dates-with-months": ("dates", "dates"),
    "dates-without-empty-strings": ("dates", "dates"),
    "first-day-excluded": ("dates", "dates"),
    "last-day-excluded": ("dates", "dates"),
    "utc-days": ("dates", "dates"),
}
"""What is to be found of each dialect in the books of `ModelWorld.fill`, in which garments are away for up to
two months."""


def speak(world: ModelWorld, name: str, *reports: StepName) -> None:
    for report in reports or REPORTS:
        world.api.dialects[report] = DIALECTS[name]


@pytest.fixture
def world() -> ModelWorld:
    world = ModelWorld()
    world.fill()
    return world


@pytest.mark.parametrize("name", FOUND)
def test_the_narrowest_mode_that_holds_everything_is_found_in_the_first_run(
    world: ModelWorld, name: str
) -> None:
    speak(world, name)
    assert world.run().ok
    assert tuple(map(world.mode, REPORTS)) == FOUND[name]
    assert world.recorder.warnings == []
    for report in REPORTS:
        known = world.dialect(report)
        assert known.measured_at == known.since == world.now
        assert known.trials
        assert known.lost_by is None


def test_each_dialect_of_the_sandbox_is_among_these() -> None:
    assert set(OF_THE_SANDBOX) <= set(FOUND)


def test_each_report_is_measured_by_itself(world: ModelWorld) -> None:
    speak(world, "dates-empty", RETURN)
    world.run()
    assert tuple(map(world.mode, REPORTS)) == ("dates", "1 months")


def test_a_proven_window_is_asked_from_the_next_run_on(world: ModelWorld) -> None:
    world.run()
    assert not any(world.asked(BOOKING)[number].window.days for number in range(len(CODES)))
    world.run()
    assert world.calls() == {
        "booking: days": 4,
        "return: days": 4,
        "booking: 12 months": 2,
        "return: 12 months": 2,
    }


def test_the_evidence_is_kept(world: ModelWorld) -> None:
    speak(world, "dates-without-months", BOOKING)
    world.run()
    trials = world.dialect(BOOKING).trials
    assert [(trial.form, trial.verdict) for trial in trials] == [
        (BodyForm.ALL_KEYS, Verdict.IGNORED),
        *[(BodyForm.WITHOUT_MONTHS, Verdict.AGREES)] * 6,
    ]
    first = trials[1]
    assert first.asked == f"{TODAY - timedelta(days=9)} to {TODAY + A_DAY}"
    assert (first.whole, first.inside, first.found, first.outside) == (60, 5, 5, 0)
    assert trials[4].asked == f"{TODAY - timedelta(days=27)} to {TODAY - timedelta(days=9)}"
    assert len({trial.location for trial in trials[1:]}) == 3
    asked = f"location {trials[0].location}, asked for 2026-03-02 to 2026-03-12"
    assert trials[0].summary == f"{asked}, gave {trials[0].outside} rows of other days"


def test_measuring_asks_each_question_once_and_only_when_due(world: ModelWorld) -> None:
    world.api.fails = lambda request: OUTAGE if request.window.days else None
    world.run()
    assert all(request.tries == 1 for request in world.api.asked if request.window.days)
    world.api.fails = lambda request: None
    for after, is_due in (
        (timedelta(minutes=5), False),
        (A_DAY - timedelta(minutes=6), False),
        (A_DAY, True),
    ):
        world.run(after=after)
        assert any(request.tries == 1 for request in world.api.asked) is is_due
    assert world.dialect(BOOKING).measured_at == world.now


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=4000)])
def test_a_measurement_that_a_wrong_clock_dated_in_the_future_is_made_again(
    world: ModelWorld, ahead: timedelta
) -> None:
    world.storage.save_dialect(Dialect(BOOKING, measured_at=world.now + timedelta(minutes=5) + ahead))
    world.run()
    assert world.dialect(BOOKING).measured_at == world.now
    assert world.mode(BOOKING) == "dates"


def test_a_clock_that_is_a_month_ahead_loses_the_mode_only_until_it_is_right_again(world: ModelWorld) -> None:
    world.run()
    right = world.now
    world.now += timedelta(days=31)
    world.run()
    assert world.mode(BOOKING) == "whole"
    assert world.dialect(BOOKING).lost_by == "too few recent rows to prove it"
    world.now = right
    world.run()
    assert world.mode(BOOKING) == "dates"
    assert world.dialect(BOOKING).lost_by is None


# What is too little to go by.


def test_nothing_is_earned_by_fewer_than_twenty_rows() -> None:
    for count, found in ((19, "whole"), (20, "dates")):
        world = ModelWorld()
        for number in range(count):
            world.book(CODES[number % 3], world.today - timedelta(days=(4, 14)[number // 3 % 2]))
        world.run()
        assert world.mode(BOOKING) == found
        verdicts = {trial.verdict for trial in world.dialect(BOOKING).trials}
        assert verdicts == {Verdict.INCONCLUSIVE if found == "whole" else Verdict.AGREES}


def test_without_rows_of_other_days_it_can_not_be_told_whether_days_count() -> None:
    world = ModelWorld()
    for number in range(60):
        world.book(CODES[number % 3], world.today - timedelta(days=number % 8))
    world.run()
    assert world.mode(BOOKING) == "whole"
    assert {trial.verdict for trial in world.dialect(BOOKING).trials} == {Verdict.INCONCLUSIVE}


def test_one_location_is_enough_only_where_no_other_has_anything() -> None:
    world = ModelWorld()
    for number in range(60):
        world.book("11", world.today - timedelta(days=number // 2))
    world.run()
    assert world.mode(BOOKING) == "dates"


def test_a_run_in_which_fewer_than_three_of_the_locations_answer_measures_nothing(world: ModelWorld) -> None:
    world.run(measures=False)
    world.api.fails = lambda request: OUTAGE if request.location in CODES[:2] else None
    world.run()
    assert world.dialect(BOOKING).measured_at is None
    world.api.fails = lambda request: None
    world.run()
    assert world.mode(BOOKING) == "dates"


def test_the_locations_with_the_most_rows_are_those_measured(world: ModelWorld) -> None:
    for number in range(90):
        world.book(CODES[1 + number % 3], world.today - timedelta(days=100 + number))
    world.run()
    assert {trial.location for trial in world.dialect(BOOKING).trials} == {"12", "13", "14"}


def test_one_location_that_disagrees_is_enough(world: ModelWorld) -> None:
    """Even where it has no rows in the window."""
    ignored = DIALECTS["all-ignored"]
    honoured = world.api.rows
    for number in range(70):
        world.book("15", world.today - timedelta(days=40 + number))

    def rows(request: ReportRequest) -> object:
        world.api.dialects[BOOKING] = ignored if request.location == "15" else DIALECTS["own-date"]
        return honoured(request)

    world.api.rows = rows  # type: ignore[method-assign, assignment]
    world.run()
    assert world.mode(BOOKING) == "whole"
    assert world.dialect(BOOKING).trials[-1].location != ""
    assert {
        trial.location for trial in world.dialect(BOOKING).trials if trial.verdict is Verdict.IGNORED
    } == {"15"}


def test_records_without_a_booking_number_are_compared_under_their_own_store() -> None:
    world = ModelWorld()
    world.fill()
    for rows in world.api.books.values():
        for row in rows[::2]:
            row["bookingNo"] = ""
    world.run()
    assert tuple(map(world.mode, REPORTS)) == ("dates", "dates")


# What is asked and saved, and what not.


@pytest.mark.parametrize(
    "options",
    [
        {"locations": ("11",)},
        {"date_from": TODAY - timedelta(days=30)},
        {"dry_run": True},
        {"measures": False},
    ],
    ids=str,
)
def test_only_ordinary_runs_measure(world: ModelWorld, options: dict[str, object]) -> None:
    world.run(**options)  # type: ignore[arg-type]
    assert world.storage.dialects() == {}
    assert not any(request.tries == 1 for request in world.api.asked)


def test_a_full_run_measures_as_well(world: ModelWorld) -> None:
    world.run(full=True)
    assert world.mode(BOOKING) == "dates"


def test_what_others_keep_of_the_report_meanwhile_stays(world: ModelWorld) -> None:
    """Measuring decides on fields of its own only."""
    world.storage.save_dialect(Dialect(BOOKING, whole_form=BodyForm.ALL_KEYS))
    world.run()
    assert world.dialect(BOOKING).whole_form is BodyForm.ALL_KEYS


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_a_kill_where_it_is_saved_costs_at_most_the_measurement(world: ModelWorld, moment: Moment) -> None:
    killed = FailingStorage(world.storage, 1, Killed, moment, among=["save_dialect"])
    with pytest.raises(Killed):
        world.run(wrap=lambda storage: killed)
    assert killed.struck == "save_dialect"
    world.run()
    assert tuple(map(world.mode, REPORTS)) == ("dates", "dates")
    assert world.numbers(BOOKING) == {row["bookingNo"] for rows in world.api.books.values() for row in rows}


def test_a_database_that_refuses_it_is_a_warning(world: ModelWorld) -> None:
    refusing = FailingStorage(world.storage, 1, lambda: StorageError("no"), among=["save_dialect"])
    assert world.run(wrap=lambda storage: refusing).ok
    (warning,) = world.recorder.warnings
    assert warning == (
        "What was learned about the booking report could not be noted; the next run learns it again: no"
    )
    assert tuple(map(world.mode, REPORTS)) == ("whole", "dates")


def test_a_database_that_is_gone_ends_the_run(world: ModelWorld) -> None:
    gone = FailingStorage(world.storage, 1, lambda: StorageUnavailableError("gone"), among=["save_dialect"])
    with pytest.raises(StorageUnavailableError):
        world.run(wrap=lambda storage: gone)


# Proven again each day.


def test_it_is_proven_again_each_day_by_the_three_locations_with_the_most_rows(world: ModelWorld) -> None:
    world.run()
    since = world.dialect(BOOKING).since
    world.run(after=A_DAY)
    assert world.calls()["booking: 12 months"] in (3, 4, 5)
    assert world.dialect(BOOKING).since == since
    assert world.dialect(BOOKING).measured_at == world.now


def test_the_form_in_use_is_tried_first(world: ModelWorld) -> None:
    speak(world, "dates-without-empty-strings")
    world.run()
    assert world.dialect(BOOKING).form is BodyForm.WITHOUT_EMPTY
    world.run(after=A_DAY)
    assert {trial.form for trial in world.dialect(BOOKING).trials} == {BodyForm.WITHOUT_EMPTY}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("own-date", "dates-ignored", ("1 months", "1 months")),
        ("own-date", "all-ignored", ("whole", "whole")),
        ("own-date", "dates-error", ("1 months", "1 months")),
        ("own-date", "utc-days", ("dates", "dates")),
        ("dates-with-months", "dates-without-months", ("dates", "dates")),
        ("dates-ignored", "own-date", ("dates", "dates")),
        ("all-ignored", "own-date", ("dates", "dates")),
    ],
)
def test_another_dialect_is_found_at_the_next_measuring(
    before: str, after: str, found: tuple[str, str]
) -> None:
    world = ModelWorld(audits=0)
    world.fill()
    speak(world, before)
    world.run()
    speak(world, after)
    world.run(after=A_DAY)
    assert tuple(map(world.mode, REPORTS)) == found


@pytest.mark.parametrize("after", ["booking-date", "dates-empty"])
def test_where_rows_are_missing_it_is_whole_for_a_day(after: str) -> None:
    world = ModelWorld(audits=0)
    world.fill()
    world.run()
    speak(world, after, RETURN)
    world.run(after=A_DAY)
    assert tuple(map(world.mode, REPORTS)) == ("dates", "whole")
    world.run(after=A_DAY)
    assert world.mode(RETURN) == FOUND[after][1]


def test_a_mode_that_is_lost_is_a_warning_that_says_by_what(world: ModelWorld) -> None:
    world.schedule = world.schedule._replace(audits=0)
    world.run()
    speak(world, "all-ignored", BOOKING)
    world.run(after=A_DAY)
    (warning,) = world.recorder.warnings
    known = world.dialect(BOOKING)
    assert known.lost_by is not None
    assert known.lost_by.endswith("rows of other days")
    assert warning == (
        "The booking report can no longer be asked for as little as before "
        f"({known.lost_by}): from the next run on it is asked for everything."
    )


def test_too_few_rows_to_prove_it_again_mean_whole(world: ModelWorld) -> None:
    world.run()
    world.run(after=timedelta(days=17))
    assert world.mode(BOOKING) == "whole"
    assert world.dialect(BOOKING).lost_by == "too few recent rows to prove it"


# Contradictions between measurements.


def unlike(world: ModelWorld) -> None:
    """From now on returns are given by the date of their booking."""
    speak(world, "booking-date", RETURN)


def test_the_first_contradiction_of_an_audit_loses_the_mode(world: ModelWorld) -> None:
    world.run()
    unlike(world)
    world.run()
    known = world.dialect(RETURN)
    assert known.mode is Mode.WHOLE
    assert known.since == known.measured_at == world.now
    (trial,) = known.trials
    assert trial.verdict is Verdict.MISSING
    assert known.lost_by == trial.summary
    assert [warning for warning in world.recorder.warnings if trial.summary in warning]
    assert world.mode(BOOKING) == "dates"
    world.run()
    assert world.calls()["return: days"] == 0


def test_a_lost_mode_is_earned_again_a_day_later(world: ModelWorld) -> None:
    world.run()
    unlike(world)
    world.run()
    speak(world, "own-date")
    for _ in range(3):
        world.run()
        assert world.mode(RETURN) == "whole"
    world.run(after=A_DAY)
    assert world.mode(RETURN) == "dates"
    assert world.dialect(RETURN).lost_by is None
    assert world.dialect(RETURN).since == world.now


def test_what_is_entered_between_the_two_answers_is_no_contradiction(world: ModelWorld) -> None:
    world.run()
    entered: list[str] = []

    def enter(request: ReportRequest) -> None:
        if request.report is BOOKING and not request.window.days:
            entered.append(world.book(request.location, world.today)["bookingNo"])

    world.api.before = enter
    world.run()
    assert len(entered) == 2
    assert world.mode(BOOKING) == "dates"
    assert set(entered) <= world.numbers(BOOKING)
    assert [request.tries for request in world.asked(BOOKING) if request.window.days][-1] == 1


def test_late_and_backdated_rows_are_no_contradiction(world: ModelWorld) -> None:
    world.run()
    late = [
        world.book(code, world.today - timedelta(days=ago))["bookingNo"]
        for code in CODES
        for ago in (2, 9, 30)
    ]
    world.run_a_round()
    assert world.mode(BOOKING) == "dates"
    assert set(late) <= world.numbers(BOOKING)


def test_a_contradiction_that_can_not_be_confirmed_waits(world: ModelWorld) -> None:
    world.run()
    unlike(world)
    world.api.fails = lambda request: OUTAGE if request.tries == 1 else None
    world.run()
    assert world.mode(RETURN) == "dates"
    world.api.fails = lambda request: None
    world.run()  # thin as its answer was, it is asked for everything
    world.run()
    assert world.mode(RETURN) == "whole"


# Answers that fail.


def test_an_outage_at_the_question_in_use_is_no_contradiction(world: ModelWorld) -> None:
    world.run()
    known = world.dialect(BOOKING)
    world.api.fails = lambda request: OUTAGE if request.tries == 1 else None
    world.run(after=A_DAY)
    assert world.dialect(BOOKING) == known
    world.api.fails = lambda request: None
    world.run()
    assert world.dialect(BOOKING).measured_at == world.now


def test_a_refusal_of_the_question_in_use_loses_it(world: ModelWorld) -> None:
    world.run()
    refused = FinalApiError("rental.example answered 422", is_refusal=True)
    world.api.fails = lambda request: refused if request.tries == 1 and request.window.days else None
    world.run(after=A_DAY)
    assert world.mode(BOOKING) == "1 months"
    lost_by = world.dialect(BOOKING).lost_by
    assert lost_by is not None
    assert lost_by.endswith(": rental.example answered 422")


def test_days_that_fail_leave_months_to_be_measured(world: ModelWorld) -> None:
    world.api.fails = lambda request: OUTAGE if request.window.days else None
    world.run()
    assert world.mode(BOOKING) == "1 months"
    assert {trial.verdict for trial in world.dialect(BOOKING).trials} == {Verdict.FAILED, Verdict.AGREES}


@pytest.mark.parametrize("refused", [True, False])
def test_a_narrower_window_that_no_location_is_answered_is_lost_at_once(
    world: ModelWorld, refused: bool
) -> None:
    world.run()
    error = RetryableApiError("Object reference not set", is_refusal=refused)
    world.api.fails = lambda request: error if request.window.days and request.report is BOOKING else None
    result = world.run()
    assert not result.ok
    assert tuple(map(world.mode, REPORTS)) == ("whole", "dates")
    assert world.dialect(BOOKING).lost_by == "no location was answered: Object reference not set"
    assert world.run().ok


def test_a_window_that_leaves_most_rows_out_is_lost_at_once(world: ModelWorld) -> None:
    """One of the locations whose answers are thin is asked for everything in the same run."""
    for number in range(10):
        world.book("14", world.today - timedelta(days=number % 3))
    world.run()
    assert world.state(BOOKING, "14").recent >= 10
    world.schedule = world.schedule._replace(audits=0)
    speak(world, "dates-empty", BOOKING)
    world.run()
    assert world.mode(BOOKING) == "whole"
    assert world.calls()["booking: 12 months"] == 1


def test_where_nothing_is_answered_any_more_another_body_is_found_for_everything(world: ModelWorld) -> None:
    world.run()
    speak(world, "empty-strings-error")
    world.run()
    assert tuple(map(world.mode, REPORTS)) == ("whole", "whole")
    assert [world.dialect(report).whole_form for report in REPORTS] == [
        BodyForm.USUAL,
        BodyForm.WITHOUT_EMPTY,
    ]
    assert world.run().ok


def test_an_outage_of_everything_loses_nothing(world: ModelWorld) -> None:
    world.run()
    known = world.storage.dialects()
    world.api.fails = lambda request: OUTAGE
    world.run()
    assert world.storage.dialects() == known
    assert max(request.tries or 6 for request in world.api.asked if not request.window.days) == 1


def test_an_outage_that_ends_before_the_run_loses_nothing(world: ModelWorld) -> None:
    world.run()
    known = world.storage.dialects()
    world.api.fails = lambda request: OUTAGE if request.tries is None else None
    world.run()
    assert world.storage.dialects() == known


# Bodies.


def test_where_the_whole_body_is_refused_another_one_is_found_and_used(world: ModelWorld) -> None:
    speak(world, "empty-strings-error", RETURN)
    assert not world.run().ok
    known = world.dialect(RETURN)
    assert (known.mode, known.whole_form, known.measured_at) == (Mode.WHOLE, BodyForm.WITHOUT_EMPTY, None)
    assert "answers another one (without empty keys)" in world.recorder.warnings[0]
    assert world.run().ok
    assert {request.window.form for request in world.asked(RETURN) if not request.window.days} == {
        BodyForm.WITHOUT_EMPTY
    }
    assert world.mode(RETURN) == "dates"
    assert world.dialect(RETURN).form is BodyForm.WITHOUT_EMPTY
    world.run()
    audited = [request for request in world.asked(RETURN) if not request.window.days]
    assert len(audited) == 2
    assert {request.window.form for request in audited} == {BodyForm.WITHOUT_EMPTY}
    returned = {row["bookingNo"] for rows in world.api.books.values() for row in rows if row["returnDate"]}
    assert world.numbers(RETURN) == returned


def test_where_only_the_whole_body_is_refused_another_one_is_found_by_the_audits(world: ModelWorld) -> None:
    speak(world, "dates-without-empty-strings", RETURN)
    world.run()
    assert (world.mode(RETURN), world.dialect(RETURN).whole_form) == ("dates", BodyForm.USUAL)
    speak(world, "empty-strings-error", RETURN)
    assert world.run().ok
    assert (world.mode(RETURN), world.dialect(RETURN).whole_form) == ("dates", BodyForm.WITHOUT_EMPTY)
    assert "answers another one (without empty keys)" in world.recorder.warnings[-1]
    result = world.run()
    audits = [step.audit for step in result.steps if step.name is RETURN and step.audit]
    assert [(audit.locations, audit.failed) for audit in audits] == [(2, {})]


def test_months_are_asked_in_the_body_that_whole_windows_are(world: ModelWorld) -> None:
    for report in REPORTS:
        world.api.dialects[report] = api_dialect("dates-error", takes_empty_strings=False)
    world.run()
    world.run()
    assert world.mode(RETURN) == "1 months"
    world.run()
    assert {request.window.form for request in world.asked(RETURN)} == {BodyForm.WITHOUT_EMPTY}


def test_the_usual_body_is_found_again_where_another_one_is_refused(world: ModelWorld) -> None:
    world.storage.save_dialect(Dialect(RETURN, whole_form=BodyForm.WITHOUT_EMPTY))
    refused = FinalApiError("rental.example answered 400", is_refusal=True)
    world.api.fails = lambda request: refused if request.window.form is BodyForm.WITHOUT_EMPTY else None
    world.run(RETURN_ONLY)
    assert world.dialect(RETURN).whole_form is BodyForm.USUAL


RETURN_ONLY = (StepName.RETURN,)


def test_one_location_is_tried_and_it_is_the_one_with_the_most_rows(world: ModelWorld) -> None:
    world.run(measures=False)
    refused = FinalApiError("rental.example answered 400", is_refusal=True)
    world.api.fails = lambda request: refused
    world.run(RETURN_ONLY)
    tried = world.asked(RETURN)[-4:]
    assert {request.location for request in tried} == {"11"}
    assert [request.window.form for request in tried] == [
        BodyForm.USUAL,
        BodyForm.ALL_KEYS,
        BodyForm.WITHOUT_EMPTY,
        BodyForm.WITHOUT_MONTHS,
    ]
    assert world.dialect(RETURN).whole_form is BodyForm.USUAL


def test_where_nothing_is_known_another_location_is_tried_in_each_run(world: ModelWorld) -> None:
    refused = FinalApiError("rental.example answered 400", is_refusal=True)
    world.api.fails = lambda request: refused
    tried = set()
    for _ in range(8 * len(CODES)):
        world.run(RETURN_ONLY)
        tried |= {request.location for request in world.asked(RETURN) if request.tries == 1}
    assert tried == set(CODES)


@pytest.mark.parametrize(
    "fails",
    [
        lambda request: OUTAGE if request.window.form is BodyForm.USUAL else None,  # it may come back
        lambda request: (
            FinalApiError("no", is_refusal=True)
            if request.location in CODES[:4] and request.window.form is BodyForm.USUAL
            else None
        ),
    ],
    ids=["an outage", "one location is answered"],
)
def test_no_other_body_is_looked_for(
    world: ModelWorld, fails: Callable[[ReportRequest], Exception | None]
) -> None:
    world.api.fails = fails  # type: ignore[assignment]
    world.run(RETURN_ONLY)
    assert {request.window.form for request in world.api.asked} == {BodyForm.USUAL}


def test_a_body_that_brings_too_little_is_not_taken(world: ModelWorld) -> None:
    world.run(measures=False)
    refused = FinalApiError("rental.example answered 400", is_refusal=True)
    others = world.api.rows

    def rows(request: ReportRequest) -> object:
        return (
            others(request) if request.window.form is BodyForm.WITHOUT_EMPTY else (others(request) or [])[:3]
        )

    world.api.rows = rows  # type: ignore[method-assign, assignment]
    world.api.fails = lambda request: refused if request.window.form is BodyForm.USUAL else None
    world.run(RETURN_ONLY)
    assert world.dialect(RETURN).whole_form is BodyForm.WITHOUT_EMPTY


# Time.


def test_a_measurement_that_the_deadline_breaks_off_is_made_in_the_next_run(world: ModelWorld) -> None:
    world.api.seconds = 1.0
    calls = 2 * len(CODES)
    for enough_for in (calls, calls + 1, calls + 4):
        started = world.api.clock
        world.run(deadline_s=enough_for + 0.5)
        assert world.api.clock - started <= enough_for + 0.5
        assert world.storage.dialects() == {}
    world.run()
    assert tuple(map(world.mode, REPORTS)) == ("dates", "dates")


def test_an_api_that_hangs_at_narrower_questions_is_asked_again_a_day_later(world: ModelWorld) -> None:
    hangs = RetryableApiError("no answer within 30 s")

    def fails(request: ReportRequest) -> RetryableApiError | None:
        if request.tries == 1:
            world.api.clock += 30.0
            return hangs
        return None

    world.api.fails = fails
    started = world.api.clock
    world.run((StepName.BOOKING,))
    assert world.api.clock - started <= 90.0
    known = world.dialect(BOOKING)
    assert (known.mode, known.measured_at) == (Mode.WHOLE, world.now)
    world.run((StepName.BOOKING,))
    assert not any(request.tries == 1 for request in world.api.asked)


def test_a_state_without_a_watermark_or_rows_wants_no_measurement() -> None:
    world = ModelWorld()
    world.storage.save_dialect(Dialect(BOOKING, Mode.DATES, form=BodyForm.ALL_KEYS))
    world.storage.save_location_states(BOOKING, [LocationState("11")])
    assert world.run().ok
    assert world.mode(BOOKING) == "dates"
