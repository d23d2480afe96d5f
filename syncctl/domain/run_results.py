"""What a run, its steps and their locations came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from syncctl.domain.steps import StepName, StepStatus, Trigger


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows that came in: each of them is counted under exactly one of the others."""

    rows: int = 0
    saved: int = 0
    updated: int = 0
    existing: int = 0
    reported: int = 0
    merged: int = 0
    invalid: int = 0
    ignored: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.rows + other.rows,
            self.saved + other.saved,
            self.updated + other.updated,
            self.existing + other.existing,
            self.reported + other.reported,
            self.merged + other.merged,
            self.invalid + other.invalid,
            self.ignored + other.ignored,
        )

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for (promise 1)."""
        return self.rows == (
            self.saved
            + self.updated
            + self.existing
            + self.reported
            + self.merged
            + self.invalid
            + self.ignored
        )


@dataclass(frozen=True, slots=True)
class FinishedRow:
    """A row of a file whose lead a telecaller has finished. `place`: where the row stands, the phone number
    masked; `day`: the row's date; `report_id`: the report that finished it; `finished_at`: when, if known."""

    place: str
    day: date | None
    report_id: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LocationResult:
    """What one report of one location brought.

    For an import `location` is the file's name, and the counts may stand although there is an `error`: some
    of its sheets were understood. `changed`: booking numbers of existing leads of which the source now says
    something else. `conflicts`: a line for each lead of which file and telecaller have changed a field.
    `unchanged`: a file that was passed over, as its content is what it was at its last import. `finished`: of
    an import, each row that is counted as reported. `hidden_sheets`: of a workbook, those
    that were passed over.
    """

    location: str
    store: str
    counts: Counts = field(default_factory=Counts)
    changed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    unchanged: bool = False
    error: str | None = None
    warning: str | None = None
    finished: tuple[FinishedRow, ...] = ()
    hidden_sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What asking a few locations for everything besides has brought. `locations`: how many answered;
    `failed`: those that did not, and why. Its `counts` are among those of the step."""

    locations: int = 0
    counts: Counts = field(default_factory=Counts)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step went.

    `processed` of `total` locations answered and were stored; `dormant` ones were not due; `errors` failed.
    `locations`: those asked, in the order in which they were done. `note`: what a person should know although
    nothing went wrong.
    """

    name: StepName
    status: StepStatus
    counts: Counts = field(default_factory=Counts)
    processed: int = 0
    total: int = 0
    errors: int = 0
    error: str | None = None
    dormant: int = 0
    locations: tuple[LocationResult, ...] = ()
    audit: AuditResult | None = None
    note: str | None = None

    @property
    def changed(self) -> int:
        """Existing leads, left as they are, of which the source now says something else."""
        return sum(len(location.changed) for location in self.locations)


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run went: what `--json` prints and the exit status follows from."""

    command: str
    run_id: str
    trigger: Trigger
    dry_run: bool
    started_at: datetime
    duration_s: float
    next_sync_at: datetime | None
    steps: tuple[StepResult, ...]

    @property
    def ok(self) -> bool:
        return all(step.status in (StepStatus.SUCCESS, StepStatus.SKIPPED) for step in self.steps)
