"""One location with a few bookings, each dated so that the dialects answer differently."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from syncctl.sandbox import Sandbox
from tests.unit.sandbox.conftest import TODAY

NEW, RECENT, OLD, DELIVERED, EXPECTED, RETURNED = "1001", "1002", "1003", "1004", "1005", "1006"


def _ago(days: int) -> date:
    return TODAY - timedelta(days=days)


DATES: Mapping[str, tuple[date, date, date]] = MappingProxyType(
    {
        NEW: (TODAY, _ago(-20), _ago(-23)),
        RECENT: (_ago(20), _ago(15), _ago(12)),
        OLD: (_ago(90), _ago(81), _ago(78)),
        DELIVERED: (_ago(90), TODAY, _ago(-3)),
        EXPECTED: (_ago(90), _ago(15), TODAY),
        RETURNED: (_ago(90), _ago(81), _ago(78)),
    }
)
"""When each was booked, when it is delivered and expected back; the last one is returned today."""

DAYS = {NEW, RETURNED}
"""The returns of the last seven days, by the event's own date."""

MONTH = {NEW, RECENT, RETURNED}
ALL = set(DATES)
ERROR = "Execution Timeout Expired"


def books(dialect: str = "own-date") -> Sandbox:
    """One location with exactly these bookings."""
    sandbox = Sandbox(locations=1, bookings=0, today=TODAY, dialect=dialect)
    for number, (booked, delivered, expected) in DATES.items():
        made_up = sandbox.add_bookings(1)[0]["bookingNo"]
        sandbox.change_booking(
            made_up,
            bookingNo=number,
            bookingDate=booked,
            deliveryDate=delivered,
            expectedReturnDate=expected,
        )
    sandbox.return_booking(RETURNED, datetime.combine(TODAY, time(11)))
    return sandbox


def numbers_in(document: Any) -> set[str] | str:
    """The booking numbers of an answer, or its error."""
    if document["dataSet"] is None:
        error: str = document["errorDescription"]
        return set() if error == "No data found" else error
    return {row["bookingNo"] for row in document["dataSet"]["data"]}
