"""Calendar arithmetic for windows of months and days."""

from __future__ import annotations

from datetime import date, timedelta

from syncctl.domain.requests import Days, Window

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
