"""`doctor` on what starts the sync: the scheduler, its crontab line, the lock, missing environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from syncctl.domain.checks import Finding
from syncctl.ports.machine import (
    CRON_NOT_RUNNING,
    SYSTEMD,
    SYSTEMD_NOT_RUNNING,
    NextStart,
    ScheduleState,
)
from syncctl.services.checks.environment_checks import check_other_lines, check_scheduler, check_switch
from syncctl.services.checks.severity import Trouble


def check_schedule(
    state: ScheduleState,
    running: Collection[str] | None,
    only_here: Sequence[str],
    *,
    enabled: bool,
    runs_by_itself: bool | None,
) -> Iterator[Finding]:
    """What starts the sync. `running`: the schedulers running on this machine, None if unknown.
    `only_here`: settings from this shell's environment. `enabled`: API_SYNC_ENABLED. `runs_by_itself`:
    whether something was seen at work, whatever the crontab says; None: unknown."""
    yield _daemon(state, running, runs_by_itself=runs_by_itself)
    yield check_scheduler(state, NextStart(), runs_by_itself=runs_by_itself, name="Crontab")
    yield from check_other_lines(state)
    if only_here:
        yield Finding.warning(
            "Environment",
            f"set only in this shell: {', '.join(only_here)}; a scheduled run reads the .env alone",
            "Put them into .env.local beside the .env.",
        )
    yield check_switch(enabled=enabled)


def _daemon(state: ScheduleState, running: Collection[str] | None, *, runs_by_itself: bool | None) -> Finding:
    name = "Scheduler"
    if running is None:
        return Finding.warning(
            name, "other users' processes can't be seen", "Run `syncctl doctor` as root to see them."
        )
    wanted = {SYSTEMD} if state.by_systemd else set(running) - {SYSTEMD}
    found = sorted(wanted & set(running))
    if found:
        return Finding.passed(name, f"{', '.join(found)} is running")
    if state.by_systemd:
        return Trouble.SCHEDULE_BROKEN.found(name, *SYSTEMD_NOT_RUNNING)
    problem, hint = CRON_NOT_RUNNING
    if state.installed:
        return Trouble.SCHEDULE_BROKEN.found(name, f"{problem}: nothing starts the sync", hint)
    if runs_by_itself:
        return Finding.passed(name, f"{problem} here, and none is needed")
    return Trouble.NOT_SCHEDULED.found(name, problem, hint)
