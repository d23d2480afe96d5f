"""The same question in every dialect that the real API may speak."""

from datetime import date, datetime, time, timedelta

import pytest

from syncctl.sandbox import DIALECTS, TRAITS, Sandbox
from tests.unit.sandbox.books import ALL, DAYS, DELIVERED, ERROR, EXPECTED, MONTH, NEW, books, numbers_in
from tests.unit.sandbox.client import REPORTS, RETURN_BODY, ask, report
from tests.unit.sandbox.conftest import TODAY

FIRST_DAY = TODAY - timedelta(days=7)
FEW_DAYS = {"dateFrom": str(FIRST_DAY), "dateTo": str(TODAY)}
ALL_KEYS = {**RETURN_BODY, **FEW_DAYS, "months": "1"}
NO_EMPTY_STRINGS = {"locationID": "7", **FEW_DAYS, "months": "1"}
NO_MONTHS = {"locationID": "7", **FEW_DAYS}


def numbered(sandbox: Sandbox, moments: dict[str, datetime]) -> Sandbox:
    """Adds a booking of each number, made at that moment."""
    for number, moment in moments.items():
        made_up = sandbox.add_bookings(1)[0]["bookingNo"]
        sandbox.change_booking(made_up, bookingNo=number, bookingDate=moment)
    return sandbox


