"""A calendar month of the business."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from syncctl.errors import UsageError


class Month(NamedTuple):
    """A month, by the business's calendar."""

    first: date
    """Its first day."""

    @classmethod
    def parse(cls, written: str) -> Month:
        """`2026-11`. Raises UsageError."""
        try:
            return cls(datetime.strptime(written, "%Y-%m").date())  # noqa: DTZ007 - a calendar month has no zone
        except ValueError:
            raise UsageError(f"--month {written!r} isn't a month: write it as 2026-01.") from None

    @classmethod
    def of(cls, day: date) -> Month:
        """The month of a day."""
        return cls(day.replace(day=1))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def title(self) -> str:
        """`November 2026`."""
        return f"{self.first:%B %Y}"

    @property
    def next_first(self) -> date:
        """The first day of the month after it."""
        return (self.first + timedelta(days=31)).replace(day=1)

    @property
    def days(self) -> tuple[date, ...]:
        """All its days."""
        return tuple(self.first + timedelta(days=n) for n in range((self.next_first - self.first).days))

    @property
    def weeks(self) -> tuple[date, ...]:
        """The Monday of each week that has a day in it."""
        return tuple(sorted({monday_of(day) for day in self.days}))

    @property
    def lead_dates(self) -> tuple[datetime, datetime]:
        """From when to before when a lead of the month is created: leads' dates are the business's wall
        clock, marked as UTC (contract/database.md)."""
        return datetime.combine(self.first, time(), UTC), datetime.combine(self.next_first, time(), UTC)

    def moments(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """From when to before when it is that month in `zone`, in true time."""
        return datetime.combine(self.first, time(), zone), datetime.combine(self.next_first, time(), zone)


def monday_of(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())
