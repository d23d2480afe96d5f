"""Wires settings to adapters and adapters to services: the one place that knows all of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.locations import load_locations
from syncctl.locking import RunLock
from syncctl.models import FILE_STEPS, Counts, RunResult, StepName, StepResult, StepStatus, Trigger
from syncctl.schedule import next_run
from syncctl.services.importing import FileImport, ImportJob
from syncctl.services.planning import Schedule, SyncOptions
from syncctl.services.run import Clock, Run, RunRequest
from syncctl.services.sync import API_STEPS, ApiSync
from syncctl.storage.factory import open_storage

if TYPE_CHECKING:
    from syncctl.api.wire import Endpoint
    from syncctl.config import ApiEndpoint, Settings
    from syncctl.ports import Listener, RentalApi, Storage
    from syncctl.services.reject_list import RejectFilter


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command was started. `wait_s`: how long to wait for another run's lock, in seconds."""

    command: str
    trigger: Trigger
    dry_run: bool = False
    wait_s: float = 0.0


@contextmanager
def opened_storage(settings: Settings, *, dry_run: bool = False) -> Iterator[Storage]:
    """The database of the settings, ready for use; with `dry_run` one that nothing can be written to.

    Raises:
        StorageUnavailableError: it can't be reached or opened.
    """
    storage = open_storage(settings.database_url, for_reading_only=dry_run)
    try:
        storage.prepare()
        if dry_run:
            from syncctl.storage.dry_run import DryRunStorage

            yield DryRunStorage(storage)
        else:
            yield storage
    finally:
        storage.close()


@contextmanager
def rental_api(settings: Settings) -> Iterator[RentalApi]:
    """A client of the rental API of the settings; leaving it stops its lanes."""
    from syncctl.api.client import ApiClientConfig, HttpRentalApi

    api = HttpRentalApi(
        ApiClientConfig(
            stores=_endpoint(settings.stores_api),
            booking=_endpoint(settings.booking_api),
            returns=_endpoint(settings.return_api),
            concurrency=settings.api_concurrency,
            call_delay_s=settings.api_call_delay_s,
            timeout_s=settings.api_timeout_s,
            max_tries=settings.api_max_tries,
            min_backoff_s=settings.api_min_backoff_s,
        )
    )
    try:
        yield api
    finally:
        api.close()


def _endpoint(setting: ApiEndpoint) -> Endpoint:
    from syncctl.api.wire import Endpoint

    key = setting.key.reveal() if setting.key else None
    return Endpoint(url=setting.url, key=key, key_setting=setting.key_setting)


def switched_off(settings: Settings, invocation: Invocation, steps: Sequence[StepName]) -> RunResult:
    """What a command comes to that API_SYNC_ENABLED=false keeps from running: every step is skipped."""
    now = datetime.now(UTC)
    return RunResult(
        command=invocation.command,
        run_id=uuid.uuid4().hex,
        trigger=invocation.trigger,
        dry_run=invocation.dry_run,
        started_at=now,
        duration_s=0.0,
        next_sync_at=next_run(settings.api_sync_time, settings.api_sync_timezone, now),
        steps=tuple(StepResult(step, StepStatus.SKIPPED) for step in steps),
    )


def run_sync(
    settings: Settings,
    invocation: Invocation,
    steps: tuple[StepName, ...],
    options: SyncOptions,
    listener: Listener,
) -> RunResult:
    """Sync `steps` of the rental API.

    Raises:
        LockHeldError: another run is under way.
        StorageUnavailableError: the database can't be reached.
        SyncctlError: as services.run.Run.execute says.
    """
    with _locked(settings, invocation), rental_api(settings) as api:
        return _execute(settings, invocation, steps, [_api_stage(settings, api, steps, options)], listener)


def run_import(settings: Settings, invocation: Invocation, job: ImportJob, listener: Listener) -> RunResult:
    """Import stores' files of one kind. Raises as run_sync does."""
    with _locked(settings, invocation):
        return _execute(settings, invocation, (job.kind,), [_file_stage(job)], listener)


def run_all(
    settings: Settings, invocation: Invocation, options: SyncOptions, listener: Listener
) -> RunResult:
    """Sync the rental API, then import what is new in IMPORT_DIR. Raises as run_sync does."""
    jobs = [ImportJob(kind, (settings.import_dir,), standing=True) for kind in FILE_STEPS]
    with _locked(settings, invocation), rental_api(settings) as api:
        stages: list[Callable[[Run], None]] = [_api_stage(settings, api, API_STEPS, options)]
        stages += map(_file_stage, jobs)
        return _execute(settings, invocation, (*API_STEPS, *FILE_STEPS), stages, listener)


def retry_rejects(settings: Settings, wanted: RejectFilter, wait_s: float, listener: Listener) -> Counts:
    """Try rejects again. Raises as run_sync does."""
    from syncctl.files.headers import column_of
    from syncctl.services.reject_list import find_rejects
    from syncctl.services.retrying import retry_rejects as retry

    invocation = Invocation("rejects retry", Trigger.MANUAL, wait_s=wait_s)
    with _locked(settings, invocation), opened_storage(settings) as storage:
        run = Run(RunRequest(invocation.command, (), invocation.trigger), storage, listener, _clock(settings))
        return retry(run, find_rejects(storage, wanted), load_locations(), column_of)


def _file_stage(job: ImportJob) -> Callable[[Run], None]:
    from syncctl.files.reading import open_file

    return FileImport(job, open_file, load_locations())


@contextmanager
def _locked(settings: Settings, invocation: Invocation) -> Iterator[None]:
    """A dry run takes no lock: it writes nothing, so it may look while another run is at work."""
    if invocation.dry_run:
        yield
        return
    with RunLock(settings.lock_file).hold(invocation.wait_s):
        yield


def _api_stage(
    settings: Settings, api: RentalApi, steps: tuple[StepName, ...], options: SyncOptions
) -> ApiSync:
    schedule = Schedule(
        first_months=settings.first_months,
        incremental_days=settings.incremental_days,
        business_zone=settings.business_timezone,
    )
    return ApiSync(api, load_locations(), steps, schedule, settings.api_run_deadline_s, options)


def _execute(
    settings: Settings,
    invocation: Invocation,
    steps: tuple[StepName, ...],
    stages: Sequence[Callable[[Run], None]],
    listener: Listener,
) -> RunResult:
    request = RunRequest(invocation.command, steps, invocation.trigger, invocation.dry_run)
    with opened_storage(settings, dry_run=invocation.dry_run) as storage:
        return Run(request, storage, listener, _clock(settings)).execute(stages)


def _clock(settings: Settings) -> Clock:
    return Clock(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        next_sync=lambda after: next_run(settings.api_sync_time, settings.api_sync_timezone, after),
        business_zone=settings.business_timezone,
    )
