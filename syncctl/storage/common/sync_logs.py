"""Entries of `synclogs` as documents and back (contract/database.md), and the newest of them by kind."""

from collections.abc import Iterable
from datetime import datetime

from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.admin import LastLogs
from syncctl.text import to_text

_TRIGGERS = {str(trigger): trigger for trigger in Trigger}
_STATUSES = {str(status): status for status in StepStatus}


def sync_log_document(entry: SyncLog) -> Document:
    """An entry as Mongoose would store it, but for its `_id`, which the database gives it."""
    return {
        "syncType": entry.sync_type,
        "trigger": str(entry.trigger),
        "lastSyncAt": entry.at,
        "lastSyncCount": entry.count,
        "status": str(entry.status),
        "errorMessage": entry.error_message,
        "createdAt": entry.at,
        "updatedAt": entry.at,
        "__v": 0,
    }


def sync_log_from(document: Document, at: datetime) -> SyncLog:
    """The entry of a sync at that moment, by this or the old program, which left fields out, or by hand.

    An unknown status doesn't count as success, nor an unknown trigger as a person.
    """
    count, message = document.get("lastSyncCount"), document.get("errorMessage")
    return SyncLog(
        sync_type=document["syncType"],
        trigger=_TRIGGERS.get(str(document.get("trigger")), Trigger.AUTO),
        at=at,
        count=int(count) if isinstance(count, int | float) and float(count).is_integer() else 0,
        status=_STATUSES.get(str(document.get("status")), StepStatus.FAILED),
        error_message=None if message is None else to_text(message),
    )


def last_logs(oldest_first: Iterable[SyncLog]) -> dict[str, LastLogs]:
    """By `syncType`: the last of these entries, and the last that says success."""
    logs: dict[str, LastLogs] = {}
    for log in oldest_first:
        before = logs.get(log.sync_type)
        earlier_success = before.last_success if before else None
        logs[log.sync_type] = LastLogs(log, log if log.status is StepStatus.SUCCESS else earlier_success)
    return logs
