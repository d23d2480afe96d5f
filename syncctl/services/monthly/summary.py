"""A month in figures, gathered from leads, reports, rejects and the history of runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import takewhile
from statistics import median
from typing import Any, NamedTuple

from syncctl.domain.lead_traits import SNAPSHOT_FIELDS, as_datetime
from syncctl.domain.lead_values import Document
from syncctl.domain.records import CorrectionOutcome, Reject
from syncctl.domain.sources import API_LEAD_TYPES, REPORT_STEPS
from syncctl.domain.steps import StepStatus
from syncctl.locations import Locations
from syncctl.parsing.values import file_day
from syncctl.ports.admin import Database
from syncctl.services.checks.history import newest_runs
from syncctl.services.cleanup.duplicates import KEY_FIELDS, DuplicateFinder
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.monthly.month import Month, monday_of


class FinishedLead(NamedTuple):
    """A lead that a telecaller has finished."""

    lead_type: str
    """As it was before the page changed it; "" if the report doesn't say."""

    store: str
    """As the report writes it; "" if it doesn't say."""

    created_at: datetime
    """The lead's own `createdAt`, the business's wall clock marked as UTC."""

    finished_at: datetime | None
    """True UTC."""

    @property
    def day(self) -> date:
        """The day that it was created."""
        return lead_day(self.created_at, self.lead_type)


def lead_day(created_at: datetime, lead_type: str) -> date:
    """The day that a lead's `createdAt` means: files' leads may have midnight in India."""
    return created_at.date() if lead_type in API_LEAD_TYPES else file_day(created_at)


def finished_lead(report: Document) -> FinishedLead | None:
    """The lead of a report of any of the four shapes (contract/database.md, "reports"); None if it doesn't
    say when the lead was created."""
    # A flat report's own createdAt is when it was written.
    flat = {name: value for name, value in report.items() if name != "createdAt"}
    parts = [flat, *(part for name in SNAPSHOT_FIELDS if isinstance(part := report.get(name), Mapping))]
    created_at = next(filter(None, map(as_datetime, _values(parts, "created_at", "createdAt"))), None)
    if created_at is None:
        return None
    lead_types = _values(parts, "lead_type_before", "lead_type", "leadType")
    finished = map(as_datetime, (report.get("editedAt"), report.get("createdAt")))
    return FinishedLead(
        next(filter(None, map(_text, lead_types)), ""),
        next(filter(None, map(_text, _values(parts, "store"))), ""),
        created_at,
        next(filter(None, finished), None),
    )


def _values(parts: list[Any], *names: str) -> Iterator[object]:
    return (part[name] for part in parts for name in names if part.get(name) is not None)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


UNKNOWN = "(unknown)"
"""The name of the store, or the kind, of a lead that has none."""

_FIELDS = frozenset({*KEY_FIELDS, "callDate", "callStatus"})
_NOT_CALLED = ("", "Not Called")


@dataclass(slots=True)
class StoreMonth:
    """A store's month."""

    by_type: Counter[str] = field(default_factory=Counter)
    """Leads created, by lead type."""

    finished: int = 0
    """How many of them telecallers have finished by now."""

    by_week: Counter[date] = field(default_factory=Counter)
    """Leads created, by the Monday of their week."""

    days_to_call: list[float] = field(default_factory=list)
    """Of each called lead, how many days passed from its own date to the first call known."""

    @property
    def leads(self) -> int:
        return self.by_type.total()

    @property
    def median_days_to_call(self) -> float | None:
        """None: none was called."""
        return median(self.days_to_call) if self.days_to_call else None


@dataclass(slots=True)
class DayOfRuns:
    """The runs that began on a day."""

    succeeded: int = 0
    failed: int = 0
    """Those with a step that failed, in part or as a whole."""


class MonthSummary(NamedTuple):
    """All that the page shows."""

    month: Month
    made_at: datetime
    by_day: Mapping[date, Counter[str]]
    """Leads created on each day of the month, by lead type."""

    stores: Mapping[str, StoreMonth]
    """By name, in order."""

    rejects: Mapping[tuple[str, str], int]
    """Rows rejected in the month and still on the list, by store and reason, most first."""

    runs: Mapping[date, DayOfRuns]
    """Each day of the month."""

    duplicate_sets: int
    extra_copies: int
    """Leads of the month that are copies of others of the month."""

    corrections: Mapping[CorrectionOutcome, int]
    """Phone numbers corrected at the source."""

    changed_at_source: int
    """How often the source changed a booking or return that was here already, other than its number."""

    @property
    def by_type(self) -> Counter[str]:
        """Leads of the month by lead type."""
        return sum((store.by_type for store in self.stores.values()), Counter[str]())

    @property
    def leads(self) -> int:
        return self.by_type.total()

    @property
    def finished(self) -> int:
        return sum(store.finished for store in self.stores.values())

    @property
    def median_days_to_call(self) -> float | None:
        """Of all stores; None: nobody was called."""
        days = [value for store in self.stores.values() for value in store.days_to_call]
        return median(days) if days else None


