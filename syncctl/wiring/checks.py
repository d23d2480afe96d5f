"""Connects `verify sync`, `verify data`, `status` and `history` to the database and the environment."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.errors import SettingsError, StorageError
from syncctl.run_lock import lock_state
from syncctl.settings import urls
from syncctl.settings.specs import ENDPOINTS
from syncctl.text import quantity
from syncctl.wiring.adapters import clock_of, keeping_count, locations_of, opened_database
from syncctl.wiring.scheduling import GLANCE_LIMIT_S, next_start, schedule_state, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncctl.domain.checks import CheckReport
    from syncctl.ports.admin import Database
    from syncctl.ports.machine import NextStart
    from syncctl.services.checks.environment_checks import SyncEnvironment
    from syncctl.services.checks.history import PastRun, RunLine
    from syncctl.services.checks.run_statistics import RunStatistics
    from syncctl.services.checks.status import Status
    from syncctl.services.monthly.month import Month
    from syncctl.services.monthly.summary import MonthSummary
    from syncctl.settings.settings import ApiEndpoint, Settings

_LOOK_LIMIT_S = 5.0
"""The most time that a look at the database may add to a run."""


def verify_sync(settings: Settings, env_file: Path | None) -> CheckReport:
    """Whether the machinery works. A database that can't be used is one of its findings. `env_file`: as given
    on the command line, which the crontab's line must name as well."""
    from syncctl.services.checks.sync_checks import check_sync, verify_without_database

    environment, clock = sync_environment(settings, env_file), clock_of(settings)
    try:
        with keeping_count(settings, "verify sync") as on_counted, opened_database(settings) as database:
            return check_sync(database, environment, locations_of(settings), clock, on_counted)
    except StorageError as problem:
        return verify_without_database(problem, environment, clock)


def verify_data(settings: Settings) -> CheckReport:
    """Check the stored data.

    Raises:
        StorageUnavailableError: the database can't be reached.
        StorageError: it refused a request.
    """
    from syncctl.services.checks.data_checks import check_data

    with keeping_count(settings, "verify data") as on_counted, opened_database(settings) as database:
        return check_data(database, locations_of(settings), clock_of(settings), on_counted)


def month_summary(settings: Settings, month: Month, now: datetime) -> MonthSummary:
    """The figures of a month. Raises StorageUnavailableError and StorageError as `verify_data` does."""
    from syncctl.services.monthly.summary import month_summary as summarize

    with opened_database(settings) as database:
        return summarize(database, locations_of(settings), month, settings.business_timezone, now)


def status(settings: Settings, env_file: Path | None) -> Status:
    """The overall health. An unusable database is reported as one of its findings. `env_file`: as for
    `verify_sync`."""
    from syncctl.services.checks.status import Surroundings, collect_status, status_without_database

    clock = clock_of(settings)
    scheduler = schedule_state(settings, env_file, GLANCE_LIMIT_S)
    surroundings = Surroundings(
        lock_state(settings.lock_file),
        settings.api_sync_enabled,
        start_of(scheduler, settings, clock.now()),
        scheduler,
        timedelta(seconds=settings.api_run_deadline_s),
    )
    try:
        with opened_database(settings) as database:
            return collect_status(database, surroundings, locations_of(settings), clock)
    except StorageError as problem:
        return status_without_database(problem, surroundings, clock)


def runs_by_itself(settings: Settings, opened: Database | None = None) -> bool | None:
    """Whether something that can't be seen from here starts the sync, as its runs show; None: not known.
    `opened`: the database, if it is open already. Takes a few seconds at most, and raises nothing."""
    from syncctl.services.checks.freshness import RUNS_LOOKED_AT, starts_by_itself
    from syncctl.services.sync.planning import CLOCK_TOLERANCE

    clock = clock_of(settings)
    now = clock.now()
    try:
        with _look_at(settings, opened) as database:
            runs = database.runs(RUNS_LOOKED_AT, until=now + CLOCK_TOLERANCE)
    except (StorageError, SettingsError):
        return None
    return starts_by_itself(runs, now, clock.next_sync)


@contextmanager
def _look_at(settings: Settings, opened: Database | None) -> Iterator[Database]:
    if opened is None:
        with opened_database(settings, limit_s=_LOOK_LIMIT_S) as database:
            yield database
    else:
        # Nothing else is asked of it any more, and the run's own deadline may be over.
        opened.set_deadline(time.monotonic() + _LOOK_LIMIT_S)
        yield opened


