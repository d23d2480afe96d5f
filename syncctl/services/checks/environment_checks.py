"""`verify sync` outside the database: settings, schedule, scheduler, lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from syncctl.domain.checks import Finding
from syncctl.ports.machine import LockState, NextStart, ScheduleState
from syncctl.services.checks.freshness import NextSync, span

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
    yield _lock(environment, now)
    yield _scheduler(environment.scheduler, environment.start, runs_by_itself=runs_by_itself)
    yield from check_other_lines(environment.scheduler)
    yield _switch(environment.sync_enabled)
    yield _schedule(environment.schedule, now, next_sync)
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
        yield Finding.failed(
            "Crontab variable",
            f"above the line, the crontab has {obstacle}",
            "Move the line, or the whole block of `syncctl cron install`, above that with `crontab -e`.",
        )
    for line in state.old_syncs:
        yield Finding.failed(
            "Old system's sync",
            f"the crontab still runs it: {line}",
            "It brings finished and deleted leads back. Remove that line with `crontab -e`; `syncctl cron "
            "install` lets cron run `syncctl api` instead.",
        )
    for each in state.imports:
        instead = "`syncctl cron install` lets cron run `syncctl api` instead"
        if each.by_systemd:
            instead = "`syncctl cron show --systemd` prints the units that run `syncctl api` instead"
        yield Finding.failed(
            "Scheduled import",
            f"{each.place} runs `{each.command}`: {each.line}",
            f"Files are imported by hand only. Remove that with `{each.remove}`; {instead}.",
        )


def _lock(environment: SyncEnvironment, now: datetime) -> Finding:
    lock = environment.lock
    if lock.problem:
        return Finding.failed(
            "Lock", lock.problem, "No run can start: make it usable, or set SYNC_LOCK_FILE."
        )
    found = lock_words(lock, now)
    longest = environment.run_deadline + LOCK_MARGIN
    if lock.held and lock.since and now - lock.since > longest:
        return Finding.warning(
            "Lock",
            f"{found}, though a run of the API ends within {span(longest)}",
            "A long import or --full may take that long; if the process hangs, end it, which frees the lock.",
        )
    return Finding.passed("Lock", found if lock.held else "free: nothing is running")


def _scheduler(state: ScheduleState, start: NextStart, *, runs_by_itself: bool | None) -> Finding:
    name = "Scheduler"
    if state.problem:
        hint = " ".join(filter(None, (state.hint, "Check how `syncctl api` is started.")))
        return Finding.warning(name, state.problem, hint)
    if not state.installed and runs_by_itself is not False:
        something_else = "but something else starts the sync"
        if not runs_by_itself:
            something_else = "and what starts the sync can't be seen from here"
        return Finding.warning(
            name,
            f"{state.found}, {something_else}",
            "If that is another user's crontab or a container's, all is well; else `syncctl cron install`.",
        )
    if not state.installed:
        return Finding.failed(
            name, f"{state.found}: nothing starts the sync", "`syncctl cron install` adds the line."
        )
    if start.hint:
        found = f"{state.found}, but {start.problem}: nothing starts the sync"
        return Finding.failed(name, found, start.hint)
    if not state.in_step:
        hint = "`syncctl cron show --systemd`" if state.by_systemd else "`syncctl cron install`"
        return Finding.failed(name, state.found, f"{hint} makes it match API_SYNC_TIME.")
    return Finding.passed(name, state.found)


def _switch(enabled: bool) -> Finding:
    name = "Automatic sync"
    if enabled:
        return Finding.passed(name, "on (API_SYNC_ENABLED=true)")
    return Finding.warning(
        name,
        "off (API_SYNC_ENABLED=false): scheduled runs do nothing",
        "Set API_SYNC_ENABLED=true when it should run again, in .env.local if the web app reads that .env.",
    )


def _schedule(schedule: str, now: datetime, next_sync: NextSync) -> Finding:
    first = next_sync(now)
    second = next_sync(first)
    return Finding.passed(
        "Schedule", f"{schedule}: due in {span(first - now)}, then {span(second - first)} later"
    )


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
