"""Which runs are reported to the monitor at HEARTBEAT_URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncctl.monitoring.healthchecks import Heartbeat
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
