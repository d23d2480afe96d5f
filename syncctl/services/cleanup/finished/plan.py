"""What a cleanup would do: the leads that it would delete, those that it only lists, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncctl.services.cleanup.finished.lead_summaries import LeadSummary
from syncctl.services.explain.lookups import ReportNow


class MatchReason(StrEnum):
    """What a lead and its report have in common, or what happened to the lead's record."""

    ID = "id"
    BOOKING = "booking number"
    MOMENT = "time"
    DAY = "day"
    PERSON = "person"
    RECORD = "record"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Pairing:
    """A record to be marked as finished by a report."""

    record_id: str
    report_id: str
    is_own: bool
    """Whether the lead to delete is the record's own: if it can't be deleted, the mark is removed again."""


@dataclass(frozen=True, slots=True)
class FoundLead:
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
