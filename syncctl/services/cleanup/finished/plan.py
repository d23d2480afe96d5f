"""What a cleanup would do: the leads that it deletes, those that it only lists, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncctl.services.cleanup.finished.sides import Side
from syncctl.services.explain.record_history import ReportNow


class Why(StrEnum):
    """What a lead and its report have in common, or what became of the lead's record."""

    ID = "id"
    BOOKING = "booking number"
    MOMENT = "time"
    DAY = "day"
    PERSON = "person"
    RECORD = "record"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Pairing:
    """A record that is to be marked as finished by a report."""

    record_id: str
    report_id: str
    is_own: bool
    """Whether the lead that is to go is the record's own: if it stays after all, the mark is taken back."""


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead that a report fits, or whose record people are done with."""

    lead_id: str
    lead: Side
    why: Why
    goes: bool
    """Whether it is to be deleted; else it is only listed."""
    worked_on: bool
    """By a telecaller, so that it stays."""
    same: tuple[str, ...] = ()
    """What the report says as the lead does."""
    other: tuple[str, ...] = ()
    """What the report says otherwise."""
    report: ReportNow | None = None
    """None where no report is about it, as somebody deleted the lead that its record had."""
    beside: Side | None = None
    """What the report says."""
    came_back_at: datetime | None = None
    """Of a record whose lead somebody deleted: when another program stored this one."""
    pairing: Pairing | None = None


@dataclass(slots=True)
class FinishedPlan:
    """All that was found."""

    finished: list[FoundLead] = field(default_factory=list)
    """To be deleted: a report finished them."""
    came_back: list[FoundLead] = field(default_factory=list)
    """To be deleted: somebody deleted the lead of their record, and another program stored it again."""
    listed: list[FoundLead] = field(default_factory=list)
    """They stay: a person must decide."""

    def add(self, found: FoundLead) -> None:
        """Take one lead in."""
        if not found.goes:
            self.listed.append(found)
        elif found.why is Why.DELETED:
            self.came_back.append(found)
        else:
            self.finished.append(found)

    @property
    def to_delete(self) -> int:
        """How many leads are to be deleted."""
        return len(self.finished) + len(self.came_back)
