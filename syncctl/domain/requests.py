"""A call for a report: which days or months it asks for, and the arithmetic of both."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from syncctl.domain.sources import StepName


class Days(NamedTuple):
    """Calendar days of the business, from the first to the last, both inclusive."""

    first: date
    last: date

    def has(self, moment: datetime) -> bool:
        """Whether a record's own date, the business's wall clock marked as UTC, lies in them."""
        return self.first <= moment.date() <= self.last


class BodyForm(StrEnum):
    """Which keys the body of a report's call has."""

    USUAL = "usual"
    """Those that the old system got data with."""

    ALL_KEYS = "all keys"
    WITHOUT_MONTHS = "without months"
    WITHOUT_EMPTY = "without empty keys"
    DATES_ALONE = "dates and location only"


class Window(NamedTuple):
    """What a report is asked for.

    Which rows the API gives for days is not known until it is measured (contract/rental-api.md, "What nobody
    knows").
    """

    months: int = 1
    """How many, back from today; where there are no `days`."""

    days: Days | None = None

    form: BodyForm = BodyForm.USUAL
    """Which keys the body has."""


class ReportRequest(NamedTuple):
    """One call for one report."""

    report: StepName

    location: str
    """Its id; "": all locations at once."""

    window: Window

    deadline: float
    """In the monotonic clock's seconds: after that it is given up."""

    tries: int | None = None
    """At most so many; None: as many as any call has."""


OLDEST_DAY = date(2000, 1, 1)
"""No record is older (contract/rental-api.md)."""

MIN_DAYS_PER_MONTH = 30
"""For windows of several months, as it isn't known how the API counts months."""


def widened(days: Days) -> Days:
    """The days to ask for to get these days: one more at both ends, as it isn't known whether the ends are
    inclusive or which time zone counts."""
    return Days(days.first - timedelta(days=1), days.last + timedelta(days=1))


def months_before(day: date, months: int) -> date:
    """The same day that many months earlier, or the first of the following month if that day doesn't
    exist."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)


def months_since(day: date, today: date) -> int:
    """How many months a window must reach back from today to include that day."""
    if day >= today:
        return 0
    day = max(day, OLDEST_DAY)
    months = (today.year - day.year) * 12 + today.month - day.month
    return months if months_before(today, months) <= day else months + 1


def covered_from(window: Window, today: date) -> date:
    """The first day that is certainly in such a window, however the API counts months."""
    fewest_days = timedelta(days=window.months * MIN_DAYS_PER_MONTH)
    return max(months_before(today, window.months), today - fewest_days) + timedelta(days=1)
