"""The status as `--json` prints it, key by key; an enumeration beside a type says which values there are."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict, cast

from syncctl.domain.run_documents import CountsDocument, Moment, ResultDocument, counts_document, instant
from syncctl.domain.sources import StepName
from syncctl.domain.steps import StepStatus
from syncctl.ports.admin import DuplicateCount
from syncctl.ports.machine import StartedBy
from syncctl.safe_output.redact import mask_phone
from syncctl.services.checks.attention import LeadToReview, SecondLead
from syncctl.services.checks.severity import Health
from syncctl.services.checks.status import DAYS, Status, StepHealth
from syncctl.services.checks.windows import AUDIT_PERIOD


class StepHealthDocument(TypedDict):
    """The last run of an API step."""

    name: Annotated[str, StepName]
    status: Annotated[str, StepStatus] | None
    last_run_at: Moment | None
    last_success_at: Moment | None
    late: bool
    new: int | None
    counts: CountsDocument | None
    error: str | None


class DuplicatesDocument(TypedDict):
    """How many duplicates there are."""

    sets: int
    extra_copies: int


class CountedDuplicatesDocument(TypedDict):
    """The same as the last pass over all leads counted them; null: there was none yet."""

    sets: int | None
    extra_copies: int | None
    counted_at: Moment | None
    counted_by: str | None


class AuditsDocument(TypedDict):
    """What only audits found: report -> rows."""

    days: int
    saved: dict[str, int]


class DoubtDocument(TypedDict):
    """A location whose answers are in doubt."""

    report: Annotated[str, StepName]
    location: str
    since: Moment


class CorrectedPhoneDocument(TypedDict):
    """A phone number that was corrected at the source."""

    booking_no: str
    store: str
    phone_before: str
    phone: str
    at: Moment


class SecondLeadDocument(CorrectedPhoneDocument):
    """A correction that has left a booking with two leads."""

    lead_id_before: str
    lead_id: str


class CorrectionsDocument(TypedDict):
    """Phone numbers that were corrected at the source."""

    days: int
    count: int
    by_outcome: dict[str, int]
    left: list[CorrectedPhoneDocument]
    second_leads: list[SecondLeadDocument]


class LockDocument(TypedDict):
    """The run lock."""

    held: bool
    pid: int | None
    host: str | None
    since: Moment | None
    problem: str | None


class ScheduledDocument(TypedDict):
    """What starts the next sync, and what keeps it from starting."""

    by: Annotated[str, StartedBy] | None
    problem: str | None


class ImportDocument(TypedDict):
    """The last import of a kind."""

    kind: Annotated[str, StepName]
    at: Moment
    status: Annotated[str, StepStatus]
    leads: int
    error: str | None


class StatusDocument(ResultDocument):
    """What `status` prints."""

    health: Annotated[str, Health]
    reasons: list[str]
    checked_at: Moment
    sync_enabled: bool
    next_sync_at: Moment | None
    scheduled: ScheduledDocument
    steps: list[StepHealthDocument]
    leads: int | None
    leads_per_day: dict[str, int] | None
    duplicates: CountedDuplicatesDocument | None
    rejects: int | None
    oldest_reject_at: Moment | None
    imports: list[ImportDocument]
    audits: AuditsDocument | None
    doubts: list[DoubtDocument]
    corrections: CorrectionsDocument | None
    lock: LockDocument


def status_document(status: Status) -> StatusDocument:
    """The status as `--json` prints it."""
    content = status.content
    return {
        "command": "status",
        "ok": status.ok,
        "health": status.health.value,
        "reasons": list(status.reasons),
        "checked_at": instant(status.checked_at),
        "sync_enabled": status.sync_enabled,
        "next_sync_at": instant(status.start.at) if status.start.at else None,
        "scheduled": {"by": status.start.by, "problem": status.start.problem or None},
        "steps": [_step_document(standing) for standing in status.steps],
        "leads": content.leads if content else None,
        "leads_per_day": (
            {day.isoformat(): count for day, count in content.per_day.items()} if content else None
        ),
        "duplicates": _duplicates(content.duplicates) if content else None,
        "rejects": content.rejects.count if content else None,
        "oldest_reject_at": (
            instant(content.rejects.oldest_at) if content and content.rejects.oldest_at else None
        ),
        "imports": [
            {
                "kind": each.kind.value,
                "at": instant(each.log.at),
                "status": each.log.status.value,
                "leads": each.log.count,
                "error": each.log.error_message,
            }
            for each in status.imports
        ],
        "audits": {"days": AUDIT_PERIOD.days, "saved": dict(status.saved_by_audits)} if content else None,
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
            "left": [cast("CorrectedPhoneDocument", _corrected(each)) for each in status.corrections.left],
            "second_leads": [
                cast("SecondLeadDocument", _corrected(each)) for each in status.corrections.second_leads
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


def _corrected(each: LeadToReview | SecondLead) -> dict[str, Any]:
    """Its fields, phone numbers masked."""
    phones = {name: mask_phone(getattr(each, name)) for name in ("phone_before", "phone")}
    return {**each._asdict(), **phones, "at": instant(each.at)}


def _duplicates(count: DuplicateCount | None) -> CountedDuplicatesDocument:
    """Null where nobody has counted them yet."""
    return {
        "sets": count.sets if count else None,
        "extra_copies": count.extra_copies if count else None,
        "counted_at": instant(count.counted_at) if count else None,
        "counted_by": count.counted_by if count else None,
    }


def _step_document(standing: StepHealth) -> StepHealthDocument:
    step, last = standing.step, standing.step.last
    return {
        "name": step.step.value,
        "status": last.status.value if last else None,
        "last_run_at": instant(last.at) if last and not step.last_is_misdated else None,
        "last_success_at": instant(step.last_success_at) if step.last_success_at else None,
        "late": step.late,
        "new": last.count if last else None,
        "counts": counts_document(standing.counts) if standing.counts else None,
        "error": last.error_message if last else None,
    }
