"""The rental API's books as the state machine keeps them, and what each call was shown of them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from syncctl.sandbox import Sandbox
from syncctl.sandbox.requestlog import LoggedRequest

REPORTS = ("booking", "return")
OFFICE_HOURS = time(10, 30)

Row = dict[str, Any]
Place = tuple[str, str]
"""A report and a location."""


@dataclass(frozen=True)
class Answer:
    """What one call was shown. `last`: the last day of its window."""

    report: str
    location: str
    rows: list[Row]
    last: date

    @property
    def place(self) -> Place:
        return self.report, self.location


@dataclass(frozen=True)
class News:
    """Something that has come up in a report since its location was last asked with success: a booking made,
    or returned. `days_back`: how many days before the latest one that any run can have seen it is dated."""

    number: str
    dated: date
    days_back: int


class Source:
    """Changes the sandbox's books, and knows what no run has been shown yet.

    The sandbox's own day is the last one of the story, so that a window of months has everything in it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.locations = sandbox.locations
        self.numbers: list[str] = []
        self._instants = 0
        self.news: dict[Place, list[News]] = defaultdict(list)
        self._raw: dict[str, list[Row]] = defaultdict(list)
        self._seen = 0
        self._latest = date.min

    def book(self, today: date, days_back: int, **fields: Any) -> str:
        """A booking made today, dated so many days back; with other fields than the sandbox makes up."""
        number: str = self.sandbox.add_bookings(1)[0]["bookingNo"]
        dated = today - timedelta(days=days_back)
        self.sandbox.change_booking(number, bookingDate=self.instant(dated), **fields)
        self.numbers.append(number)
        for report in REPORTS:
            self._note(report, number, today, dated)
        return number

    def give_back(self, number: str, today: date) -> None:
        """A booking returned today."""
        self.sandbox.return_booking(number, self.instant(today))
        self._note("return", number, today, today)

    def withdraw(self, number: str) -> None:
        """A booking that vanishes."""
        self.sandbox.remove_booking(number)
        self.numbers.remove(number)
        for place, all_news in self.news.items():
            self.news[place] = [news for news in all_news if news.number != number]

    def show_always(self, location: str, row: Row) -> None:
        """A row that is in every answer of a location."""
        self.sandbox.add_rows(location, [row])
        self._raw[location].append(row)

    def instant(self, day: date) -> datetime:
        """In office hours, and at no other's second: `createdAt` tells leads apart (contract/database.md)."""
        self._instants += 1
        return datetime.combine(day, OFFICE_HOURS) + timedelta(seconds=self._instants)

    def location_of(self, number: str) -> str:
        """Where a booking is."""
        return next(location for location in self.locations if number in self._numbers_at(location))

    def rows(self, report: str, location: str) -> list[Row]:
        """All that a report could say of a location."""
        return self.sandbox.rows(report, location)

    def answered(self, *, every: bool = False) -> list[Answer]:
        """What the calls since the last time were shown that were answered at all; of a place only what it
        was shown last: a call of a killed run may arrive late. `every`: all that it was shown."""
        requests, self._seen = self.sandbox.requests[self._seen :], len(self.sandbox.requests)
        told = [request for request in requests if request.api in REPORTS and request.status == 200]
        last = {(request.api, request.location): request for request in told}
        return [self._answer(request) for request in (told if every else last.values())]

    def missed(self, answer: Answer, days_behind: int) -> list[News]:
        """What an answer that was taken in whole should have shown and has not: all that came up since the
        last one, unless it was dated further back than the window reaches. From now on it is no news, but for
        what is dated ahead of a clock that was set back."""
        news, shown = self.news[answer.place], {row.get("bookingNo") for row in answer.rows}
        self.news[answer.place] = [entry for entry in news if entry.dated > answer.last]
        return [
            entry
            for entry in news
            if entry.dated <= answer.last and entry.days_back <= days_behind and entry.number not in shown
        ]

    def _note(self, report: str, number: str, today: date, dated: date) -> None:
        self._latest = max(self._latest, today)
        news = self.news[report, self.location_of(number)]
        news[:] = [entry for entry in news if entry.number != number]
        news.append(News(number, dated, (self._latest - dated).days))

    def _numbers_at(self, location: str) -> set[str]:
        return {row.get("bookingNo", "") for row in self.rows("booking", location)}

    def _answer(self, request: LoggedRequest) -> Answer:
        assert request.location is not None
        assert request.body is not None
        first = date.fromisoformat(request.body["dateFrom"] or "0001-01-01")
        last = date.fromisoformat(request.body["dateTo"] or "9999-12-31")
        raw = self._raw[request.location]
        rows = self.rows(request.api, request.location)
        dated = rows[: len(rows) - len(raw)]
        inside = (row for row in dated if first <= _day(request.api, row) <= last)
        return Answer(request.api, request.location, [*inside, *raw], last)


def _day(report: str, row: Row) -> date:
    """The day by which a report has a row in its window."""
    written = row["bookingDate"] if report == "booking" else row["returnDate"] or row["bookingDate"]
    return datetime.fromisoformat(written).date()