def next_sync(settings: Settings, env_file: Path | None, opened: Database | None = None) -> NextStart:
    """What starts the next sync, by the rule of `status`. `opened`: as for `runs_by_itself`. Raises nothing:
    a run must not fail by it."""
    clock = clock_of(settings)
    start = next_start(settings, env_file, clock.now())
    if start.by is None:
        start = start.if_seen(runs_by_itself(settings, opened), clock.next_sync(clock.now()))
    return start.if_enabled(settings.api_sync_enabled)


def waiting_line(settings: Settings, opened: Database) -> str:
    """What waits for a person, in one line for the monitor; or why that isn't known. Takes a few seconds at
    most, and raises nothing: a run must not fail by it."""
    from syncctl.services.checks.attention import waiting_words

    try:
        with _look_at(settings, opened) as database:
            return waiting_words(database, clock_of(settings).now())
    except (StorageError, SettingsError) as problem:
        return f"Waiting for a person: not known ({problem.message})"


def list_runs(settings: Settings, limit: int, *, failed_only: bool) -> tuple[PastRun, ...]:
    """The newest runs first, at most `limit` (0: all). Raises as `verify_data` does."""
    from syncctl.services.checks.history import past_runs, with_undo

    with opened_database(settings) as database:
        runs = past_runs(database, limit, failed_only=failed_only)
        return tuple(with_undo(database, run) for run in runs)


def list_run_lines(settings: Settings, most: int, limit: int, *, failed_only: bool) -> tuple[RunLine, ...]:
    """The newest runs first, quiet ones in one line: of the newest `limit` runs (0: all) at most `most` lines
    (0: all). Raises as `verify_data` does."""
    from itertools import islice

    from syncctl.services.checks.history import grouped, newest_runs, with_undo

    with opened_database(settings) as database:
        lines = grouped(islice(newest_runs(database, failed_only=failed_only), limit or None), most)
        return tuple(tuple(with_undo(database, run) for run in line) for line in lines)


def run_statistics(settings: Settings, days: int) -> RunStatistics:
    """What the whole runs of the last days come to. Raises as `verify_data` does."""
    from syncctl.services.checks import run_statistics as statistics

    clock = clock_of(settings)
    with opened_database(settings) as database:
        return statistics.run_statistics(database, days, clock.now(), clock.business_zone)


def find_run(settings: Settings, beginning: str) -> PastRun:
    """One run by the start of its id. Raises UsageError, and as `verify_data` does."""
    from syncctl.services.checks import history

    with opened_database(settings) as database:
        return history.find_run(database, beginning)


def sync_environment(settings: Settings, env_file: Path | None) -> SyncEnvironment:
    """What is in force around the database, fit to be seen."""
    from syncctl.services.checks.environment_checks import SyncEnvironment

    scheduler = schedule_state(settings, env_file)
    apis = {ENDPOINTS[step].address: endpoint for step, endpoint in settings.endpoints.items()}
    return SyncEnvironment(
        sync_enabled=settings.api_sync_enabled,
        schedule=f"{settings.api_sync_time} ({settings.api_sync_timezone})",
        endpoints={name: urls.masked_url(api.url) for name, api in apis.items()},
        in_force={
            "DATABASE_URL": urls.masked_database_url(settings.database_url),
            **{name: _api(api) for name, api in apis.items()},
            "Everything": f"the last {quantity(settings.first_months, 'month')} up to today in "
            f"{settings.business_timezone}",
            "Calls": f"{settings.api_concurrency} at a time, {settings.api_timeout_s:g} s each, up to "
            f"{settings.api_max_tries} tries; {settings.api_run_deadline_s:g} s for a run",
        },
        audit_locations=settings.audit_locations,
        run_deadline=timedelta(seconds=settings.api_run_deadline_s),
        lock=lock_state(settings.lock_file),
        scheduler=scheduler,
        start=start_of(scheduler, settings, clock_of(settings).now()),
    )


def _api(api: ApiEndpoint) -> str:
    key = f"with the key of {api.key_setting}" if api.key else "without a key"
    return f"{urls.masked_url(api.url)}, {key}"
