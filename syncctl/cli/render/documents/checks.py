"""What checks, look-ups, `report` and the commands to set up print with `--json`, key by key."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from syncctl.domain.checks import CheckResult
from syncctl.domain.run_documents import Day, Moment, ResultDocument
from syncctl.domain.sources import StepName
from syncctl.services.checks.status_document import DuplicatesDocument
from syncctl.services.explain.record_history import RecordState
from syncctl.services.reconcile.results import ChangedBy


class CheckDocument(TypedDict):
    """A finding of a check."""

    name: str
    result: Annotated[str, CheckResult]
    found: str
    cure: str | None


class ChecksDocument(ResultDocument):
    """What checks found."""

    checks: list[CheckDocument]


class TalliesDocument(ChecksDocument):
    """What `verify data` prints: title -> label -> leads, and what was looked up -> seconds."""

    tallies: NotRequired[dict[str, dict[str, int]]]
    took_s: NotRequired[dict[str, float]]


# A keyword can't be a field of a class.
_FromDocument = TypedDict("_FromDocument", {"from": Day})


class WindowDocument(_FromDocument):
    """Days, both included."""

    to: Day


class SourceCountsDocument(TypedDict):
    """Where the rows of an answer are."""

    rows: int
    in_leads: int
    edited_away: int
    in_reports: int
    deleted: int
    rejected: int
    answered: int
    missing: int
    unlisted: int
    merged: int
    not_due: int


class LocationCheckDocument(SourceCountsDocument):
    """A report of a location."""

    report: Annotated[str, StepName]
    location: str
    store: str
    repaired: int
    error: str | None


class SubjectDocument(TypedDict):
    """The record that a finding is about; `date` is of the shop's clock, without a zone."""

    report: Annotated[str, StepName]
    location: str
    store: str
    booking_no: str | None
    phone: str | None
    date: str | None


class SourceFindingDocument(SubjectDocument):
    """A finding about a record."""

    kind: str
    what: str | None


class SourceDetailsDocument(TypedDict):
    """What `verify source` adds to the checks."""

    window: WindowDocument
    run_id: str | None
    locations: list[LocationCheckDocument]
    findings: list[SourceFindingDocument]


class SourceDocument(TalliesDocument, SourceDetailsDocument):
    """What `verify source` prints."""


class EventDocument(TypedDict):
    """Something that happened to a record."""

    at: Moment
    what: str


class LeadDifferenceDocument(TypedDict):
    """A field in which lead and source differ."""

    field: str
    lead: str
    source: str
    changed_by: Annotated[str, ChangedBy]


class LeadNowDocument(TypedDict):
    """A record's lead."""

    id: str
    call_status: str
    lead_status: str
    updated_at: Moment | None
    touched: bool
    differs: list[LeadDifferenceDocument]


class ReportNowDocument(TypedDict):
    """A telecaller's report."""

    id: str
    shape: str


class SourceDifferenceDocument(TypedDict):
    """A field that the source has changed."""

    field: str
    before: str
    now: str


class SourceNowDocument(TypedDict):
    """What the source says now."""

    state: str
    differs: list[SourceDifferenceDocument]


class RecordDocument(TypedDict):
    """The history of a record; `dated` is of the shop's clock, without a zone."""

    lead_type: str | None
    booking_no: str | None
    name: str
    phone: str
    store: str
    source: Annotated[str, StepName] | None
    location: str | None
    dated: str | None
    now: Annotated[str, RecordState]
    events: list[EventDocument]
    lead: LeadNowDocument | None
    reports: list[ReportNowDocument]
    source_now: SourceNowDocument | None
    notes: list[str]


class ExplanationDocument(ResultDocument):
    """What `explain` prints."""

    asked: str
    records: list[RecordDocument]
    warnings: list[str]


class EvidenceDocument(ResultDocument):
    """What `doctor --evidence FILE` prints; the file has everything."""

    evidence: str
    summary: list[str]


class ScheduleDocument(ResultDocument):
    """What `cron show` prints."""

    installed: bool
    in_step: bool
    found: str
    problem: str | None
    next_sync_at: Moment | None
    obstacles: list[str]
    block: str


class UnitsDocument(ResultDocument):
    """What `cron show --systemd` prints: path -> text."""

    units: dict[str, str]


class SettingDocument(TypedDict):
    """A setting in force."""

    name: str
    value: str
    origin: str
    problem: str | None


class SettingsDocument(ResultDocument):
    """What `config` prints."""

    settings: list[SettingDocument]


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


class MonthDocument(ResultDocument):
    """What `report` prints."""

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
