"""The rental API's books as the state machine keeps them, and what each call was shown of them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from syncctl.sandbox import Sandbox
from syncctl.sandbox.requestlog import LoggedRequest
from tests.support.oracle import Key, as_date, key_and_lead, told

REPORTS = ("booking", "return")
OFFICE_HOURS = time(10, 30)
WHOLE_WINDOW_MONTHS = "12"

Row = dict[str, Any]
Place = tuple[str, str]
"""A report and a location."""
Days = tuple[date, date]
"""The first and the last, both inclusive."""


@dataclass(frozen=True)
class Answer:
    """What one call was shown. `outside`: how many rows beside these are of other days than a backfill's."""

    report: str
    location: str
    rows: list[Row]
    outside: int = 0

    @property
    def place(self) -> Place:
        return self.report, self.location


class Source:
    """Changes the sandbox's books, and knows what each call was shown.

    The sandbox's own day is the last one of the story, so that a window of months has everything in it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.locations = sandbox.locations
        self.numbers: list[str] = []
        self._instants = 0
        self._seen = 0

    def book(self, today: date, days_back: int, **fields: Any) -> str:
        """A booking made today, dated so many days back; with other fields than the sandbox makes up."""
        number: str = self.sandbox.add_bookings(1)[0]["bookingNo"]
        dated = today - timedelta(days=days_back)
        self.sandbox.change_booking(number, bookingDate=self.instant(dated), **fields)
        self.numbers.append(number)
        return number

    def give_back(self, number: str, today: date) -> None:
        """A booking returned today."""
        self.sandbox.return_booking(number, self.instant(today))

    def withdraw(self, number: str) -> None:
        """A booking that vanishes."""
        self.sandbox.remove_booking(number)
        self.numbers.remove(number)

    def show_always(self, location: str, row: Row) -> None:
        """A row that is in every answer of a location."""
        self.sandbox.add_rows(location, [row])

    def instant(self, day: date) -> datetime:
        """In office hours, and at no other's second: `createdAt` tells leads apart (contract/database.md)."""
        self._instants += 1
        return datetime.combine(day, OFFICE_HOURS) + timedelta(seconds=self._instants)

    def rows(self, report: str, location: str) -> list[Row]:
        """All that a report could say of a location."""
        return self.sandbox.rows(report, location)

    def answered(self, *, every: bool = False, days: Days | None = None) -> list[Answer]:
        """What the calls since the last time were shown that were answered at all; of a place only what it
        was shown last: a call of a killed run may arrive late. `every`: all that it was shown. `days`: which
        are wanted of it."""
        requests, self._seen = self.sandbox.requests[self._seen :], len(self.sandbox.requests)
        answered = [request for request in requests if request.api in REPORTS and request.status == 200]
        last = {(request.api, request.location): request for request in answered}
        return [self._answer(request, days) for request in (answered if every else last.values())]

    def _answer(self, request: LoggedRequest, days: Days | None) -> Answer:
        assert request.location is not None
        assert request.body is not None
        assert (request.body["months"], request.body.get("dateFrom", "")) == (WHOLE_WINDOW_MONTHS, "")
        rows = self.rows(request.api, request.location)
        wanted = rows if days is None else _of_days(request.api, rows, days)
        return Answer(request.api, request.location, wanted, len(rows) - len(wanted))


def _of_days(report: str, rows: list[Row], days: Days) -> list[Row]:
    """Those whose own date is one of these days, or can't be read; a record's is that of its first row."""
    dates: dict[Key, datetime | None] = {}
    wanted = []
    for row in rows:
        outcome = key_and_lead(report, row, "any")
        if isinstance(outcome, str):
            at = as_date(told(row, f"{report}Date"))
        else:
            at = dates.setdefault(outcome[0], outcome[1].get("createdAt"))
        if at is None or days[0] <= at.date() <= days[1]:
            wanted.append(row)
    return wanted
