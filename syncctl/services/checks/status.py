"""`status`: the health of the sync at a glance, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from syncctl.domain.lead_values import Document
from syncctl.domain.records import CorrectionOutcome, SyncRecord
from syncctl.domain.run_documents import instant
from syncctl.domain.run_history import RunEntry
from syncctl.domain.run_results import Counts
from syncctl.domain.steps import REPORT_STEPS, StepStatus
from syncctl.locations import Locations
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import Database
from syncctl.ports.machine import LockState
from syncctl.safe_output.redact import mask_phone
from syncctl.services.checks.app_scheduler import FRESH, find_traces, scheduler_reason
from syncctl.services.checks.freshness import (
    ApiStep,
    ago,
    api_steps,
    has_synced,
    misdated_words,
    success_words,
)
from syncctl.services.checks.history import counts_of
from syncctl.services.checks.progress import report_progress
from syncctl.services.checks.windows import AUDITS_OVER, Doubt, doubt_words, doubts
from syncctl.services.cleanup.duplicates import KEY_FIELDS, DuplicateFinder
from syncctl.services.matching.legacy_leads import text_of
from syncctl.services.run import Clock
from syncctl.services.sync.planning import CLOCK_TOLERANCE

DAYS = 14
RUNS_LOOKED_AT = 20
"""Among so many newest runs the last one of each API is sought, for its counts."""

_LOG_LEEWAY = timedelta(seconds=2)
"""A step's entry in synclogs may be this much later than its run's end: the two are timed by two clocks."""


class Health(StrEnum):
    """FAILING: the database can't be used, or an API's last run failed. LATE: an API has had no success for
    three intervals of the schedule, or never; one of a few locations is none. A run that failed in part does
    not count as failing, as the next one mostly mends it; if it does not, the API is late. FAILING as well
    while the web app's own scheduler is at work: finished leads come back then."""

    OK = "OK"
    LATE = "LATE"
    FAILING = "FAILING"


@dataclass(frozen=True, slots=True)
class StepStanding:
    """A step of the API, and what its last run came to, where the sync's own history still has that."""

    step: ApiStep
    counts: Counts | None


@dataclass(frozen=True, slots=True)
class Content:
    """What the database holds. `per_day`: new leads of the last DAYS days, by the business's wall clock, the
    oldest first. `duplicate_sets` have `extra_copies` in all."""

    leads: int
    per_day: Mapping[date, int]
    duplicate_sets: int
    extra_copies: int
    rejects: int


@dataclass(frozen=True, slots=True)
class LeftLead:
    """A lead that still has the number that the source has corrected: somebody had worked on it. Numbers of
    ten digits; `at`: when the correction was seen."""

    booking_no: str
    store: str
    phone_before: str
    phone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SecondLead:
    """A booking with two leads, as the source had two numbers for it at once, and by now has one: a person
    decides which stays. Numbers of ten digits; `at`: when that was seen."""

    booking_no: str
    store: str
    phone_before: str
    lead_id_before: str
    phone: str
    lead_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Corrections:
    """Phone numbers corrected at the source in the last DAYS days. `by_outcome`: how many, by what became of
    the leads. `left`, `second_leads`: those that a person should look at, the newest first."""

    by_outcome: Mapping[CorrectionOutcome, int] = field(default_factory=dict)
    left: tuple[LeftLead, ...] = ()
    second_leads: tuple[SecondLead, ...] = ()

    @property
    def count(self) -> int:
        return sum(self.by_outcome.values())


@dataclass(frozen=True, slots=True)
class Status:
    """All of it. `reasons`: why the health is not OK, and what else should be known. `content`: None where
    the database can't be used. `saved_by_audits`: how many leads only audits brought in AUDITS_OVER, by
    step. `doubts`: the locations whose answers are not believed yet. `corrections`: of phone numbers."""

    health: Health
    reasons: tuple[str, ...]
    checked_at: datetime
    sync_enabled: bool
    next_sync_at: datetime
    lock: LockState
    steps: tuple[StepStanding, ...] = ()
    content: Content | None = None
    saved_by_audits: Mapping[str, int] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    corrections: Corrections = field(default_factory=Corrections)

    @property
    def ok(self) -> bool:
        return self.health is Health.OK

    @property
    def next_step(self) -> str:
        """What a person should do now; "" while all is well."""
        if self.ok:
            return ""
        if self.content is None:
            return "`syncctl doctor` looks further"
        if all(standing.step.last is None for standing in self.steps):
            return "`syncctl doctor` tells whether all is set up"
        return "`syncctl verify sync` says why, and what to do"


