"""Wires settings to adapters and adapters to services: the one place that knows all of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.locations import load_locations
from syncctl.locking import RunLock
from syncctl.models import RunResult, StepName, StepResult, StepStatus, Trigger
from syncctl.schedule import next_run
from syncctl.services.planning import Schedule, SyncOptions
from syncctl.services.sync import Clock, RunPorts, RunRequest, SyncRun
from syncctl.storage.factory import open_storage

if TYPE_CHECKING:
    from syncctl.api.wire import Endpoint
    from syncctl.config import ApiEndpoint, Settings
    from syncctl.ports import Listener, RentalApi, Storage


@dataclass(frozen=True, slots=True)
class SyncCommand:
    """A sync command as the user gave it. `wait_s`: how long to wait for another run's lock, in seconds."""

    name: str
    steps: tuple[StepName, ...]
    trigger: Trigger
    options: SyncOptions
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


def switched_off(settings: Settings, command: SyncCommand) -> RunResult:
    """What a command comes to that API_SYNC_ENABLED=false keeps from running: every step is skipped."""
    now = datetime.now(UTC)
    return RunResult(
        command=command.name,
        run_id=uuid.uuid4().hex,
        trigger=command.trigger,
        dry_run=command.options.dry_run,
        started_at=now,
        duration_s=0.0,
        next_sync_at=next_run(settings.api_sync_time, settings.api_sync_timezone, now),
        steps=tuple(StepResult(step, StepStatus.SKIPPED) for step in command.steps),
    )


def run_sync(settings: Settings, command: SyncCommand, listener: Listener) -> RunResult:
    """Run a sync command under the lock.

    A dry run takes no lock: it writes nothing, so it may look while another run is at work.

    Raises:
        LockHeldError: another run is under way.
        StorageUnavailableError: the database can't be reached.
        SyncctlError: as services.sync.SyncRun.run says.
    """
    if command.options.dry_run:
        return _run_unlocked(settings, command, listener)
    with RunLock(settings.lock_file).hold(command.wait_s):
        return _run_unlocked(settings, command, listener)


def _run_unlocked(settings: Settings, command: SyncCommand, listener: Listener) -> RunResult:
    request = RunRequest(
        command=command.name,
        steps=command.steps,
        trigger=command.trigger,
        options=command.options,
        schedule=Schedule(
            first_months=settings.first_months,
            incremental_days=settings.incremental_days,
            business_zone=settings.business_timezone,
        ),
        deadline_s=settings.api_run_deadline_s,
    )
    clock = Clock(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        next_sync=lambda after: next_run(settings.api_sync_time, settings.api_sync_timezone, after),
    )
    with opened_storage(settings, dry_run=command.options.dry_run) as storage, rental_api(settings) as api:
        return SyncRun(request, RunPorts(storage, api, load_locations(), listener, clock)).run()