def month_summary(
    database: Database, locations: Locations, month: Month, zone: tzinfo, now: datetime
) -> MonthSummary:
    """The figures of a month. Reads what the month holds. Raises StorageError."""
    figures = _Figures(locations, month, zone, DuplicateFinder(locations))
    begin, end = month.lead_dates
    # Midnight in India is the evening before, where earlier programs stored a file's day so.
    for lead in database.leads_created(begin - timedelta(days=1), end, _FIELDS):
        figures.add_lead(lead)
    for report in database.reports_on_leads_created(begin - timedelta(days=1), end):
        figures.add_report(report)
    since, until = month.moments(zone)
    runs, changed = _runs(database, month, zone)
    duplicates = figures.finder.found()
    corrections = Counter(
        made.outcome
        for entry in database.corrected_records(since)
        for made in entry.record.corrections
        if since <= made.at < until
    )
    return MonthSummary(
        month=month,
        made_at=now,
        by_day=figures.by_day,
        stores=dict(sorted(figures.stores.items(), key=lambda store: store[0].casefold())),
        rejects=_rejects(database.rejects(), since, until),
        runs=runs,
        duplicate_sets=duplicates.count,
        extra_copies=duplicates.extra_copies,
        corrections={outcome: corrections[outcome] for outcome in CorrectionOutcome if corrections[outcome]},
        changed_at_source=changed,
    )


class _Figures:
    """Counts the month's leads, whether they are still to be called or finished."""

    def __init__(self, locations: Locations, month: Month, zone: tzinfo, finder: DuplicateFinder) -> None:
        self.by_day = {day: Counter[str]() for day in month.days}
        self.stores: defaultdict[str, StoreMonth] = defaultdict(StoreMonth)
        self.finder = finder
        self._locations = locations
        self._zone = zone

    def add_lead(self, lead: Document) -> None:
        created_at = lead.get("createdAt")
        if not isinstance(created_at, datetime):
            return
        lead_type = text_of(lead, "leadType")
        store = self._count(lead_day(created_at, lead_type), lead_type, text_of(lead, "store"))
        if store is None:
            return
        self.finder.add(lead)
        called_at = as_datetime(lead.get("callDate"))
        if called_at is not None and text_of(lead, "callStatus") not in _NOT_CALLED:
            store.days_to_call.append(_days_between(created_at, called_at))

    def add_report(self, report: Document) -> None:
        lead = finished_lead(report)
        store = self._count(lead.day, lead.lead_type, lead.store) if lead is not None else None
        if lead is None or store is None:
            return
        store.finished += 1
        if lead.finished_at is not None:
            wall_clock = lead.finished_at.astimezone(self._zone).replace(tzinfo=UTC)
            store.days_to_call.append(_days_between(lead.created_at, wall_clock))

    def _count(self, day: date, lead_type: str, store_name: str) -> StoreMonth | None:
        """The store that the lead was counted for; None if it isn't of this month."""
        if day not in self.by_day:
            return None
        lead_type = lead_type or UNKNOWN
        self.by_day[day][lead_type] += 1
        store = self.stores[self._locations.canonical(store_name) or store_name or UNKNOWN]
        store.by_type[lead_type] += 1
        store.by_week[monday_of(day)] += 1
        return store


def _days_between(created_at: datetime, called_at: datetime) -> float:
    """Never below zero: a day without a time of day may lie before the moment of a booking."""
    return max(0.0, (called_at - created_at) / timedelta(days=1))


def _rejects(rejects: Iterable[Reject], since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    counts = Counter(
        (reject.store or UNKNOWN, reject.reason) for reject in rejects if since <= reject.rejected_at < until
    )
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _runs(database: Database, month: Month, zone: tzinfo) -> tuple[dict[date, DayOfRuns], int]:
    """The syncs of each day, and how often they saw something changed at the source."""
    since, until = month.moments(zone)
    days = {day: DayOfRuns() for day in month.days}
    changed = 0
    for run in takewhile(lambda run: run.started_at >= since, newest_runs(database, until=until)):
        if not any(step.name in REPORT_STEPS for step in run.steps):
            continue  # an import by hand
        day = days[run.started_at.astimezone(zone).date()]
        if all(step.status in (StepStatus.SUCCESS, StepStatus.SKIPPED) for step in run.steps):
            day.succeeded += 1
        else:
            day.failed += 1
        changed += sum(step.changed for step in run.steps)
    return days, changed
