"""The results of a completeness check: counts, missing records, differences, withdrawn records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from syncctl.domain.run_results import LocationResult, RowCounts, RunResult
from syncctl.domain.sources import StepName
from syncctl.services.reconcile.differences import FieldDifference


@dataclass(frozen=True, slots=True)
class SourceCounts(RowCounts):
    """The counts of an answer's rows."""

    in_leads: int = 0
    """Its lead exists."""

    edited_away: int = 0
    """Its lead exists, but has been edited to another key."""

    in_reports: int = 0
    """Finished."""

    deleted: int = 0
    """Known, and its lead was deleted on purpose."""

    rejected: int = 0
    """Invalid, and on the rejects list."""

    answered: int = 0
    """Invalid, and a person has corrected it in a sheet or dismissed it."""

    missing: int = 0
    """Valid, but not in the database."""

    unlisted: int = 0
    """Invalid, and not on the rejects list."""

    merged: int = 0
    """A further row of a record that is counted."""

    not_due: int = 0
    """Without the date of a booking or return, so not one yet."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a finding is about."""

    report: StepName
    location: str
    store: str
    booking_no: str = ""
    phone: str = ""
    dated_at: datetime | None = None
    """The record's own date, the source's wall clock marked as UTC."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that is not in the database; or, with a `reason`, an invalid row that is not on the rejects
    list."""

    subject: Subject
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A lead that doesn't have the source's current value of a field."""

    subject: Subject
    lead_id: str
    field: FieldDifference


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A lead whose record the source no longer returns."""

    subject: Subject
    lead_id: str


@dataclass(frozen=True, slots=True)
class LocationCheck:
    """One report of one location."""

    report: StepName
    location: str
    store: str
    counts: SourceCounts = field(default_factory=SourceCounts)
    """As found, before any repair."""

    missing: tuple[Missing, ...] = ()
    """As found, before any repair."""

    differences: tuple[Difference, ...] = ()
    error: str | None = None
    """Why it could not be checked; nothing else is known then."""

    repair: LocationResult | None = None
    """The result of syncing the missing records; None: not repaired."""

    left: tuple[Missing, ...] = ()
    """What is still missing after the repair."""

    @property
    def complete(self) -> bool:
        """Whether it was checked and nothing is missing (any more)."""
        return self.error is None and not (self.left if self.repair else self.missing)


@dataclass(frozen=True, slots=True)
class Completeness:
    """The whole check of the business days `first` to `last`, inclusive."""

    first: date
    last: date
    locations: tuple[LocationCheck, ...]
    withdrawn: tuple[Withdrawn, ...] = ()
    warnings: tuple[str, ...] = ()
    """What could not be judged, one line each."""

    run: RunResult | None = None
    """The run that synced what was missing; None: nothing was repaired."""

    @property
    def ok(self) -> bool:
        """Whether every location was checked and nothing is missing. Differences are allowed: a sync never
        changes the telecallers' leads."""
        return all(location.complete for location in self.locations)

    def of(self, report: StepName) -> tuple[LocationCheck, ...]:
        """One report's locations."""
        return tuple(location for location in self.locations if location.report is report)
