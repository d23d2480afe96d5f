"""A run's result as plain data: what `--json` prints, and what the run history stores."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, NotRequired, TypedDict, cast

from syncctl.domain.run_results import (
    AuditResult,
    Counts,
    FinishedRow,
    LocationResult,
    RunResult,
    StepResult,
)
from syncctl.domain.sources import FILE_STEPS, REPORT_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.errors import ExitCode

Moment = Annotated[str, "date-time"]
"""As `instant` writes it."""

Day = Annotated[str, "date"]


class ResultDocument(TypedDict):
    """What any command prints with `--json`."""

    command: str
    ok: bool


class CountsDocument(TypedDict):
    """Counts as `--json` prints them; an enumeration beside a type says which values there are."""

    rows: int
    saved: int
    updated: int
    existing: int
    reported: int
    merged: int
    invalid: int
    ignored: int


class ProcessedDocument(TypedDict):
    """Of how many locations or files."""

    processed: int
    total: int


class AuditDocument(TypedDict):
    """What audits came to."""

    locations: int
    saved: int
    failed: int


class FinishedRowDocument(TypedDict):
    """A row of a file whose lead is finished."""

    file: str
    row: str
    day: Day | None
    report: str
    finished_at: Moment | None


class HiddenSheetsDocument(TypedDict):
    """Sheets of a workbook that were passed over."""

    file: str
    sheets: list[str]


class StepDocument(CountsDocument):
    """A step of a run."""

    name: Annotated[str, StepName]
    status: Annotated[str, StepStatus]
    locations: ProcessedDocument
    errors: int
    error: str | None
    audit: NotRequired[AuditDocument | None]
    finished: NotRequired[list[FinishedRowDocument]]
    hidden_sheets: NotRequired[list[HiddenSheetsDocument]]


class RunDocument(ResultDocument):
    """A run."""

    run_id: str
    trigger: Annotated[str, Trigger]
    dry_run: bool
    started_at: Moment
    duration_s: float
    next_sync_at: Moment | None
    steps: list[StepDocument]


MAX_CHANGED_KEPT = 20
"""How many booking numbers of changed bookings the history keeps per location."""


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second, with a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counts_document(counts: Counts) -> CountsDocument:
    """Counts as plain data."""
    return cast("CountsDocument", asdict(counts))


def _step(step: StepResult) -> StepDocument:
    document: StepDocument = {
        "name": step.name.value,
        "status": step.status.value,
        "locations": {"processed": step.processed, "total": step.total},
        **counts_document(step.counts),  # type: ignore[typeddict-item] # has no other keys
        "errors": step.errors,
        "error": step.error,
    }
    if step.name in REPORT_STEPS:
        document["audit"] = _audit(step.audit)
    if finished := [_finished(file, row) for file in step.locations for row in file.finished]:
        document["finished"] = finished
    hidden: list[HiddenSheetsDocument] = [
        {"file": f.location, "sheets": list(f.hidden_sheets)} for f in step.locations if f.hidden_sheets
    ]
    if hidden:
        document["hidden_sheets"] = hidden
    return document


def _audit(audit: AuditResult | None) -> AuditDocument | None:
    """The result of a report's audits; None if none were due. The errors are in the log."""
    if audit is None:
        return None
    return {"locations": audit.locations, "saved": audit.counts.saved, "failed": len(audit.failed)}


def _finished(file: LocationResult, row: FinishedRow) -> FinishedRowDocument:
    return {
        "file": file.location,
        "row": row.place,
        "day": row.day.isoformat() if row.day else None,
        "report": row.report_id,
        "finished_at": instant(row.finished_at) if row.finished_at else None,
    }


def run_envelope(result: RunResult) -> RunDocument:
    """The object that `--json` prints, key by key as in docs/reference/output.md."""
    return {
        "command": result.command,
        "ok": result.ok,
        "run_id": result.run_id,
        "trigger": result.trigger.value,
        "dry_run": result.dry_run,
        "started_at": instant(result.started_at),
        "duration_s": round(result.duration_s, 3),
        "next_sync_at": instant(result.next_sync_at) if result.next_sync_at else None,
        "steps": [_step(step) for step in result.steps],
    }


def exit_code(result: RunResult) -> ExitCode:
    """The exit status of a run: FAILED if an API step failed, DATA if only files could not be read."""
    if result.ok:
        return ExitCode.OK
    fine = (StepStatus.SUCCESS, StepStatus.SKIPPED)
    only_files = all(step.name in FILE_STEPS for step in result.steps if step.status not in fine)
    return ExitCode.DATA if only_files else ExitCode.FAILED


def _is_worth_keeping(result: LocationResult) -> bool:
    counts = result.counts
    return bool(
        result.error
        or result.warning
        or result.changed
        or result.conflicts
        or counts.saved
        or counts.updated
        or counts.invalid
    )


def _location(result: LocationResult) -> dict[str, Any]:
    return {
        "location": result.location,
        "store": result.store,
        **counts_document(result.counts),
        "changed": list(result.changed[:MAX_CHANGED_KEPT]),
        "conflicts": list(result.conflicts[:MAX_CHANGED_KEPT]),
        "error": result.error,
        "warning": result.warning,
    }


def history_document(result: RunResult) -> dict[str, Any]:
    """The envelope, and for each step the locations where something happened."""
    document: dict[str, Any] = dict(run_envelope(result))
    document |= {"newly_rejected": result.newly_rejected, "whole": result.whole}
    if result.shard is not None:
        document["shard"] = str(result.shard)
    if result.corrected_lines is not None:
        document["corrected_lines"] = dict(result.corrected_lines)
    for kept, step in zip(document["steps"], result.steps, strict=True):
        kept.pop("finished", None)  # each row's record names its report
        kept["dormant"] = step.dormant
        if step.refusal:
            kept["refusal"] = step.refusal
        kept["changed"] = step.changed
        kept["details"] = [
            _location(entry)
            for entry in step.locations
            if _is_worth_keeping(entry) or (step.name in FILE_STEPS and not entry.unchanged)
        ]
    return document


class ErrorDocument(TypedDict):
    """Why a command has failed."""

    exit_code: int
    message: str
    hint: str | None


class FailedDocument(ResultDocument):
    """What any command prints that ends with an error."""

    error: ErrorDocument


class RunWithErrorDocument(RunDocument):
    """A run; with an error where it was broken off, or where something failed after it."""

    error: NotRequired[ErrorDocument]
