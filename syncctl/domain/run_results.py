"""What a run, its steps and their locations came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Self

from syncctl.domain.shards import Shard
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Counts of rows, each of which is counted under exactly one of the others as well."""

    rows: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(int.__add__, astuple(self), astuple(other)))

    def __sub__(self, other: Self) -> Self:
        return type(self)(*map(int.__sub__, astuple(self), astuple(other)))

    @property
    def balanced(self) -> bool:
        """Whether every row is accounted for (docs/architecture.md, "Promises", 1)."""
        counts: tuple[int, ...] = astuple(self)
        return sum(counts) == 2 * self.rows


@dataclass(frozen=True, slots=True)
class Counts(RowCounts):
    """What became of the rows that came in."""

    saved: int = 0
    updated: int = 0
    existing: int = 0
    reported: int = 0
    merged: int = 0
    invalid: int = 0
    ignored: int = 0


class FinishedRow(NamedTuple):
    """A row of a file whose lead a telecaller has finished."""

    place: str
    """Where the row stands, the phone number masked."""

    day: date | None
    """The row's date."""

    report_id: str
    """The report that finished it."""

    finished_at: datetime | None
    """None: not known."""


@dataclass(frozen=True, slots=True)
class LocationResult:
    """What one report of one location, or one imported file, brought."""

    location: str
    """The location id, or the file's name."""

    store: str

    counts: Counts = field(default_factory=Counts)
    """May stand beside an `error` of a file, of which some sheets were understood."""

    changed: tuple[str, ...] = ()
    """Booking numbers of existing leads of which the source now says something else."""

    conflicts: tuple[str, ...] = ()
    """A line for each lead of which file and telecaller have changed a field."""

    unchanged: bool = False
    """Whether a file was passed over, as its content is what it was at its last import."""

    answered: int = 0
    """Of a file, the ignored rows that a person has corrected or dismissed before."""

    error: str | None = None

    is_refused: bool = False
    """Whether the error is a refused key, which the step reports for all of its locations."""

    warning: str | None = None

    finished: tuple[FinishedRow, ...] = ()
    """Of an import, each row that is counted as reported."""

    hidden_sheets: tuple[str, ...] = ()
    """Of a workbook, those that were passed over."""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What asking a few locations for their whole window as well has brought."""

    locations: int = 0
    """How many answered."""

    counts: Counts = field(default_factory=Counts)
    """They are among those of the step."""

    failed: Mapping[str, str] = field(default_factory=dict)
    """The locations that did not answer, and why."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step went."""

    name: StepName
    status: StepStatus
    counts: Counts = field(default_factory=Counts)

    processed: int = 0
    """How many locations answered and were stored."""

    total: int = 0
    """How many locations there were to ask."""

    errors: int = 0
    """How many locations failed."""

    error: str | None = None

    refusal: str | None = None
    """The refused key, in words, if that is what failed it."""

    dormant: int = 0
    """How many dormant locations were not due."""

    locations: tuple[LocationResult, ...] = ()
    """Those asked, in the order in which they were done."""

    audit: AuditResult | None = None
    """None: none was due."""

    note: str | None = None
    """What a person should know although nothing went wrong."""

    @property
    def changed(self) -> int:
        """Existing leads, left as they are, of which the source now says something else."""
        return sum(len(location.changed) for location in self.locations)


class RunResult(NamedTuple):
    """How a run went: what `--json` prints and the exit status follows from."""

    command: str
    run_id: str
    trigger: Trigger
    dry_run: bool
    started_at: datetime
    duration_s: float
    next_sync_at: datetime | None
    steps: tuple[StepResult, ...]

    corrected_lines: Mapping[str, int] | None = None
    """What became of the lines of a corrected sheet of rejects: outcome -> lines. Such a run has no steps."""

    newly_rejected: int = 0
    """How many of the invalid rows were not on the rejects list before."""

    whole: bool = True
    """Whether its steps were asked for all that they have: not for single locations, not as a backfill."""

    shard: Shard | None = None
    """The part of the locations that it synced; None: all."""

    @property
    def ok(self) -> bool:
        return all(step.status in (StepStatus.SUCCESS, StepStatus.SKIPPED) for step in self.steps)
