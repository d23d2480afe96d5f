"""What a cleanup would do: the leads to delete, those only listed, and how each compares with its report."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from syncctl.domain.lead_traits import Traits
from syncctl.domain.lead_values import Document
from syncctl.domain.sources import LEAD_TYPES
from syncctl.services.explain.names import ReportNow
from syncctl.services.matching.legacy_leads import text_of

_TYPES = {each.casefold(): each for each in (*LEAD_TYPES, "justDial")}
"""The lead types by their form in `Traits`."""


class LeadSummary(NamedTuple):
    """The identifying values of a lead or a report."""

    lead_type: str
    phone: str
    """Not masked."""

    booking_no: str
    name: str
    store: str
    day: date | None
    """When the lead was created, by the source's clock."""


def summary_of_lead(lead: Document, traits: Traits) -> LeadSummary:
    """The lead's values as written."""
    return LeadSummary(
        text_of(lead, "leadType"),
        text_of(lead, "phone"),
        text_of(lead, "bookingNo"),
        text_of(lead, "name"),
        text_of(lead, "store"),
        min(_days(traits), default=None),
    )


def summary_of_report(report: Traits, lead: Traits) -> LeadSummary:
    """The report's values; of several, before and after edits, those that the lead has too."""
    lead_type = _one(report.lead_types, lead.lead_types)
    return LeadSummary(
        _TYPES.get(lead_type, lead_type),
        _one(report.phones, lead.phones),
        _one(report.booking_numbers, lead.booking_numbers),
        _one(report.written_names, lead.written_names),
        _one(report.stores, lead.stores),
        min(_days(report) & _days(lead) or _days(report), default=None),
    )


def _one(values: Set[str], wanted: Set[str]) -> str:
    return min(values & wanted or values, default="")


def _days(traits: Traits) -> set[date]:
    return {moment.date() for moment in traits.moments} | traits.days


def compared(lead: Traits, report: Traits) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields in which a lead and a report agree, and those in which they differ."""
    pairs: tuple[tuple[str, Set[Any], Set[Any]], ...] = (
        ("booking number", lead.booking_numbers, report.booking_numbers),
        ("phone", lead.phones, report.phones),
        ("name", lead.names, report.names),
        ("store", lead.stores, report.stores),
        ("time", lead.moments, report.moments)
        if lead.moments & report.moments
        else ("day", _days(lead), _days(report)),
    )
    return (
        tuple(field for field, ours, theirs in pairs if ours & theirs),
        tuple(field for field, ours, theirs in pairs if ours and theirs and not ours & theirs),
    )


class MatchReason(StrEnum):
    """What a lead and its report have in common, or what happened to the lead's record."""

    ID = "id"
    BOOKING = "booking number"
    MOMENT = "time"
    DAY = "day"
    PERSON = "person"
    RECORD = "record"
    DELETED = "deleted"


class Pairing(NamedTuple):
    """A record to be marked as finished by a report."""

    record_id: str
    report_id: str
    is_own: bool
    """Whether the lead to delete is the record's own: if it can't be deleted, the mark is removed again."""


class FoundLead(NamedTuple):
    """A lead that a report fits, or whose record people have finished or deleted."""

    lead_id: str
    lead: LeadSummary
    why: MatchReason
    deletable: bool
    """Whether it would be deleted; otherwise it is only listed."""
    worked_on: bool
    """Whether a telecaller worked on it, so that it stays."""
    same: tuple[str, ...] = ()
    """Fields in which report and lead agree."""
    other: tuple[str, ...] = ()
    """Fields in which they differ."""
    report: ReportNow | None = None
    """None if no report is about it, as somebody deleted its record's lead."""
    report_summary: LeadSummary | None = None
    """The report's values."""
    came_back_at: datetime | None = None
    """When another program stored it, if somebody had deleted its record's lead."""
    pairing: Pairing | None = None


@dataclass(slots=True)
class FinishedPlan:
    """Everything found."""

    finished: list[FoundLead] = field(default_factory=list)
    """To be deleted: a report finished them."""
    came_back: list[FoundLead] = field(default_factory=list)
    """To be deleted: somebody deleted the lead of their record, and another program stored it again."""
    listed: list[FoundLead] = field(default_factory=list)
    """They stay: a person must decide."""

    def add(self, found: FoundLead) -> None:
        """Add a lead."""
        if not found.deletable:
            self.listed.append(found)
        elif found.why is MatchReason.DELETED:
            self.came_back.append(found)
        else:
            self.finished.append(found)

    @property
    def to_delete(self) -> int:
        """How many leads are to be deleted."""
        return len(self.finished) + len(self.came_back)

    @property
    def actions(self) -> frozenset[str]:
        """What is done: the ids of the deleted leads."""
        return frozenset(found.lead_id for found in (*self.finished, *self.came_back))
