"""`doctor` on what starts the sync: the scheduler, its crontab line, the lock, missing environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from syncctl.domain.checks import Finding
from syncctl.ports.machine import SYSTEMD, LockState, ScheduleState
from syncctl.services.checks.environment_checks import LOCK_MARGIN, check_other_lines, lock_words

CRON_NOT_RUNNING = (
    "no cron daemon is running",
    "Start it with `service cron start` (outside Debian: `crond`), or install it first.",
)
SYSTEMD_NOT_RUNNING = ("systemd is not running here", "Use cron here: `syncctl cron install`.")
"""What is wrong, and what to do."""


def check_schedule(
    state: ScheduleState, running: Collection[str] | None, only_here: Sequence[str], *, enabled: bool
) -> Iterator[Finding]:
    """What starts the sync. `running`: the schedulers running on this machine, None if unknown.
    `only_here`: settings from this shell's environment. `enabled`: API_SYNC_ENABLED."""
    yield _scheduler(state, running)
    yield _line(state)
    yield from check_other_lines(state)
    if only_here:
        yield Finding.warning(
            "Environment",
            f"set only in this shell: {', '.join(only_here)}; a scheduled run reads the .env alone",
            "Put them into .env.local beside the .env.",
        )
    if not enabled:
        yield Finding.warning(
            "API_SYNC_ENABLED",
            "false: scheduled runs do nothing",
            "Set it to true when they should run, in .env.local if the web app reads that .env.",
        )


def _scheduler(state: ScheduleState, running: Collection[str] | None) -> Finding:
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
        return Finding.failed(name, *SYSTEMD_NOT_RUNNING)
    problem, hint = CRON_NOT_RUNNING
    if state.installed:
        return Finding.failed(name, f"{problem}: nothing starts the sync", hint)
    return Finding.warning(name, problem, hint)


def _line(state: ScheduleState) -> Finding:
    name = "Crontab"
    if state.problem:
        return Finding.warning(
            name, state.problem, state.hint or "`syncctl cron show` shows the line that belongs there."
        )
    if not state.installed:
        return Finding.warning(
            name, state.found, "`syncctl cron install` adds it, unless something else starts the sync."
        )
    if not state.in_step:
        return Finding.failed(name, state.found, "`syncctl cron install` corrects it (--dry-run shows how).")
    return Finding.passed(name, state.found)


def check_lock(lock: LockState, now: datetime, run_deadline: timedelta) -> Finding:
    """Whether a run holds the lock, and for too long. `run_deadline`: how long a run may take."""
    name = "Lock"
    if lock.problem:
        return Finding.failed(name, lock.problem, "No run can start: make it usable, or set SYNC_LOCK_FILE.")
    found = lock_words(lock, now)
    if lock.held and lock.since and now - lock.since > run_deadline + LOCK_MARGIN:
        return Finding.warning(
            name, found, "Longer than a run may take: it is an import, or it hangs; then end it."
        )
    return Finding.passed(name, found)
