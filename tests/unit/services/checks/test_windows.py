"""What is said of how much a report is asked for: the mode, since when, and on what evidence."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.checks import CheckResult, Finding
from syncctl.domain.dialects import Dialect, Mode, Trial, Verdict
from syncctl.domain.requests import BodyForm
from syncctl.domain.sources import StepName
from syncctl.services.checks.progress import Progress
from syncctl.services.checks.windows import audit_words, check_windows, doubt_words, doubts, window_words

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
INDIA = ZoneInfo("Asia/Kolkata")
FOUND = datetime(2026, 11, 12, 4, 0, tzinfo=UTC)
DAYS, MONTH = "2026-11-18 to 2026-11-28", "1 month"


def trial(location: str, verdict: Verdict = Verdict.AGREES, asked: str = DAYS, found: int = 20) -> Trial:
    error = (
        "the API says that the call failed: Execution Timeout Expired" if verdict is Verdict.FAILED else None
    )
    of_months = "month" in asked
    return Trial(FOUND, location, asked, BodyForm.ALL_KEYS, verdict, 300, 22, found, 0, error, of_months)


def measured(mode: Mode, *trials: Trial, **changes: Any) -> Dialect:
    known = Dialect(StepName.BOOKING, mode, since=FOUND, measured_at=NOW - timedelta(hours=3), trials=trials)
    return known._replace(**changes)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (Dialect(StepName.RETURN), "everything in each run; not measured yet"),
        (
            measured(
                Mode.DATES,
                Trial(FOUND, "7", DAYS, BodyForm.WITHOUT_MONTHS, Verdict.IGNORED, 300, 22, 22, 278),
                *(trial(location, found=21) for location in ("7", "9", "13")),
                *(
                    trial(location, asked="2026-11-01 to 2026-11-17", found=2)
                    for location in ("7", "9", "13")
                ),
            ),
            "by dates since 12 Nov 2026 UTC; 3 of 3 locations agreed (69 rows), measured 3 h ago",
        ),
        (
            measured(Mode.MONTHS, trial("7", Verdict.MISSING), trial("7", asked="2 months"), months=2),
            "the last 2 months since 12 Nov 2026 UTC; 1 of 1 location agreed (20 rows), measured 3 h ago",
        ),
        (
            measured(
                Mode.WHOLE,
                trial("7", Verdict.MISSING, found=2),
                trial("7", Verdict.FAILED),
                trial("7", Verdict.IGNORED, MONTH),
            ),
            "everything in each run since 12 Nov 2026 UTC; dates leave rows out or give no answer (the API "
            "says that the call failed: Execution Timeout Expired), months are ignored, measured 3 h ago",
        ),
        (
            measured(
                Mode.WHOLE,
                trial("7", Verdict.INCONCLUSIVE, "days"),
                trial("7", Verdict.INCONCLUSIVE, "months"),
            ),
            "everything in each run since 12 Nov 2026 UTC; too few rows to try dates, too few rows to try "
            "months, measured 3 h ago",
        ),
        (
            measured(Mode.WHOLE, trial("7", Verdict.MISSING), lost_by="location 7: 2 of 2026-11-10"),
            "everything in each run since 12 Nov 2026 UTC; a narrower one was given up because of location "
            "7: 2 of 2026-11-10",
        ),
        (
            measured(
                Mode.MONTHS,
                trial("7", Verdict.MISSING),
                trial("7", asked=MONTH),
                lost_by="location 7: 2 of 2026-11-10",
            ),
            "the last month since 12 Nov 2026 UTC; 1 of 1 location agreed (20 rows), measured 3 h ago; a "
            "narrower one was given up because of location 7: 2 of 2026-11-10",
        ),
    ],
)
def test_the_mode_since_when_and_on_what_evidence(dialect: Dialect, words: str) -> None:
    assert window_words(dialect, NOW) == words


def test_days_are_those_of_the_readers_zone() -> None:
    evening = Dialect(StepName.BOOKING, Mode.DATES, since=datetime(2026, 11, 12, 20, tzinfo=UTC))
    words = "by dates since 13 Nov 2026 IST"
    assert window_words(
        evening._replace(trials=(trial("7", Verdict.AGREES),)), NOW.astimezone(INDIA)
    ).startswith(words)


def progress(*states: LocationState) -> dict[StepName, Progress]:
    codes = frozenset(state.location for state in states)
    return {
        StepName.BOOKING: Progress(states, 0, codes, synced=True),
        StepName.RETURN: Progress((), 2, frozenset(), synced=True),
    }


def lines(
    *states: LocationState, audits: int = 2, saved: dict[str, int] | None = None, **dialect: Dialect
) -> dict[str, Finding]:
    dialects = {StepName(name): each for name, each in dialect.items()}
    return {
        check.name: check for check in check_windows(dialects, progress(*states), saved or {}, audits, NOW)
    }


def test_a_lost_mode_is_a_warning_and_any_other_is_all_right() -> None:
    lost = measured(Mode.WHOLE, lost_by="location 7: 2 of 2026-11-10")
    found = lines(booking=lost)
    assert list(found) == ["Windows: bookings", "Windows: returns", "Audits"]
    assert [check.result for check in found.values()] == [
        CheckResult.WARNING,
        CheckResult.PASSED,
        CheckResult.PASSED,
    ]
    assert "doctor --evidence" in found["Windows: bookings"].hint


def test_audits_say_how_long_a_round_takes_and_what_they_brought() -> None:
    early, late = (
        LocationState(code, NOW, audited_at=NOW - timedelta(minutes=minutes))
        for code, minutes in (("7", 95), ("9", 5))
    )
    assert lines(early, late)["Audits"].message == (
        "2 locations in each run; each was asked for everything within the last 95 min; "
        "they found nothing new lately"
    )
    found = lines(early, LocationState("9", NOW), saved={"booking": 1, "return": 2}, audits=1)["Audits"]
    assert found.result is CheckResult.PASSED
    assert found.message == (
        "1 location in each run; each was asked for everything within the last 95 min, 1 not yet; "
        "only audits found 3 leads in the last 7 days (bookings 1, returns 2)"
    )
    assert "no location has been asked for everything yet" in lines()["Audits"].message
    assert audit_words({}) == ""


def test_without_audits_nothing_proves_the_narrower_windows() -> None:
    found = lines(LocationState("7", NOW), audits=0, saved={"return": 1})["Audits"]
    assert found.result is CheckResult.WARNING
    assert "API_AUDIT_LOCATIONS=0" in found.message
    assert "only one measurement a day, at three locations, still checks" in found.message
    assert "only audits found 1 lead in the last 7 days" in found.message
    assert "API_AUDIT_LOCATIONS=2" in found.hint


def test_locations_in_doubt_are_named_and_since_when() -> None:
    sure = LocationState("1", NOW)
    some = [
        LocationState(str(code), NOW, doubted_since=NOW - timedelta(minutes=7 if code < 18 else 99))
        for code in range(7, 19)
    ]
    found = lines(sure, some[0])["In doubt: bookings"]
    assert found.result is CheckResult.WARNING
    assert found.message.startswith(
        "too few rows, or answers cut off at one length, from location 7 for 7 min; the rows that came are"
    )
    assert "`syncctl booking --location 7 -v`" in found.hint
    of_all = doubts(progress(sure, *some))
    assert len(of_all) == 12
    words = doubt_words(of_all, StepName.BOOKING, NOW)
    assert words.endswith(", 15, 16 and 1 more for 7 min; location 18 for 99 min")
    assert doubt_words(of_all, StepName.RETURN, NOW) == ""
    assert "In doubt: bookings" not in lines(sure)
