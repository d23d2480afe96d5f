"""The rental API's data as known to the state machine, and the answer to each call."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from syncctl.sandbox import Sandbox
from syncctl.sandbox.connections import LoggedRequest
from tests.support.oracle import Key, as_date, key_and_lead, source_value

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
    """The rows that one call received."""

    report: str
    location: str
    rows: list[Row]

    others: list[Row] = field(default_factory=list)
    """Further rows, outside of a backfill's days."""

    @property
    def every_row(self) -> list[Row]:
        return [*self.rows, *self.others]

    @property
    def place(self) -> Place:
        return self.report, self.location


class Source:
    """Changes the sandbox's data and knows the answer to each call.

    The sandbox's own day is the last one of the history, so that a window of months contains everything.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.locations = sandbox.locations
        self.numbers: list[str] = []
        self._instants = 0
        self._seen = 0
        self._shown_by: dict[tuple[str, str], str] = {}

    def book(self, today: date, days_back: int, **fields: Any) -> str:
        """A booking made today, dated `days_back` days ago; with varied fields."""
        number: str = self.sandbox.add_bookings(1)[0]["bookingNo"]
        dated = today - timedelta(days=days_back)
        self.sandbox.change_booking(number, bookingDate=self.instant(dated), **fields)
        self.numbers.append(number)
        return number

    def give_back(self, number: str, today: date) -> None:
        """A booking returned today."""
        self.sandbox.return_booking(number, self.instant(today))

    def withdraw(self, number: str) -> None:
        """Remove a booking."""
        self.sandbox.remove_booking(number)
        self.numbers.remove(number)

    def confuse(self, number: str, other: str) -> None:
        """Give a booking the number of another one of the same shop; of different shops, nothing happens."""
        if self._location(number) == self._location(other):
            self.sandbox.change_booking(number, bookingNo=other)
            self.numbers[self.numbers.index(number)] = other

    def _location(self, number: str) -> str:
        return next(
            where
            for where in self.locations
            if any(row.get("bookingNo") == number for row in self.rows("booking", where))
        )

    def show_always(self, location: str, row: Row) -> None:
        """Add a row to every answer of a location. Nothing happens if another shop shows this booking, with
        this phone number: by the same bookings in both, an API shows that it ignores location ids."""
        shown_by = self._shown_by.setdefault((row["bookingNo"], str(row["phoneNo"])[-4:]), location)
        if not row["bookingNo"] or shown_by == location:
            self.sandbox.add_rows(location, [row])

    def instant(self, day: date) -> datetime:
        """Within office hours, at a unique second: `createdAt` tells leads apart (contract/database.md)."""
        self._instants += 1
        return datetime.combine(day, OFFICE_HOURS) + timedelta(seconds=self._instants)

    def rows(self, report: str, location: str) -> list[Row]:
        """All that a report could say of a location."""
        return self.sandbox.rows(report, location)

    def answered(self, *, every: bool = False, days: Days | None = None) -> list[Answer]:
        """The successful calls since the last check; per location only the last one, as a killed run's
        call may arrive late. `every`: all of them. `days`: keep only these."""
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
        others = [row for row in rows if not any(row is each for each in wanted)]
        return Answer(request.api, request.location, wanted, others)


def _of_days(report: str, rows: list[Row], days: Days) -> list[Row]:
    """Rows whose own date is in these days or unreadable; a record's date is that of its first row."""
    dates: dict[Key, datetime | None] = {}
    wanted = []
    for row in rows:
        outcome = key_and_lead(report, row, "any")
        if isinstance(outcome, str):
            at = as_date(source_value(row, f"{report}Date"))
        else:
            at = dates.setdefault(outcome[0], outcome[1].get("createdAt"))
        if at is None or days[0] <= at.date() <= days[1]:
            wanted.append(row)
    return wanted
