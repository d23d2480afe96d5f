"""The status as `--json` prints it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from syncctl.domain.run_documents import instant
from syncctl.ports.admin import DuplicateCount
from syncctl.safe_output.redact import mask_phone
from syncctl.services.checks.status import DAYS, Status, StepHealth
from syncctl.services.checks.windows import AUDIT_PERIOD


def status_document(status: Status) -> dict[str, Any]:
    """The status as `--json` prints it."""
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
        "duplicates": _duplicates(content.duplicates) if content else None,
        "rejects": content.rejects if content else None,
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


def _duplicates(count: DuplicateCount | None) -> dict[str, Any]:
    """Null where nobody has counted them yet."""
    return {
        "sets": count.sets if count else None,
        "extra_copies": count.extra_copies if count else None,
        "counted_at": instant(count.counted_at) if count else None,
        "counted_by": count.counted_by if count else None,
    }


def _step_document(standing: StepHealth) -> dict[str, Any]:
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
