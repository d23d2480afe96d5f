"""Which runs tell the monitor at HEARTBEAT_URL how they went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncctl.monitoring.healthchecks import Heartbeat
    from syncctl.services.sync.planning import SyncOptions
    from syncctl.settings.settings import Settings

WATCHED_COMMANDS = ("api", "all")
"""Those that do what the monitor watches over: the whole job that the schedule is for."""


def heartbeat_of(
    settings: Settings, command: str, options: SyncOptions, *, dry_run: bool
) -> Heartbeat | None:
    """The heartbeat of a run, or None: HEARTBEAT_URL is not set, or the run does not do the whole job, so
    that its success must not calm the alarm: another command, some locations, some days, a dry run."""
    is_part = bool(options.locations) or options.date_from is not None or dry_run
    if settings.heartbeat_url is None or command not in WATCHED_COMMANDS or is_part:
        return None
    from syncctl.monitoring.healthchecks import Heartbeat

    return Heartbeat(settings.heartbeat_url)
