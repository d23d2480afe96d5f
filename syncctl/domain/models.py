"""What syncctl speaks of: stores, leads, the records it keeps of them, and the results of a run.

Dates of leads are the source's wall-clock time marked as UTC, as `contract/database.md` wants them; every
other instant is true UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict

Document = dict[str, Any]
"""A database document by its field names; `_id` is a string (24 hex digits for an ObjectId)."""


class LeadType(StrEnum):
    """`leads.leadType`."""

    BOOKING = "bookingConfirmation"
    RETURN = "return"
    LOSS_OF_SALE = "lossOfSale"
    GENERAL = "general"


class StepName(StrEnum):
    """The steps of a run, by the names that `--json` gives them."""

    STORES = "stores"
    BOOKING = "booking"
    RETURN = "return"
    WALKIN = "walkin"
    LOSS_OF_SALE = "lossofsale"


REPORT_STEPS = (StepName.BOOKING, StepName.RETURN)
"""The steps that sync one report of the API each."""

FILE_STEPS = (StepName.WALKIN, StepName.LOSS_OF_SALE)
"""The steps that import the stores' files."""


class StepStatus(StrEnum):
    """How a step ended. PARTIAL: some of its locations failed."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"


class Trigger(StrEnum):
    """Who started a run: the scheduler (no terminal) or a person."""

    AUTO = "auto"
    MANUAL = "manual"


class LeadValues(TypedDict, total=False):
    """What the source says of a lead, by the field names of the `leads` collection; absent ones left out.

    The fields that the code names; all that there are stand in `lead_fields.SOURCE_FIELDS`."""

    leadType: str
    source: str
    name: str
    phone: str
    store: str
    bookingNo: str
    enquiryDate: datetime
    visitDate: datetime
    functionDate: datetime
    returnDate: datetime
    createdAt: datetime
    securityAmount: float
    enquiryType: str
    closingStatus: str
    reason: str
    reasonCollectedFromStore: str
    attendedBy: str
    remarks: str


class SourceRecord(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """One lead as its source tells it; `key` is its identity, and `lead_id` is derived from it, or from the
    key under which the sync has known it since before the key rules changed. `former_phones`, `former_day`:
    what else its phone number, and its day, were read as under earlier rules."""

    key: str
    lead_id: str
    values: LeadValues
    former_phones: tuple[str, ...] = ()
    former_day: date | None = None


class CorrectionOutcome(StrEnum):
    """What became of a booking's lead when the source corrected its phone number. TAKEN: it has the new
    number. LEFT: somebody had called the customer or edited the number, so it was left as it is. NEW_LEAD: it
    was finished without anybody being reached, so the new number is a new lead. FINISHED, DELETED: it stays
    away. SECOND_LEAD: each number has a lead of its own, as the source had both at once before."""

    TAKEN = "taken"
    LEFT = "left"
    NEW_LEAD = "new lead"
    FINISHED = "finished"
    DELETED = "deleted"
    SECOND_LEAD = "second lead"


@dataclass(frozen=True, slots=True)
class Correction:
    """A phone number corrected at the source, kept with the record of the new number. `at`: when that was
    seen, true UTC. `phone_before`: ten digits. `report_id`: of the report that had finished the lead, if
    FINISHED; else of one that had finished an earlier lead of the booking, under this number."""

    at: datetime
    phone_before: str
    outcome: CorrectionOutcome
    run_id: str
    report_id: str | None = None

    @property
    def finished_by(self) -> str | None:
        """The report that finished the lead."""
        return self.report_id if self.outcome is CorrectionOutcome.FINISHED else None


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """What a run needs of a `syncrecords` entry: which lead it became, the source's values last seen, in
    short, which source of which location it first came from, and the report that finished it, if one did.
    `replaced_by`: the phone number that the source has corrected its own to."""

    lead_id: str
    fingerprint: str
    location: str
    source: str
    report_id: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """An entry of `syncrecords`: that the sync has dealt with `key`, and what the source said of it last.

    `record_id` is the id derived from the key; `lead_id` the lead's, which differs where a lead of the old
    system was adopted. `values` is the base of a three-way merge, `fingerprint` its short form. `report_id`:
    the report that finished the lead; no other record has the same. `replaced_by`: the phone number that the
    source has corrected its own to: the record with that number has taken its place, and mostly its lead.
    `corrections`: each time that this record took another one's place, oldest first.
    """

    record_id: str
    key: str
    lead_id: str
    source: str
    location: str
    values: LeadValues
    fingerprint: str
    first_seen_at: datetime
    first_run_id: str
    report_id: str | None = None
    replaced_by: str | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether no further report is to be expected of it: one has finished its lead, or the source has
        corrected its number."""
        by_report = self.report_id or (self.corrections and self.corrections[-1].finished_by)
        return self.replaced_by is not None or bool(by_report)

    @property
    def earlier_reports(self) -> frozenset[str]:
        """The reports that finished earlier leads of the booking: they are not about the one that it has."""
        return frozenset(
            made.report_id for made in self.corrections if made.report_id and made.finished_by is None
        )


