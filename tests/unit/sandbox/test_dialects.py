"""The same question in every dialect that the real API may speak."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from syncctl.sandbox import DIALECTS, Sandbox
from tests.unit.sandbox.client import REPORTS, RETURN_BODY, ask, report
from tests.unit.sandbox.conftest import TODAY

FEW_DAYS = {"dateFrom": str(TODAY - timedelta(days=7)), "dateTo": str(TODAY)}
ALL_KEYS = {**RETURN_BODY, **FEW_DAYS, "months": "1"}
NO_EMPTY_STRINGS = {"locationID": "7", **FEW_DAYS, "months": "1"}
NO_MONTHS = {"locationID": "7", **FEW_DAYS}

NEW, RECENT, OLD, DELIVERED, RETURNED = "1001", "1002", "1003", "1004", "1005"
DATES: dict[str, tuple[date, date]] = {
    NEW: (TODAY, TODAY + timedelta(days=20)),
    RECENT: (TODAY - timedelta(days=20), TODAY - timedelta(days=15)),
    OLD: (TODAY - timedelta(days=90), TODAY - timedelta(days=81)),
    DELIVERED: (TODAY - timedelta(days=90), TODAY),
    RETURNED: (TODAY - timedelta(days=90), TODAY - timedelta(days=81)),
}
"""When each was booked, and when it is delivered; the last one is returned today."""

DAYS = {NEW, RETURNED}
MONTH = {NEW, RECENT, RETURNED}
ALL = set(DATES)
ERROR = "Execution Timeout Expired"


def books(dialect: str) -> Sandbox:
    """One location with exactly these bookings."""
    sandbox = Sandbox(locations=1, bookings=0, today=TODAY, dialect=dialect)
    for number, (booked, delivered) in DATES.items():
        made_up = sandbox.add_bookings(1)[0]["bookingNo"]
        sandbox.change_booking(made_up, bookingNo=number, bookingDate=booked, deliveryDate=delivered)
    sandbox.return_booking(RETURNED, datetime.combine(TODAY, time(11)))
    return sandbox


def numbers_in(document: Any) -> set[str] | str:
    """The booking numbers of an answer, or its error."""
    if document["dataSet"] is None:
        error: str = document["errorDescription"]
        return set() if error == "No data found" else error
    return {row["bookingNo"] for row in document["dataSet"]["data"]}


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


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Unknown dialect 'klingon'\. Known are: own-date, booking-date"):
        Sandbox(dialect="klingon")
