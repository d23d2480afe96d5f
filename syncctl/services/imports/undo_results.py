"""What taking back an import would do, or has done: lead by lead, and what else is put back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from syncctl.domain.import_notes import NotedImport


class Outcome(StrEnum):
    """What happens to a lead."""

    UNDONE = "undone"
    KEPT = "kept"
    GONE = "gone"


class KeptReason(StrEnum):
    """Why a lead, or a field of it, is kept as it is."""

    EDITED = "edited"
    """A person has worked on it since."""

    LATER = "later"
    """A later import or sync has changed it."""

    SEEN = "seen"
    """A later import's file has its row, too."""

    CHANGED = "changed"
    """It was changed, by whom is unknown; or just while it was to be taken back."""


@dataclass(slots=True)
class LeadOutcome:
    """What happens to a lead that the import has created or changed."""

    lead_id: str
    lead_type: str
    name: str
    store: str
    phone: str

    is_deleted: bool = False
    """Whether it is deleted, as the import has created it."""

    restored: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Fields that get their value back: what they hold, and what they held before."""

    kept: dict[str, KeptReason] = field(default_factory=dict)
    """Fields that keep what they hold."""

    reason: KeptReason | None = None
    """Why the lead stays, if the import has created it."""

    later_run: str | None = None
    """The later import that has its row, too, if that is why it stays."""

    is_gone: bool = False
    """Whether it has been finished or deleted since."""

    @property
    def outcome(self) -> Outcome:
        """Its bucket. A lead of which only some fields get their value back is kept."""
        if self.is_gone:
            return Outcome.GONE
        return Outcome.KEPT if self.kept or self.reason else Outcome.UNDONE

    @property
    def reasons(self) -> list[KeptReason]:
        """Why it is kept, each reason once."""
        found = {*self.kept.values(), *([self.reason] if self.reason else [])}
        return [reason for reason in KeptReason if reason in found]


@dataclass(slots=True)
class UndoPlan:
    """Everything that the import has done and that is still to be seen of it."""

    run: NotedImport

    leads: dict[str, LeadOutcome] = field(default_factory=dict)

    records: int = 0
    """Records put back as they were, or removed, whose leads stay."""

    files: list[str] = field(default_factory=list)
    """Files that count as not imported in this form."""

    unlisted: int = 0
    """Rows taken off the rejects list."""

    relisted: int = 0
    """Rows put on the rejects list again."""

    amended: int = 0
    """Rows on the rejects list that lose what a person has corrected in them."""

    forgotten: int = 0
    """Rows of which a person's answer is forgotten: they are listed when their file is imported again."""

    corrected: Counter[str] = field(default_factory=Counter)
    """Rejects that were saved since, by the run of `rejects import` or `rejects retry`; to be taken back
    first."""

    taken_over: Counter[str] = field(default_factory=Counter)
    """Rows that a later import has stored anew, by its run's id."""

    seen: int = 0
    """Rows that an earlier import had stored: taking that one back may delete their leads from then on."""

    left: list[str] = field(default_factory=list)
    """Ids of leads that were changed just while they were to be taken back."""

    def lead(self, lead_id: str, values: Mapping[str, Any]) -> LeadOutcome:
        """The outcome of this lead, to be completed; `values`: its fields, as far as known."""
        fields = ("leadType", "name", "store", "phone")
        lead_type, name, store, phone = (str(values.get(each) or "") for each in fields)
        return self.leads.setdefault(lead_id, LeadOutcome(lead_id, lead_type, name, store, phone))

    def of(self, outcome: Outcome) -> list[LeadOutcome]:
        """The leads in a bucket."""
        return [lead for lead in self.leads.values() if lead.outcome is outcome]

    @property
    def needed(self) -> Counter[str]:
        """The later imports that have leads of this one, too, and how many: to be taken back first."""
        return Counter(lead.later_run for lead in self.leads.values() if lead.later_run)

    @property
    def to_undo(self) -> list[LeadOutcome]:
        """The leads that are deleted, or of which at least one field gets its value back."""
        return [lead for lead in self.leads.values() if lead.is_deleted or lead.restored]

    @property
    def actions(self) -> dict[str, tuple[bool, frozenset[str]]]:
        """What is done to leads, by id: whether one is deleted, and the fields that get their value back."""
        return {lead.lead_id: (lead.is_deleted, frozenset(lead.restored)) for lead in self.to_undo}

    @property
    def has_work(self) -> bool:
        """Whether there is anything to take back."""
        of_rejects = self.unlisted or self.relisted or self.amended or self.forgotten
        return bool(self.to_undo or self.records or self.files or of_rejects or self.seen)


class ImportUndone(NamedTuple):
    """The result of taking back an import."""

    plan: UndoPlan
    """What was done."""

    backup: Path | None
    """None: no lead was to be changed."""