def take_status(
    database: Database, lock: LockState, locations: Locations, clock: Clock, *, sync_enabled: bool
) -> Status:
    """Look at everything, in one pass over the leads. Raises StorageError: see `status_without_database`."""
    now = clock.now()
    progress = report_progress(database, locations)
    runs = database.runs(RUNS_LOOKED_AT, until=now + CLOCK_TOLERANCE)
    steps = api_steps(
        database.last_sync_logs(),
        progress,
        now,
        clock.next_sync,
        synced_before=has_synced(progress, runs),
    )
    health, reasons = judge(steps, now)
    if reason := scheduler_reason(find_traces(database, locations, lock, now, FRESH), now):
        health = Health.FAILING
        reasons.append(reason)
    in_doubt = doubts(progress)
    reasons += [
        f"{report}: {words}" for report in REPORT_STEPS if (words := doubt_words(in_doubt, report, now))
    ]
    return Status(
        health=health,
        reasons=(*reasons, *_asides(lock, sync_enabled)),
        checked_at=now,
        sync_enabled=sync_enabled,
        next_sync_at=clock.next_sync(now),
        lock=lock,
        saved_by_audits=database.saved_by_audits(now - AUDITS_OVER),
        doubts=in_doubt,
        corrections=_corrections(database, now - timedelta(days=DAYS)),
        steps=tuple(StepStanding(step, _counts(step, runs)) for step in steps),
        content=_content(database, locations, now.astimezone(clock.business_zone).date()),
    )


def status_without_database(problem: str, lock: LockState, clock: Clock, *, sync_enabled: bool) -> Status:
    """What can be said while the database can't be used. `problem`: why, in words."""
    now = clock.now()
    return Status(
        health=Health.FAILING,
        reasons=(problem, *_asides(lock, sync_enabled)),
        checked_at=now,
        sync_enabled=sync_enabled,
        next_sync_at=clock.next_sync(now),
        lock=lock,
    )


def judge(steps: Iterable[ApiStep], now: datetime) -> tuple[Health, list[str]]:
    """The health that follows from the steps of the API, and why."""
    steps = tuple(steps)
    if all(step.last is None for step in steps):
        return Health.LATE, ["Nothing was synced yet: `syncctl api` syncs for the first time."]
    health, reasons = Health.OK, []
    for step in steps:
        if reason := _reason(step, now):
            reasons.append(f"{step.step}: {reason}")
        if step.failed:
            health = Health.FAILING
        elif step.late and health is Health.OK:
            health = Health.LATE
    return health, reasons


def _reason(step: ApiStep, now: datetime) -> str:
    """What is to be said of a step; "" if all is well."""
    told = []
    if step.last and step.last.status is not StepStatus.SUCCESS and not step.last_is_misdated:
        how = "failed" if step.failed else "failed in part"
        why = f": {step.last.error_message}" if step.last.error_message else ""
        told.append(f"the last run, {ago(step.last.at, now)}, {how}{why}")
    if step.late:
        success = success_words(step, now)
        told.append(f"the last success was {success}" if step.last_success_at else success)
    if step.misdated:
        told.append(f"{misdated_words(step.misdated)[0]}: remove it")
    return "; ".join(told)


def _asides(lock: LockState, sync_enabled: bool) -> list[str]:
    told = []
    if not sync_enabled:
        told.append("Automatic sync is off (API_SYNC_ENABLED=false): what cron starts does nothing.")
    if lock.problem:
        told.append(f"Lock: {lock.problem}.")
    return told


def _counts(step: ApiStep, runs: Iterable[RunEntry]) -> Counts | None:
    """The counts of the run that left the step's last entry in synclogs."""
    if step.last is None:
        return None
    for run in runs:
        length = timedelta(seconds=run.document["duration_s"]) + _LOG_LEEWAY
        if run.started_at - _LOG_LEEWAY <= step.last.at <= run.started_at + length:
            for told in run.document["steps"]:
                if told["name"] == step.step:
                    return counts_of(told)
    return None


def _content(database: Database, locations: Locations, today: date) -> Content:
    finder, count, by_day = DuplicateFinder(locations, database), 0, Counter[date]()
    for lead in database.scan_leads(KEY_FIELDS):
        count += 1
        finder.add(lead)
        if day := _day(lead):
            by_day[day] += 1
    duplicates = finder.found()
    days = [today - timedelta(days=age) for age in reversed(range(DAYS))]
    return Content(
        leads=count,
        per_day={day: by_day[day] for day in days},
        duplicate_sets=duplicates.count,
        extra_copies=duplicates.extra_copies,
        rejects=database.totals().rejects,
    )


