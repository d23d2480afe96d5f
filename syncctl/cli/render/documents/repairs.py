"""What cleanups and `import undo` print with `--json`, key by key: what they would do, or have done."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from syncctl.domain.run_documents import Day, Moment, ResultDocument
from syncctl.services.cleanup.backups import BackupKind
from syncctl.services.cleanup.duplicate_results import KeepReason
from syncctl.services.cleanup.finished.plan import MatchReason
from syncctl.services.imports.undo_results import KeptReason


class OutcomeDocument(TypedDict):
    """What each of them says once it is done."""

    ok: bool
    left: list[str]
    backup: str | None
    restore: str | None


class PlanDocument(ResultDocument):
    """What each of them has; the last three once it is done."""

    applied: bool
    left: NotRequired[list[str]]
    backup: NotRequired[str | None]
    restore: NotRequired[str | None]


class LeadTypeDocument(TypedDict):
    """The duplicates of a lead type."""

    sets: int
    to_delete: int
    conflicts: int


class SetDocument(TypedDict):
    """A set of copies of one lead."""

    lead_type: str
    phone: str
    booking_no: str


class CopyDocument(TypedDict):
    """A copy in a set that is left alone: its values of the fields in which they differ."""

    id: str
    updated_at: str | float | None
    worked_on: bool
    values: dict[str, Any]


class ConflictDocument(SetDocument):
    """A set whose copies have different edits."""

    copies: list[CopyDocument]


class DecisionDocument(SetDocument):
    """Which copy of a set is kept."""

    kept: str
    why: Annotated[str, KeepReason]
    deleted: list[str]


class WholeDecisionDocument(DecisionDocument):
    """The same with all copies, the kept one first."""

    name: str
    copies: list[CopyDocument]


class StoreToSetDocument(TypedDict):
    """A kept lead that gets its store's name."""

    id: str
    store: str


class RemainingDocument(TypedDict):
    """Duplicates that are left."""

    sets: int
    extra_copies: int


class DuplicatesCleanupDocument(PlanDocument):
    """What `cleanup duplicates` prints."""

    sets: int
    to_delete: int
    by_type: dict[str, LeadTypeDocument]
    conflicts: list[ConflictDocument]
    examples: list[DecisionDocument]
    stores_to_set: list[StoreToSetDocument]
    deleted: NotRequired[int]
    remaining: NotRequired[RemainingDocument]
    decisions: NotRequired[list[WholeDecisionDocument]]


# A keyword can't be a field of a class.
_FromDocument = TypedDict("_FromDocument", {"from": str})
_ImportDocument = TypedDict("_ImportDocument", {"import": str})


class RenameDocument(_FromDocument):
    """A misspelt store."""

    to: str
    leads: int
    in_duplicates: int


class UnknownStoreDocument(TypedDict):
    """A store that no rule knows."""

    name: str
    leads: int


class StoresCleanupDocument(PlanDocument):
    """What `cleanup stores` prints."""

    to_rename: int
    renames: list[RenameDocument]
    unknown: list[UnknownStoreDocument]
    renamed: NotRequired[int]


class SideDocument(TypedDict):
    """What lead and report are compared by."""

    lead_type: str
    phone: str
    booking_no: str
    name: str
    store: str
    day: Day | None


class FinishingReportDocument(SideDocument):
    """The report that finishes a lead."""

    id: str
    shape: str
    finished_at: Moment | None
    finished_by: str | None


class FinishedLeadDocument(SideDocument):
    """A finished or deleted lead that is there all the same."""

    id: str
    worked_on: bool
    why: Annotated[str, MatchReason]
    same: list[str]
    other: list[str]
    came_back_at: Moment | None
    report: FinishingReportDocument | None


class FinishedCleanupDocument(PlanDocument):
    """What `cleanup finished` prints."""

    to_delete: int
    finished: list[FinishedLeadDocument]
    came_back: list[FinishedLeadDocument]
    listed: list[FinishedLeadDocument]
    deleted: NotRequired[int]


class BackupRestoredDocument(ResultDocument):
    """What `cleanup restore` prints."""

    kind: Annotated[str, BackupKind]
    restored: int
    same: int
    different: list[str]
    ended: NotRequired[list[str]]


class UndoneFieldDocument(TypedDict):
    """A field that gets its value back."""

    field: str
    now: str | None
    becomes: str | None


class UndoneLeadDocument(TypedDict):
    """What happens to a lead of an import; `kept_fields`: field -> why."""

    id: str
    lead_type: str
    name: str
    phone: str
    store: str
    deleted: bool
    fields: list[UndoneFieldDocument]
    kept_fields: dict[str, Annotated[str, KeptReason]]
    later_run: str | None
    why: list[Annotated[str, KeptReason]]


class UndoneRejectsDocument(TypedDict):
    """What happens to the rejects list."""

    taken_off: int
    put_back: int
    amended: int
    forgotten: int


class ImportUndoDocument(PlanDocument, _ImportDocument):
    """What `import undo` prints."""

    run_id: str
    started_at: Moment
    undone_at: Moment | None
    created_only: bool
    undone: list[UndoneLeadDocument]
    kept: list[UndoneLeadDocument]
    gone: list[UndoneLeadDocument]
    records: int
    files: list[str]
    rejects: UndoneRejectsDocument
    corrected: dict[str, int]
    seen: int
    taken_over: dict[str, int]
    changed: NotRequired[int]
