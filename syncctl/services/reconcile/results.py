"""The results of a completeness check: counts, missing records, differences, withdrawn records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_fields import EDITED_SOURCE_FIELDS, SOURCE_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched
from syncctl.domain.records import Write
from syncctl.domain.run_results import LocationResult, RowCounts, RunResult
from syncctl.domain.sources import StepName
from syncctl.errors import InvalidRowError
from syncctl.locations import Locations
from syncctl.parsing.phones import phone_number
from syncctl.parsing.values import text
from syncctl.text import normalize_text

_COMPARED = tuple(field.name for field in SOURCE_FIELDS if field.compared)


class ChangedBy(StrEnum):
    """Who changed a field."""

    SOURCE = "source"
    TELECALLER = "telecaller"
    EITHER = "source or telecaller"


class FieldDifference(NamedTuple):
    """A field of a lead that doesn't have the source's value; None: no value."""

    field: str
    lead: Any
    source: Any
    changed_by: ChangedBy

    @property
    def is_for_telecallers(self) -> bool:
        """Whether the telecallers should know. A change that may as well be their own edit doesn't count,
        except of the function date: if the source has moved it, they must know, as they call about it."""
        return self.changed_by is ChangedBy.SOURCE or (
            self.changed_by is ChangedBy.EITHER and self.field == "functionDate"
        )


@dataclass(frozen=True, slots=True)
class LastSeen:
    """What the sync keeps of a record: the source's values as last seen, whether they have ever been
    others, and what syncctl has written into the lead."""

    values: Mapping[str, Any]
    has_changed: bool
    written: Mapping[str, Write] = field(default_factory=lambda: NOTHING_WRITTEN)


def is_written_alike(values: Mapping[str, Any], lead: Document) -> bool:
    """Whether `lead` has the source's values as they are written: most leads have, and then none differs."""
    return not any(_fields_written_otherwise(values, lead))


def _fields_written_otherwise(values: Mapping[str, Any], lead: Document) -> Iterator[str]:
    for name in _COMPARED:
        said, held = _value(values.get(name)), _value(lead.get(name))
        if said != held or type(said) is not type(held):
            yield name


def differences(
    versions: Sequence[Mapping[str, Any]], base: LastSeen, lead: Document, locations: Locations
) -> list[FieldDifference]:
    """Fields in which `lead` differs from the source's current values.

    `versions`: the values of each of the record's rows, which differ in item fields: the lead differs if none
    of them has its value.
    """
    found = []
    for name in _fields_written_otherwise(versions[0], lead):
        says = [_comparable(name, values.get(name), locations) for values in versions]
        holds = _comparable(name, lead.get(name), locations)
        if holds in says:
            continue
        last_said = _comparable(name, base.values.get(name), locations)
        is_own = name in base.written and holds == _comparable(name, base.written[name].value, locations)
        if last_said not in says or is_own:
            changed_by = ChangedBy.SOURCE
        elif last_said is None:
            changed_by = ChangedBy.TELECALLER  # the source doesn't provide it
        else:
            changed_by = _changed_by(name, lead, base)
        found.append(FieldDifference(name, _value(lead.get(name)), _value(versions[0].get(name)), changed_by))
    return found


def _changed_by(field: str, lead: Document, base: LastSeen) -> ChangedBy:
    """If a sync has seen the source change, the base has moved already: from then on only an untouched
    lead, or a field that nobody edits, proves that it was the source."""
    if not base.has_changed:
        return ChangedBy.TELECALLER
    if not is_touched(lead, base.written):
        return ChangedBy.SOURCE
    return ChangedBy.EITHER if field in EDITED_SOURCE_FIELDS else ChangedBy.SOURCE


def _value(value: Any) -> Any:
    return None if value == "" else value


def _comparable(field: str, value: Any, locations: Locations) -> Any:
    """A value by its meaning, not its spelling; a missing value, null and an empty text are the same."""
    if isinstance(value, datetime):
        return value
    try:
        written = text(value)
    except InvalidRowError:
        return value
    match field:
        case "phone":
            meant = phone_number(written)
        case "store":
            meant = locations.canonical(written)
        case "name":
            meant = normalize_text(written)
        case "securityAmount" if written == "0":  # earlier versions stored a price of 0
            return None
        case _:
            meant = written
    return meant or written or None


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


class Subject(NamedTuple):
    """Whom a finding is about."""

    report: StepName
    location: str
    store: str
    booking_no: str = ""
    phone: str = ""
    dated_at: datetime | None = None
    """The record's own date, the source's wall clock marked as UTC."""


class Missing(NamedTuple):
    """A record that is not in the database; or, with a `reason`, an invalid row that is not on the rejects
    list."""

    subject: Subject
    reason: str = ""


class Difference(NamedTuple):
    """A lead that doesn't have the source's current value of a field."""

    subject: Subject
    lead_id: str
    field: FieldDifference


class Withdrawn(NamedTuple):
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

    is_refused: bool = False
    """Whether the API refused the key, which is said once for all locations."""

    repair: LocationResult | None = None
    """The result of syncing the missing records; None: not repaired."""

    left: tuple[Missing, ...] = ()
    """What is still missing after the repair."""

    @property
    def failed(self) -> LocationResult:
        """That it could not be checked, as a run's result."""
        return LocationResult(self.location, self.store, error=self.error, is_refused=self.is_refused)

    @property
    def complete(self) -> bool:
        """Whether it was checked and nothing is missing (any more)."""
        return self.error is None and not (self.left if self.repair else self.missing)


class Completeness(NamedTuple):
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