def _corrections(database: Database, since: datetime) -> Corrections:
    records = [entry.record for entry in database.corrected_records(since)]
    recent = Counter(made.outcome for record in records for made in record.corrections if made.at >= since)
    left = [
        record
        for record in records
        if record.replaced_by is None and record.corrections[-1].outcome is CorrectionOutcome.LEFT
    ]
    leads = database.leads([record.lead_id for record in left])
    return Corrections(
        {outcome: recent[outcome] for outcome in CorrectionOutcome if recent[outcome]},
        tuple(
            LeftLead(
                record.values.get("bookingNo", ""),
                record.values.get("store", ""),
                record.corrections[-1].phone_before,
                record.values["phone"],
                record.corrections[-1].at,
            )
            for record in sorted(left, key=lambda record: record.corrections[-1].at, reverse=True)
            if (lead := leads.get(record.lead_id)) is not None
            and phone_number(text_of(lead, "phone")) != record.values["phone"]
        ),
        _second_leads(database, records),
    )


def _second_leads(database: Database, corrected: Sequence[SyncRecord]) -> tuple[SecondLead, ...]:
    """Of corrected records those whose bookings have two leads still."""
    pairs = [
        (record, made)
        for record in corrected
        for made in record.corrections[-1:]
        if made.outcome is CorrectionOutcome.SECOND_LEAD and record.replaced_by is None
    ]
    if not pairs:
        return ()
    numbers = {record.values.get("bookingNo", "") for record, _ in pairs}
    before = {
        (each.source, each.values.get("bookingNo"), each.values["phone"]): each.lead_id
        for each in (entry.record for entry in database.records_about((), numbers, ()))
    }
    found = [
        SecondLead(
            record.values.get("bookingNo", ""),
            record.values.get("store", ""),
            made.phone_before,
            before[key],
            record.values["phone"],
            record.lead_id,
            made.at,
        )
        for record, made in pairs
        if (key := (record.source, record.values.get("bookingNo"), made.phone_before)) in before
    ]
    there = database.present_leads(
        {lead_id for each in found for lead_id in (each.lead_id, each.lead_id_before)}
    )
    both = [each for each in found if {each.lead_id, each.lead_id_before} <= there]
    return tuple(sorted(both, key=lambda each: each.at, reverse=True))


def _day(lead: Document) -> date | None:
    created_at = lead.get("createdAt")
    return created_at.date() if isinstance(created_at, datetime) else None


def status_document(status: Status) -> dict[str, Any]:
    """It as `--json` prints it."""
    content = status.content
    return {
        "command": "status",
        "ok": status.ok,
        "health": status.health.value,
        "reasons": list(status.reasons),
        "checked_at": instant(status.checked_at),
        "sync_enabled": status.sync_enabled,
        "next_sync_at": instant(status.next_sync_at),
        "steps": [_step_document(standing) for standing in status.steps],
        "leads": content.leads if content else None,
        "leads_per_day": (
            {day.isoformat(): count for day, count in content.per_day.items()} if content else None
        ),
        "duplicates": (
            {"sets": content.duplicate_sets, "extra_copies": content.extra_copies} if content else None
        ),
        "rejects": content.rejects if content else None,
        "audits": {"days": AUDITS_OVER.days, "saved": dict(status.saved_by_audits)} if content else None,
        "doubts": [
            {"report": doubt.report.value, "location": doubt.location, "since": instant(doubt.since)}
            for doubt in status.doubts
        ],
        "corrections": {
            "days": DAYS,
            "count": status.corrections.count,
            "by_outcome": {
                outcome.value: number for outcome, number in status.corrections.by_outcome.items()
            },
            "left": [
                {
                    "booking_no": left.booking_no,
                    "store": left.store,
                    "phone_before": mask_phone(left.phone_before),
                    "phone": mask_phone(left.phone),
                    "at": instant(left.at),
                }
                for left in status.corrections.left
            ],
            "second_leads": [
                {
                    "booking_no": each.booking_no,
                    "store": each.store,
                    "phone_before": mask_phone(each.phone_before),
                    "lead_id_before": each.lead_id_before,
                    "phone": mask_phone(each.phone),
                    "lead_id": each.lead_id,
                    "at": instant(each.at),
                }
                for each in status.corrections.second_leads
            ],
        }
        if content
        else None,
        "lock": {
            "held": status.lock.held,
            "pid": status.lock.pid,
            "host": status.lock.host,
            "since": instant(status.lock.since) if status.lock.since else None,
            "problem": status.lock.problem,
        },
    }


def _step_document(standing: StepStanding) -> dict[str, Any]:
    step, last = standing.step, standing.step.last
    return {
        "name": step.step.value,
        "status": last.status.value if last else None,
        "last_run_at": instant(last.at) if last and not step.last_is_misdated else None,
        "last_success_at": instant(step.last_success_at) if step.last_success_at else None,
        "late": step.late,
        "new": last.count if last else None,
        "counts": asdict(standing.counts) if standing.counts else None,
        "error": last.error_message if last else None,
    }
