"""What `report` prints with `--json`, key by key."""

from __future__ import annotations

from typing import TypedDict

from syncctl.domain.run_documents import Moment
from syncctl.services.checks.status_document import DuplicatesDocument


class MonthOfStoreDocument(TypedDict):
    """A store's month: lead type -> leads, Monday of a week -> leads."""

    store: str
    by_type: dict[str, int]
    by_week: dict[str, int]
    finished: int
    median_days_to_call: float | None


class RejectedRowsDocument(TypedDict):
    """How many rows of a store were rejected for one reason."""

    store: str
    reason: str
    rows: int


class DayOfRunsDocument(TypedDict):
    """The syncs of a day."""

    succeeded: int
    failed: int


class MonthDocument(TypedDict):
    """What `report` prints."""

    command: str
    ok: bool
    month: str
    made_at: Moment
    leads: int
    by_type: dict[str, int]
    finished: int
    median_days_to_call: float | None
    by_day: dict[str, dict[str, int]]
    stores: list[MonthOfStoreDocument]
    rejects: list[RejectedRowsDocument]
    runs: dict[str, DayOfRunsDocument]
    duplicates: DuplicatesDocument
    changed_at_source: int
    corrected_phones: dict[str, int]
