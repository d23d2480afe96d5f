"""Connects `verify source` and `explain` to the database and the rental API."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from syncctl.domain.sources import REPORT_STEPS
from syncctl.filesystem.private_files import BACKUP_FOLDER
from syncctl.run_lock import RunLock
from syncctl.services.explain.cleanups import with_cleanups
from syncctl.services.explain.explaining import Explanation, explain
from syncctl.services.explain.source_now import SourceQuery, ask_source
from syncctl.services.explain.wanted import CustomerQuery
from syncctl.services.reconcile.completeness import OnLocation, ReconcileRequest, prepare_check
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from syncctl.wiring.adapters import clock_of, locations_of, opened_database, rental_api

if TYPE_CHECKING:
    from syncctl.ports.listener import Listener
    from syncctl.services.reconcile.results import Completeness
    from syncctl.settings.settings import Settings
    from syncctl.wiring.runs import Invocation


def check_source(settings: Settings, options: SyncOptions, on_location: OnLocation) -> Completeness:
    """Check whether everything in the API is in the database. Takes no lock, writes nothing.

    Raises:
        UsageError: a window that ends before it begins, or an unknown location.
        StorageUnavailableError: the database can't be reached.
    """
    with opened_database(settings) as database, rental_api(settings) as api:
        check = prepare_check(
            database, api, locations_of(settings), _question(settings, options), clock_of(settings)
        )
        return check.check_only(on_location)


def repair_source(
    settings: Settings, options: SyncOptions, invocation: Invocation, listener: Listener
) -> Completeness:
    """The same, syncing what is missing, as a run.

    Raises:
        LockHeldError: another run is under way.
        SyncctlError: as check_source does, and as services.run.Run.execute says.
    """
    with ExitStack() as stack:
        lock = RunLock(settings.lock_file, sleep=invocation.stop.wait)
        stack.enter_context(lock.hold(invocation.wait_s))
        database = stack.enter_context(opened_database(settings, for_reading_only=False))
        api = stack.enter_context(rental_api(settings, invocation.stop))
        clock = clock_of(settings)
        check = prepare_check(database, api, locations_of(settings), _question(settings, options), clock)
        request = RunRequest(invocation.command, REPORT_STEPS, invocation.trigger)
        run = Run(request, database, listener, clock, invocation.stop)
        return check.result(run.execute([check]))


def explain_record(settings: Settings, asked: str, *, fetch: bool) -> Explanation:
    """The record histories for a phone or booking number; with `fetch`, also what the source says now.

    Raises:
        UsageError: `asked` is neither.
        StorageUnavailableError: the database can't be reached.
    """
    wanted = CustomerQuery.from_text(asked)
    with ExitStack() as stack:
        database = stack.enter_context(opened_database(settings))
        found = explain(database, wanted, locations_of(settings))
        found = with_cleanups(found, settings.data_dir / BACKUP_FOLDER, database)
        if not fetch:
            return found
        api = stack.enter_context(rental_api(settings))
        query = SourceQuery(api, schedule_of(settings), clock_of(settings), settings.api_run_deadline_s)
        return ask_source(found, wanted, query, database, locations_of(settings))


def _question(settings: Settings, options: SyncOptions) -> ReconcileRequest:
    return ReconcileRequest(schedule_of(settings), settings.api_run_deadline_s, options)


def schedule_of(settings: Settings) -> WindowSettings:
    """The settings that determine the windows."""
    return WindowSettings(
        first_months=settings.first_months,
        business_zone=settings.business_timezone,
    )