class Write(NamedTuple):
    """A value that an import has given a field of a lead, or was about to when it was killed; None took the
    field away."""

    value: Any
    at: datetime


@dataclass(frozen=True, slots=True)
class LeadChange:
    """Fields of one lead to set, each from what it was read as to what it shall be; None: not there."""

    lead_id: str
    expected: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not become a lead.

    `reject_id` is derived from source, location and row: the same bad row is listed once. `source` is the
    step's name, `location` the location id or the file's name, `store` the store it was for ("": unknown).
    `position` tells which row of the source it was, so that its correction clears it. `row` is the raw row
    as JSON text.
    """

    reject_id: str
    source: str
    location: str
    store: str
    position: str
    reason: str
    row: str
    run_id: str
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class Store:
    """A shop. `code` is the API's locCode; `name` the canonical "Brand - Place"."""

    name: str
    code: str
    brand: str
    city: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class LocationState:
    """How far one report of one location has been synced.

    `watermark`: start of the last run that stored everything up to then, or None. `asked_at`: when it last
    answered with anything, and for a dormant one, when it last answered. `tried_at`: when it was last asked,
    whatever came of it. `dormant`: it had nothing in its whole window. `due_again`: how many of the
    rows in its last whole answer the next one must have as well; `recent`: how many records of its last
    answer are dated in the days that are always looked at again. `audited_at`: when it last answered for its
    whole window; `audit_tried_at`: when an audit last asked it, whether it answered or not. `doubted_since`:
    since when its answers are too thin, or look capped, to be believed.
    """

    location: str
    watermark: datetime | None = None
    asked_at: datetime | None = None
    tried_at: datetime | None = None
    dormant: bool = False
    due_again: int = 0
    recent: int = 0
    audited_at: datetime | None = None
    audit_tried_at: datetime | None = None
    doubted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days of the business, from the first to the last, both inclusive."""

    first: date
    last: date

    def has(self, moment: datetime) -> bool:
        """Whether a record's own date, the business's wall clock marked as UTC, lies in them."""
        return self.first <= moment.date() <= self.last


class BodyForm(StrEnum):
    """Which keys the body of a report's call has. USUAL: those that the old system got data with."""

    USUAL = "usual"
    ALL_KEYS = "all keys"
    WITHOUT_MONTHS = "without months"
    WITHOUT_EMPTY = "without empty keys"
    DATES_ALONE = "dates and location only"


@dataclass(frozen=True, slots=True)
class Window:
    """What a report is asked for: so many months back from today, or `days`, in a body of that form.

    Which rows the API gives for days is not known until it is measured (contract/rental-api.md, "What nobody
    knows").
    """

    months: int = 1
    days: Days | None = None
    form: BodyForm = BodyForm.USUAL


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One call for one location, or for all at once, where its id is empty. `deadline`: the monotonic clock's
    seconds after which it is given up. `tries`: at most so many; None: as many as any call has."""

    report: StepName
    location: str
    window: Window
    deadline: float
    tries: int | None = None


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


@dataclass(frozen=True, slots=True)
class SyncLog:
    """A `synclogs` document (contract/database.md), which the web app's own checks read."""

    sync_type: str
    trigger: Trigger
    at: datetime
    count: int
    status: StepStatus
    error_message: str | None


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run as `syncruns` keeps it. `document` is JSON-like: strings, numbers, lists and mappings only."""

    run_id: str
    started_at: datetime
    document: Mapping[str, Any]
