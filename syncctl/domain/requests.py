"""What a report of the rental API is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from syncctl.domain.steps import StepName


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days of the business, from the first to the last, both inclusive."""

    first: date
    last: date

    def has(self, moment: datetime) -> bool:
        """Whether a record's own date, the business's wall clock marked as UTC, lies in them."""
        return self.first <= moment.date() <= self.last


class BodyForm(StrEnum):
    """Which keys the body of a report's call has. USUAL: those that the old system got data with."""

    USUAL = "usual"
    ALL_KEYS = "all keys"
    WITHOUT_MONTHS = "without months"
    WITHOUT_EMPTY = "without empty keys"
    DATES_ALONE = "dates and location only"


@dataclass(frozen=True, slots=True)
class Window:
    """What a report is asked for: so many months back from today, or `days`, in a body of that form.

    Which rows the API gives for days is not known until it is measured (contract/rental-api.md, "What nobody
    knows").
    """

    months: int = 1
    days: Days | None = None
    form: BodyForm = BodyForm.USUAL


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One call for one location, or for all at once, where its id is empty. `deadline`: the monotonic clock's
    seconds after which it is given up. `tries`: at most so many; None: as many as any call has."""

    report: StepName
    location: str
    window: Window
    deadline: float
    tries: int | None = None
