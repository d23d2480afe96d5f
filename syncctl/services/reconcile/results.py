"""What a check of completeness comes to: counts, what is missing, what differs, what the source took back."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime

from syncctl.domain.run_results import LocationResult, RunResult
from syncctl.domain.steps import StepName
from syncctl.services.reconcile.differences import FieldDifference


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What the rows of an answer are; each is counted under exactly one of the others.

    `in_leads`: its lead is there. `edited_away`: so it is, but it reads as another key since an edit.
    `in_reports`: finished. `deleted`: known, and its lead was deleted on purpose. `rejected`: invalid, and on
    the rejects list. `missing`: valid, and nowhere. `unlisted`: invalid, and not on the list. `merged`: a
    further row of a record that is counted. `not_due`: without the date of a booking or return, and so none.
    """

    rows: int = 0
    in_leads: int = 0
    edited_away: int = 0
    in_reports: int = 0
    deleted: int = 0
    rejected: int = 0
    missing: int = 0
    unlisted: int = 0
    merged: int = 0
    not_due: int = 0

    def __add__(self, other: SourceCounts) -> SourceCounts:
        names = [entry.name for entry in fields(self)]
        return SourceCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for."""
        fates: int = sum(getattr(self, entry.name) for entry in fields(self) if entry.name != "rows")
        return self.rows == fates


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a finding is about. `told_at`: the record's own date, the source's wall clock marked as UTC."""

    report: StepName
    location: str
    store: str
    booking_no: str = ""
    phone: str = ""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that is nowhere; or with a `reason` an invalid row that is not on the rejects list."""

    subject: Subject
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A lead that does not hold what the source says by now."""

    subject: Subject
    lead_id: str
    field: FieldDifference


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A lead whose record the source does not tell any more."""

    subject: Subject
    lead_id: str


@dataclass(frozen=True, slots=True)
class LocationCheck:
    """One report of one location. `error`: why it could not be checked; then nothing is said of its rows.

    `counts`, `missing`: as they were found. `repair`: what the sync of the missing ones brought, None where
    there was none; `left`: what is still missing after it.
    """

    report: StepName
    location: str
    store: str
    counts: SourceCounts = field(default_factory=SourceCounts)
    missing: tuple[Missing, ...] = ()
    differences: tuple[Difference, ...] = ()
    error: str | None = None
    repair: LocationResult | None = None
    left: tuple[Missing, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it was checked, and nothing is missing (any more)."""
        return self.error is None and not (self.left if self.repair else self.missing)


@dataclass(frozen=True, slots=True)
class Completeness:
    """The whole check of the days `first` to `last`, both inclusive, of the business's calendar.

    `warnings`: what could not be judged, one line each.
    `run`: the run that synced what was missing, None where it was only looked.
    """

    first: date
    last: date
    locations: tuple[LocationCheck, ...]
    withdrawn: tuple[Withdrawn, ...] = ()
    warnings: tuple[str, ...] = ()
    run: RunResult | None = None

    @property
    def ok(self) -> bool:
        """Whether every location was checked and nothing is missing. A difference alone is no failure: the
        telecallers' leads are never changed by a sync."""
        return all(location.complete for location in self.locations)

    def of(self, report: StepName) -> tuple[LocationCheck, ...]:
        """One report's locations."""
        return tuple(location for location in self.locations if location.report is report)
