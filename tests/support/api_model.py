"""The rental API without HTTP: bookings in lists, answered in any dialect that the contract allows.

See contract/rental-api.md, "What nobody knows: how a window is answered". Bodies are those sent over the
wire.
"""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syncctl.api.wire import Endpoint, report_call
from syncctl.domain.requests import ReportRequest
from syncctl.domain.sources import StepName
from syncctl.errors import ApiError, DeadlinePassedError, RetryableApiError
from syncctl.ports.api import Answer, Prepare

INDIA = ZoneInfo("Asia/Kolkata")
ENDPOINT = Endpoint("https://rental.example/api", None, "API_TOKEN")
TIMEOUT_TEXT = "the API says that the call failed: Execution Timeout Expired"

Row = dict[str, Any]
Body = dict[str, str]


def months_back(today: date, months: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    return date(year, month + 1, min(today.day, 28))


@dataclass(frozen=True)
class ApiDialect:
    """How a request body is understood."""

    by: str = ""
    """The field whose date counts; "": the event's date."""

    dates: str = "rows"
    """The effect of dates: "rows", "nothing" or "error"."""

    notices: Callable[[Body], bool] = lambda body: True
    """Whether the dates in a body are used."""

    months_count: bool = True
    takes_empty_strings: bool = True
    first_day: bool = True
    last_day: bool = True
    utc: bool = False

    at_most: int | None = None
    """Most rows in an answer."""

    def answer(self, report: StepName, body: Body, rows: Sequence[Row], today: date) -> list[Row] | None:
        """The rows for a body; None: an error."""
        if not self.takes_empty_strings and "" in body.values():
            return None
        first, last = date.min, date.max
        if body.get("dateFrom") and self.notices(body):
            if self.dates == "error":
                return None
            if self.dates == "nothing":
                return []
            first = date.fromisoformat(body["dateFrom"]) + timedelta(days=not self.first_day)
            last = date.fromisoformat(body["dateTo"]) - timedelta(days=not self.last_day)
        elif self.months_count and "months" in body:
            first = months_back(today, int(body["months"]))
        dated = [(row, self._day(report, row)) for row in rows]
        return [row for row, day in dated if day is not None and first <= day <= last][: self.at_most]

    def _day(self, report: StepName, row: Row) -> date | None:
        written = row[self.by or "bookingDate"]
        if not self.by and report is StepName.RETURN:
            written = row["returnDate"] or written
        if written is None:
            return None
        moment = datetime.fromisoformat(written)
        return moment.replace(tzinfo=INDIA).astimezone(UTC).date() if self.utc else moment.date()


def _without_empty_strings(body: Body) -> bool:
    return "" not in body.values()


DIALECTS = {
    "own-date": ApiDialect(),
    "booking-date": ApiDialect(by="bookingDate"),
    "delivery-date": ApiDialect(by="deliveryDate"),
    "expected-return-date": ApiDialect(by="expectedReturnDate"),
    "dates-empty": ApiDialect(dates="nothing"),
    "dates-error": ApiDialect(dates="error"),
    "dates-ignored": ApiDialect(notices=lambda body: False),
    "all-ignored": ApiDialect(notices=lambda body: False, months_count=False),
    "dates-without-months": ApiDialect(notices=lambda body: "months" not in body),
    "dates-with-months": ApiDialect(notices=lambda body: "months" in body),
    "dates-without-empty-strings": ApiDialect(notices=_without_empty_strings),
    "empty-strings-error": ApiDialect(takes_empty_strings=False),
    "first-day-excluded": ApiDialect(first_day=False),
    "last-day-excluded": ApiDialect(last_day=False),
    "utc-days": ApiDialect(utc=True),
}
"""The sandbox's dialects, plus some that differ in how days are counted or which bodies are accepted."""


def body_of(request: ReportRequest) -> Body:
    """The body sent over the wire."""
    sent = report_call(ENDPOINT, request).body
    assert sent is not None
    body: Body = json.loads(sent)
    return body


@dataclass
class ModelApi:
    """An implementation of `ports.RentalApi`."""

    today: Callable[[], date]

    books: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by location, the same for both reports."""

    dialects: dict[StepName, ApiDialect] = field(
        default_factory=lambda: dict.fromkeys((StepName.BOOKING, StepName.RETURN), DIALECTS["own-date"])
    )
    """By report."""

    seconds: float = 0.0
    """Duration of a call, by `clock`."""

    clock: float = 0.0

    fails: Callable[[ReportRequest], ApiError | None] = lambda request: None
    """Returns the error of a call, or None."""

    before: Callable[[ReportRequest], None] = lambda request: None
    """Called before each answer, to simulate concurrent changes."""

    asked: list[ReportRequest] = field(default_factory=list)
    """All calls so far."""

    def store_list(self, deadline: float) -> list[Any]:
        return [{"locCode": code, "locName": f"Z.{code}", "status": 1} for code in self.books]

    def rows(self, request: ReportRequest) -> list[Row] | None:
        """The rows for a call; None: an error."""
        dialect, rows = self.dialects[request.report], self.books.get(request.location, [])
        found = dialect.answer(request.report, body_of(request), rows, self.today())
        return None if found is None else [dict(row) for row in found]

    def reports(
        self, requests: Sequence[ReportRequest], prepare: Prepare | None = None
    ) -> Generator[Answer, None, None]:
        for request in requests:
            if self.clock >= request.deadline:
                yield Answer(request, None, DeadlinePassedError("no time was left"))
                continue
            self.asked.append(request)
            self.before(request)
            self.clock += self.seconds
            error = self.fails(request)
            if self.clock > request.deadline:
                self.clock = request.deadline
                error = DeadlinePassedError("no answer in time", asked=True)
            rows = None if error is not None else self.rows(request)
            if rows is None:
                error = error or RetryableApiError(TIMEOUT_TEXT, is_refusal=True)
                yield Answer(request, None, error)
            else:
                yield Answer(request, rows, None, prepare(request, rows, lambda: None) if prepare else None)

    def close(self) -> None:
        pass


def api_dialect(name: str, **traits: Any) -> ApiDialect:
    """A dialect by name, with changed traits."""
    return replace(DIALECTS[name], **traits)
