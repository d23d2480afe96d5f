"""Which runs are reported to the monitor at HEARTBEAT_URL, and in METRICS_FILE."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syncctl.domain.run_results import RunResult
    from syncctl.monitoring.healthchecks import Heartbeat
    from syncctl.monitoring.metrics import RunMetrics
    from syncctl.ports.admin import Database
    from syncctl.services.sync.planning import SyncOptions
    from syncctl.settings.settings import Settings

WATCHED_COMMANDS = ("api", "all")
"""Commands that do the whole job of the schedule, which is what the monitor watches."""


def heartbeat_of(
    settings: Settings, command: str, options: SyncOptions, *, dry_run: bool
) -> Heartbeat | None:
    """The heartbeat of a run, or None if HEARTBEAT_URL is not set or the run covers only part of the job,
    so that its success must not clear an alarm: another command, some locations, some days, a dry run."""
    is_part = dry_run or not options.covers_everything
    if settings.heartbeat_url is None or command not in WATCHED_COMMANDS or is_part:
        return None
    from syncctl.monitoring.healthchecks import Heartbeat

    return Heartbeat(settings.heartbeat_url)


def observer_of(
    settings: Settings,
    metrics: RunMetrics | None,
    *,
    is_part: bool = False,
    to_monitor: Callable[[str], None] | None = None,
) -> Callable[[RunResult, Database], None]:
    """What looks at a run's result and its database: for `metrics`, if METRICS_FILE is set, and `to_monitor`,
    which takes a line on what waits for a person. `is_part`: only some locations or days are synced."""

    def observe(result: RunResult, database: Database) -> None:
        if settings.metrics_file is not None and metrics is not None:
            metrics.observe(result, database, is_part=is_part)
        if to_monitor is not None:
            from syncctl.wiring.checks import waiting_line

            to_monitor(waiting_line(settings, database))

    return observe


def write_metrics(metrics: RunMetrics, file: Path | None, status: int) -> str | None:
    """Write METRICS_FILE, if it is set, at the end of a run. Gives a line if that failed."""
    if file is None:
        return None
    try:
        metrics.write(file, status, datetime.now(UTC))
    except OSError as error:
        return f"METRICS_FILE {file} can't be written: {error.strerror}. The run itself is not affected."
    return None
