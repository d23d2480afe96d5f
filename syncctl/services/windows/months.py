"""Months and days of windows, on the calendar."""

from __future__ import annotations

from datetime import date, timedelta

from syncctl.domain.requests import Days, Window

OLDEST_DAY = date(2000, 1, 1)
"""No record is older (contract/rental-api.md)."""

FEWEST_DAYS_OF_A_MONTH = 30
"""In a window of several months: how the API counts them is not known."""


def wider(days: Days) -> Days:
    """What is asked for those days: a day more at both ends, as it is not known whether ends are inclusive,
    and whose days they are."""
    return Days(days.first - timedelta(days=1), days.last + timedelta(days=1))


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the first of the next month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)


def months_since(day: date, today: date) -> int:
    """How many months a window must reach back from today to begin no later than that day."""
    if day >= today:
        return 0
    day = max(day, OLDEST_DAY)
    months = (today.year - day.year) * 12 + today.month - day.month
    return months if months_before(today, months) <= day else months + 1


def certain_from(window: Window, today: date) -> date:
    """The first day that is in such a window, however the API counts its months."""
    fewest_days = timedelta(days=window.months * FEWEST_DAYS_OF_A_MONTH)
    return max(months_before(today, window.months), today - fewest_days) + timedelta(days=1)
