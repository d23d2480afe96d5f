"""What a report of the rental API is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from syncctl.domain.sources import StepName


@dataclass(frozen=True, slots=True)
class Days:
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


@dataclass(frozen=True, slots=True)
class Window:
    """What a report is asked for.

    Which rows the API gives for days is not known until it is measured (contract/rental-api.md, "What nobody
    knows").
    """

    months: int = 1
    """How many, back from today; where there are no `days`."""

    days: Days | None = None

    form: BodyForm = BodyForm.USUAL
    """Which keys the body has."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One call for one report."""

    report: StepName

    location: str
    """Its id; "": all locations at once."""

    window: Window

    deadline: float
    """In the monotonic clock's seconds: after that it is given up."""

    tries: int | None = None
    """At most so many; None: as many as any call has."""
