"""What `history` prints with `--json`, key by key; the enumeration beside a type has its values."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from syncctl.domain.run_documents import CountsDocument, Moment, ResultDocument
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus, Trigger


class PastPlacesDocument(TypedDict):
    """Of how many locations or files."""

    processed: int
    total: int
    dormant: int


class PastLocationDocument(CountsDocument):
    """A location or file in which something happened."""

    location: str
    store: str
    changed: list[str]
    conflicts: list[str]
    error: str | None
    warning: str | None


class PastStepDocument(CountsDocument):
    """A step of a run that is over."""

    name: str
    status: Annotated[str, StepStatus]
    locations: PastPlacesDocument
    changed: int
    errors: int
    error: str | None
    details: NotRequired[list[PastLocationDocument]]


class PastRunDocument(TypedDict):
    """A run that is over."""

    run_id: str
    command: str
    trigger: Annotated[str, Trigger]
    ok: bool
    started_at: Moment
    duration_s: float
    corrected_lines: NotRequired[dict[str, int]]
    undone_at: NotRequired[Moment | None]
    steps: list[PastStepDocument]


class RunsDocument(ResultDocument):
    """What `history` prints."""

    runs: list[PastRunDocument]


# A keyword can't be a field of a class.
_FromDocument = TypedDict("_FromDocument", {"from": Moment})


class GapDocument(_FromDocument):
    """The longest time in which no run began; `to`: null if it lasts."""

    to: Moment | None
    seconds: int


class WorstLocationDocument(TypedDict):
    """The location of a report that failed in most runs, and its last error."""

    report: Annotated[str, StepName]
    location: str
    store: str
    failed: int
    error: str


class PercentilesDocument(TypedDict):
    """Seconds that so many percent of the runs took at most."""

    p50: float | None
    p95: float | None
    p99: float | None


class StatisticsDocument(TypedDict):
    """What whole runs come to."""

    days: int
    since: Moment
    until: Moment
    runs: int
    succeeded: int
    success_rate: float | None
    target_success_rate: float
    target_met: bool | None
    duration_s: PercentilesDocument
    target_duration_s: int
    within_target: int
    share_within_target: float | None
    longest_gap: GapDocument | None
    worst_location: WorstLocationDocument | None
    rows_per_day: dict[str, int]
    saved_per_day: dict[str, int]


class RunStatisticsDocument(ResultDocument):
    """What `history --stats` prints."""

    stats: StatisticsDocument


class RunDetailDocument(ResultDocument):
    """What `history RUN` prints."""

    run: PastRunDocument
