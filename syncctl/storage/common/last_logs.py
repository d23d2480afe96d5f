"""The newest entries of `synclogs` among some, by kind."""

from collections.abc import Iterable

from syncctl.domain.run_history import SyncLog
from syncctl.domain.steps import StepStatus
from syncctl.ports.admin import LastLogs


def last_logs(oldest_first: Iterable[SyncLog]) -> dict[str, LastLogs]:
    """By `syncType`: the last of these entries, and the last that says success."""
    logs: dict[str, LastLogs] = {}
    for log in oldest_first:
        before = logs.get(log.sync_type)
        earlier_success = before.last_success if before else None
        logs[log.sync_type] = LastLogs(log, log if log.status is StepStatus.SUCCESS else earlier_success)
    return logs