@pytest.mark.parametrize("api", ["booking", "return"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_whole_window_has_everything(dialect: str, api: str) -> None:
    with books(dialect) as sandbox:
        assert numbers_in(report(sandbox, api).document) == ALL


@pytest.mark.parametrize(
    ("dialect", "all_keys", "no_empty_strings", "no_months"),
    [
        ("own-date", DAYS, DAYS, DAYS),
        ("booking-date", {NEW}, {NEW}, {NEW}),
        ("delivery-date", {DELIVERED}, {DELIVERED}, {DELIVERED}),
        ("expected-return-date", {EXPECTED}, {EXPECTED}, {EXPECTED}),
        ("dates-empty", set(), set(), set()),
        ("dates-error", ERROR, ERROR, ERROR),
        ("dates-ignored", MONTH, MONTH, ALL),
        ("all-ignored", ALL, ALL, ALL),
        ("dates-without-months", MONTH, MONTH, DAYS),
        ("dates-with-months", DAYS, DAYS, ALL),
        ("dates-without-empty-strings", MONTH, DAYS, DAYS),
    ],
)
def test_the_returns_of_a_few_days(
    dialect: str, all_keys: object, no_empty_strings: object, no_months: object
) -> None:
    with books(dialect) as sandbox:
        answers = [
            numbers_in(ask(sandbox, "POST", REPORTS["return"], body).document)
            for body in (ALL_KEYS, NO_EMPTY_STRINGS, NO_MONTHS)
        ]
    assert answers == [all_keys, no_empty_strings, no_months]


@pytest.mark.parametrize(
    ("dialect", "found"),
    [
        ("own-date", {"first", "middle", "last"}),
        ("first-day-excluded", {"middle", "last"}),
        ("last-day-excluded", {"first", "middle"}),
        ("first-day-excluded+last-day-excluded", {"middle"}),
        ("booking-date+last-day-excluded", {"first", "middle"}),
    ],
)
def test_the_days_at_the_ends_of_a_window_may_not_belong_to_it(dialect: str, found: set[str]) -> None:
    days = {"before": -8, "first": -7, "middle": -3, "last": 0, "after": 1}
    moments = {
        number: datetime.combine(TODAY, time(11)) + timedelta(days=day) for number, day in days.items()
    }
    with numbered(Sandbox(locations=1, bookings=0, today=TODAY, dialect=dialect), moments) as sandbox:
        assert numbers_in(report(sandbox, "booking", window=(FIRST_DAY, TODAY)).document) == found
        assert numbers_in(report(sandbox, "booking").document) == set(days)


def test_the_first_and_the_last_day_that_there_are_can_be_asked_for() -> None:
    with books("first-day-excluded+last-day-excluded") as sandbox:
        assert numbers_in(report(sandbox, "return", window=(date.min, date.max)).document) == ALL
        assert numbers_in(report(sandbox, "return", window=(date.max, date.max)).document) == set()
        assert numbers_in(report(sandbox, "return", window=(date.min, date.min)).document) == set()


@pytest.mark.parametrize(
    ("dialect", "found"),
    [("own-date", {"early", "late"}), ("utc-days", {"late", "next"}), ("all-ignored+utc-days", ALL)],
)
def test_days_may_be_those_of_utc(dialect: str, found: set[str]) -> None:
    """Half past five in the morning in India is midnight in UTC."""
    day = date(2025, 3, 10)
    moments = {
        "early": datetime.combine(day, time(5, 29, 59)),
        "late": datetime.combine(day, time(5, 30)),
        "next": datetime.combine(day + timedelta(days=1), time(5, 29, 59)),
        "after": datetime.combine(day + timedelta(days=1), time(5, 30)),
    }
    with numbered(Sandbox(locations=1, bookings=0, today=TODAY, dialect=dialect), moments) as sandbox:
        answer = numbers_in(report(sandbox, "booking", window=(day, day)).document)
    assert answer == (set(moments) if found == ALL else found)


@pytest.mark.parametrize(
    "written", ["0001-01-01T00:00:00", "/Date(1738400367000)/", "2025-03-11T00:30:00+05:30", None]
)
def test_dates_of_any_form_are_no_trouble_in_utc(written: str | None) -> None:
    with Sandbox(locations=1, bookings=0, today=TODAY, dialect="utc-days") as sandbox:
        number = sandbox.add_bookings(1)[0]["bookingNo"]
        sandbox.change_booking(number, bookingDate=written)
        day = date(2025, 3, 10)
        found = numbers_in(report(sandbox, "booking", window=(day, day)).document)
    assert found == ({number} if written and written.startswith("2025") else set())


def test_an_answer_may_be_cut() -> None:
    with Sandbox(locations=2, bookings=50, today=TODAY, dialect="all-ignored+capped-30") as sandbox:
        first, second = sandbox.locations
        assert report(sandbox, "booking", first).rows == sandbox.rows("booking", first)[:30]
        assert report(sandbox, "return", second).rows == sandbox.rows("return", second)[:30]
        few = (TODAY - timedelta(days=30), TODAY)
        assert len(report(sandbox, "booking", window=few).rows) == 30
        sandbox.set_dialect("capped-30")
        assert len(report(sandbox, "booking", window=few).rows) < 30
        sandbox.set_dialect("id-ignored+capped-30")
        assert len(report(sandbox, "booking").rows) == 30


@pytest.mark.parametrize("named", [*DIALECTS, *TRAITS, "capped-100", "capped-1"])
def test_a_dialect_is_changed_in_mid_life_for_one_report_or_both(named: str) -> None:
    """Whatever is asked: in the other report, nothing changes."""
    with books() as sandbox:
        before = report(sandbox, "booking").body
        sandbox.set_dialect(f"{named}@return")
        assert report(sandbox, "booking").body == before
        sandbox.set_dialect("own-date")
        assert numbers_in(report(sandbox, "return").document) == ALL


def test_each_report_has_its_own_dialect() -> None:
    with books("dates-error@return") as sandbox:

        def answers() -> list[set[str] | str]:
            return [
                numbers_in(ask(sandbox, "POST", REPORTS[api], NO_EMPTY_STRINGS).document) for api in REPORTS
            ]

        assert answers() == [{NEW}, ERROR]
        sandbox.set_dialect("delivery-date@booking")
        assert answers() == [{DELIVERED}, ERROR]
        sandbox.set_dialect("own-date@return", "dates-empty")
        assert answers() == [set(), DAYS]
        sandbox.set_dialect("all-ignored")
        assert answers() == [ALL, ALL]
        with pytest.raises(ValueError, match="Unknown"):
            sandbox.set_dialect("own-date@booking", "klingon@return")
        assert answers() == [ALL, ALL]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (["klingon"], r"Unknown dialect 'klingon'\. Known: own-date, booking-date.*utc-days.*capped-N"),
        (["own-date+klingon@booking"], "Unknown dialect 'klingon'"),
        ([""], "Unknown dialect ''"),
        (["capped-0"], "Unknown dialect 'capped-0'"),
        (["capped-" + "9" * 5000], "Unknown dialect 'capped-9"),
        (["own-date@stores"], r"'own-date@stores'.*booking or return"),
        (["own-date@"], r"'own-date@'.*booking or return"),
        (["own-date+booking-date"], "own-date and booking-date can't be combined"),
        (["empty-id-only+id-ignored"], "empty-id-only and id-ignored"),
        (["capped-1+capped-2"], "capped-1 and capped-2"),
        (["own-date", "capped-2"], r"'own-date' and 'capped-2'.*join"),
        (["own-date@return", "capped-2@return"], "'own-date@return' and 'capped-2@return'"),
    ],
)
def test_what_is_no_dialect_is_refused(written: list[str], message: str) -> None:
    sandbox = Sandbox(locations=1, bookings=0, today=TODAY)
    with pytest.raises(ValueError, match=message):
        sandbox.set_dialect(*written)


def test_an_unknown_dialect_is_refused_from_the_start() -> None:
    with pytest.raises(ValueError, match=r"Unknown dialect 'klingon'\. Known: own-date, booking-date"):
        Sandbox(dialect="klingon")
