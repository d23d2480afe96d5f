"""`verify sync` outside the database: settings, schedule, scheduler, lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from syncctl.domain.checks import Finding
from syncctl.ports.machine import LockState, NextStart, ScheduleState
from syncctl.services.checks.freshness import NextSync, span
from syncctl.services.checks.severity import Trouble

LOCK_MARGIN = timedelta(minutes=1)
"""How long after its deadline a run may take to save its results and end."""


@dataclass(frozen=True, slots=True)
class SyncEnvironment:
    """The environment of the sync. All texts may be shown; secrets are masked."""

    sync_enabled: bool
    schedule: str
    """API_SYNC_TIME and its time zone."""

    endpoints: Mapping[str, str]
    """The addresses called, by setting."""

    in_force: Mapping[str, str]
    """Further relevant settings, by title."""

    audit_locations: int
    """API_AUDIT_LOCATIONS."""

    run_deadline: timedelta
    """How long a run may take."""

    lock: LockState
    scheduler: ScheduleState
    """What starts the sync."""

    start: NextStart = field(default_factory=NextStart)
    """What that comes to: whether its daemon runs."""


def check_environment(
    environment: SyncEnvironment, now: datetime, next_sync: NextSync, *, runs_by_itself: bool | None
) -> Iterator[Finding]:
    """One finding each. `runs_by_itself`: whether a scheduler was seen at work, whatever the crontab says;
    None: unknown."""
    yield check_lock(environment.lock, now, environment.run_deadline)
    yield check_scheduler(environment.scheduler, environment.start, runs_by_itself=runs_by_itself)
    yield from check_other_lines(environment.scheduler)
    yield check_switch(enabled=environment.sync_enabled)
    yield _schedule(environment, now, next_sync)
    yield _endpoints(environment.endpoints)
    for title, value in environment.in_force.items():
        yield Finding.passed(title, value)


def lock_words(lock: LockState, now: datetime) -> str:
    """Who holds the lock, and for how long."""
    if not lock.held:
        return "free"
    who = f"pid {lock.pid}" if lock.pid else "a run"
    where = f" on {lock.host}" if lock.host else ""
    since = f" for {span(now - lock.since)}" if lock.since else ""
    return f"held by {who}{where}{since}"


def check_other_lines(state: ScheduleState) -> Iterator[Finding]:
    """What interferes with the crontab line, and what syncs or imports automatically but shouldn't; no
    findings if all is well."""
    for obstacle in state.obstacles:
        yield Trouble.SCHEDULE_BROKEN.found(
            "Crontab variable",
            f"above the line, the crontab has {obstacle}",
            "Move the line, or the whole block of `syncctl cron install`, above that with `crontab -e`.",
        )
    for line in state.old_syncs:
        yield Trouble.SCHEDULE_BROKEN.found(
            "Old system's sync",
            f"the crontab still runs it: {line}",
            "It brings finished and deleted leads back. Remove that line with `crontab -e`; `syncctl cron "
            "install` lets cron run `syncctl api` instead.",
        )
    for each in state.imports:
        instead = "`syncctl cron install` lets cron run `syncctl api` instead"
        if each.by_systemd:
            instead = "`syncctl cron show --systemd` prints the units that run `syncctl api` instead"
        yield Trouble.SCHEDULE_BROKEN.found(
            "Scheduled import",
            f"{each.place} runs `{each.command}`: {each.line}",
            f"Files are imported by hand only. Remove that with `{each.remove}`; {instead}.",
        )


def check_lock(lock: LockState, now: datetime, run_deadline: timedelta) -> Finding:
    """Whether a run holds the lock, and for too long. `run_deadline`: how long a run may take."""
    name = "Lock"
    if lock.problem:
        return Trouble.LOCK_UNUSABLE.found(
            name, lock.problem, "No run can start: make it usable, or set SYNC_LOCK_FILE."
        )
    found = lock_words(lock, now)
    longest = run_deadline + LOCK_MARGIN
    if lock.held and lock.since and now - lock.since > longest:
        return Trouble.LOCK_HELD_LONG.found(
            name,
            f"{found}, though a run of the API ends within {span(longest)}",
            "A long import or --full may take that long; if the process hangs, end it, which frees the lock.",
        )
    return Finding.passed(name, found if lock.held else "free: nothing is running")


def check_scheduler(
    state: ScheduleState, start: NextStart, *, runs_by_itself: bool | None, name: str = "Scheduler"
) -> Finding:
    """Whether something starts the sync. `start`: whether its daemon runs; `runs_by_itself` as in
    `check_environment`."""
    if not state.installed and runs_by_itself:
        return Finding.passed(
            name, f"{state.found}, but something else starts the sync in each interval of the schedule"
        )
    if state.problem:
        hint = " ".join(filter(None, (state.hint, "Check how `syncctl api` is started.")))
        return Trouble.NOT_SCHEDULED.found(name, state.problem, hint)
    if not state.installed:
        found = f"{state.found}: nothing starts the sync"
        hint = state.hint or "`syncctl cron install` adds the line."
        if runs_by_itself is None:
            found = f"{state.found}, and what starts the sync can't be seen from here"
            hint = "If another user's crontab or a container does, all is well; else `syncctl cron install`."
        return Trouble.NOT_SCHEDULED.found(name, found, hint)
    if start.hint:
        found = f"{state.found}, but {start.problem}: nothing starts the sync"
        return Trouble.SCHEDULE_BROKEN.found(name, found, start.hint)
    if not state.in_step:
        hint = "`syncctl cron show --systemd`" if state.by_systemd else "`syncctl cron install`"
        return Trouble.SCHEDULE_BROKEN.found(name, state.found, f"{hint} makes it match API_SYNC_TIME.")
    return Finding.passed(name, state.found)


def check_switch(*, enabled: bool) -> Finding:
    """Whether scheduled runs do anything."""
    name = "Automatic sync"
    if enabled:
        return Finding.passed(name, "on (API_SYNC_ENABLED=true)")
    return Trouble.SWITCHED_OFF.found(
        name,
        "off (API_SYNC_ENABLED=false): scheduled runs do nothing",
        "Set API_SYNC_ENABLED=true when it should run again, in .env.local if the web app reads that .env.",
    )


def _schedule(environment: SyncEnvironment, now: datetime, next_sync: NextSync) -> Finding:
    """When the sync is due."""
    first = next_sync(now)
    second = next_sync(first)
    due = f"due in {span(first - now)}, then {span(second - first)} later"
    if not environment.sync_enabled:
        due = "nothing is due while paused"
    return Finding.passed("Schedule", f"{environment.schedule}: {due}")


def _endpoints(endpoints: Mapping[str, str]) -> Finding:
    called = [name for name, address in endpoints.items() if _is_rentout(address)]
    if called:
        return Finding.failed(
            "No rent-out API",
            f"{', '.join(called)} asks for rent-outs",
            "Remove it: rent-out APIs are never called.",
        )
    return Finding.passed("No rent-out API", f"none of the {len(endpoints)} addresses asks for rent-outs")


def _is_rentout(address: str) -> bool:
    """Whether the address must never be called, in any spelling (contract/rental-api.md)."""
    path = unquote(address.partition("://")[2].partition("/")[2]).lower()
    return "rentout" in "".join(filter(str.isalnum, path))
