"""What a cleanup of duplicates would do: set by set, which copy it keeps, or that a person must decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class KeepReason(StrEnum):
    """Why a copy is kept."""

    CHOSEN = "chosen"
    WORKED_ON = "worked on"
    ALL_EDITS = "has every edit"
    LINKED = "known to syncctl"
    STORE_NAME = "canonical store name"
    OLDEST = "oldest"


class CopySummary(NamedTuple):
    """A copy, as far as it differs from the others of its set."""

    lead_id: str
    updated_at: object
    worked_on: bool
    """Whether somebody worked on it."""

    values: Mapping[str, Any]
    """Its values of the fields in which the copies differ, absent ones None; not masked. Of a conflict, only
    of fields that people edited."""


@dataclass(frozen=True, slots=True)
class CopySet:
    """Copies of one lead."""

    lead_type: str

    phone: str
    """Not masked."""

    booking_no: str

    name: str
    """As the first copy has it."""

    copies: tuple[CopySummary, ...]


@dataclass(frozen=True, slots=True)
class Decision(CopySet):
    """What to do with one set. Its first copy is kept."""

    why: KeepReason
    record_from: str | None = None
    """The copy whose records the kept one takes over, if it has none of its own."""

    store_of_removed: str | None = None
    """The store of a removed copy, if the kept one has no known store."""

    @property
    def kept(self) -> str:
        """The id of the copy that stays."""
        return self.copies[0].lead_id

    @property
    def removed(self) -> tuple[str, ...]:
        """The ids of the copies that are deleted."""
        return tuple(copy.lead_id for copy in self.copies[1:])


@dataclass(frozen=True, slots=True)
class Conflict(CopySet):
    """A set whose copies have different edits, the oldest first."""


@dataclass(slots=True)
class DuplicatePlan:
    """What a cleanup would do."""

    leads: int = 0
    """How many leads there are."""

    sets: Counter[str] = field(default_factory=Counter)
    """Sets to clean, by lead type."""

    removed: Counter[str] = field(default_factory=Counter)
    """Leads to delete, by lead type."""

    conflicts: list[Conflict] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    """The sets to clean, one by one."""

    stores_to_set: dict[str, str] = field(default_factory=dict)
    """Ids of kept leads without a known store, each with the store of one of its copies: a cleanup only
    deletes."""

    def add(self, decision: Decision | Conflict) -> None:
        """Count one set."""
        if isinstance(decision, Conflict):
            self.conflicts.append(decision)
            return
        self.sets[decision.lead_type] += 1
        self.removed[decision.lead_type] += len(decision.removed)
        if decision.store_of_removed is not None:
            self.stores_to_set[decision.kept] = decision.store_of_removed
        self.decisions.append(decision)

    @property
    def actions(self) -> dict[str, tuple[str, ...]]:
        """What is done: the ids of the deleted copies by that of the kept one."""
        return {decision.kept: decision.removed for decision in self.decisions}
