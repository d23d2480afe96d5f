"""Syncs, imports and retries: each one a run, connected to its adapters."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.domain.run_results import Counts, RunResult, StepResult
from syncctl.domain.shards import Shard
from syncctl.domain.sources import API_STEPS, FILE_STEPS, StepName
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.ports.stop import Stop
from syncctl.run_lock import RunLock
from syncctl.scheduling.expression import next_run
from syncctl.services.run import Run, RunRequest
from syncctl.services.sync.api_sync import ApiSync
from syncctl.services.sync.planning import SyncOptions, WindowSettings
from syncctl.wiring.adapters import cells_of, clock_of, locations_of, opened_database, rental_api, titles_of

if TYPE_CHECKING:
    from syncctl.ports.admin import Database
    from syncctl.ports.api import RentalApi
    from syncctl.ports.listener import Listener
    from syncctl.ports.storage import Storage
    from syncctl.services.imports.importing import ImportJob
    from syncctl.services.imports.preview import Preview
    from syncctl.services.rejects.correcting import SheetResult
    from syncctl.services.rejects.reject_list import RejectFilter
    from syncctl.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command was started."""

    command: str
    trigger: Trigger
    dry_run: bool = False

    wait_s: float = 0.0
    """How long to wait for another run's lock, in seconds."""

    on_begun: Callable[[], None] | None = None
    """Called as soon as the run has the lock."""

    on_ended: Callable[[RunResult], None] | None = None
    """Called with the run's result, also if the run was aborted."""

    observe: Callable[[RunResult, Database], None] | None = None
    """Called likewise, with the database that it left."""

    using: Callable[[Database], AbstractContextManager[object]] = nullcontext
    """Entered while the run has the database open."""

    shard: Shard | None = None
    """Only this part of the locations is synced: it has a lock of its own."""
    stop: Stop = field(default_factory=Stop)


def switched_off(settings: Settings, invocation: Invocation, steps: Sequence[StepName]) -> RunResult:
    """The result when API_SYNC_ENABLED=false: every step is skipped."""
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
        LockHeldError: another run is in progress.
        StorageUnavailableError: the database can't be reached.
        SyncctlError: as services.run.Run.execute does.
    """
    with _locked(settings, invocation), rental_api(settings, invocation.stop) as api:
        stage = _api_stage(settings, api, steps, options)
        return _execute(settings, invocation, _request(invocation, steps, options), [stage], listener)


def run_import(
    settings: Settings,
    invocation: Invocation,
    job: ImportJob,
    listener: Listener,
    preview: Preview | None = None,
) -> RunResult:
    """Import stores' files of one kind. `preview`: takes what a dry run would do. Raises as `run_sync` does;
    PreviewOutdatedError: it would not do what the job's preview showed."""
    with _locked(settings, invocation):
        stage = _file_stage(settings, job, invocation.stop, preview)
        return _execute(settings, invocation, _request(invocation, (job.kind,)), [stage], listener)


def import_from_folder(settings: Settings, kind: StepName, *, explicit: bool) -> ImportJob:
    """Import the files of this kind in IMPORT_DIR; `explicit`: unchanged ones too."""
    from syncctl.services.imports.importing import ImportJob

    folder = settings.import_dir
    misplaced = (Path.cwd(), settings.folder, folder.parent)
    return ImportJob(kind, (folder,), is_import_dir=True, explicit=explicit, misplaced=misplaced)


def run_all(
    settings: Settings, invocation: Invocation, options: SyncOptions, listener: Listener
) -> RunResult:
    """Sync the rental API, then import new files in IMPORT_DIR. Raises as `run_sync` does."""
    jobs = [import_from_folder(settings, kind, explicit=False) for kind in FILE_STEPS]
    with _locked(settings, invocation), rental_api(settings, invocation.stop) as api:
        stages: list[Callable[[Run], None]] = [_api_stage(settings, api, API_STEPS, options)]
        stages += [_file_stage(settings, job, invocation.stop) for job in jobs]
        request = _request(invocation, (*API_STEPS, *FILE_STEPS), options)
        return _execute(settings, invocation, request, stages, listener)


def retry_rejects(
    settings: Settings, wanted: RejectFilter, invocation: Invocation, listener: Listener
) -> tuple[str, Counts]:
    """Retry rejected records: gives the run's id and what became of them. Raises as `run_sync` does, and
    UsageError if a store is unknown."""
    from syncctl.services.rejects.retrying import RejectsRetry
    from syncctl.wiring.rejects import listed_rejects

    with _locked(settings, invocation):
        found = listed_rejects(settings, wanted)
        retry = RejectsRetry(found, locations_of(settings), cells_of(settings))
        result = _execute(settings, invocation, _request(invocation, ()), [retry], listener)
    return result.run_id, retry.counts


def import_corrected_rejects(
    settings: Settings, file: Path, invocation: Invocation, listener: Listener
) -> SheetResult:
    """Take back the exported sheet, corrected. Raises as `run_sync` does, and FileProblemError if the sheet
    can't be understood."""
    from syncctl.files.cells import clean_text
    from syncctl.files.titled_lines import titled_lines
    from syncctl.services.rejects.correcting import SheetCorrection
    from syncctl.services.rejects.reject_list import RejectFilter
    from syncctl.services.rejects.reject_sheets import ID_TITLE
    from syncctl.wiring.rejects import is_any_listed

    lines = titled_lines(file, ID_TITLE, invocation.stop)
    correction = SheetCorrection(lines, locations_of(settings), cells_of(settings), clean_text)
    if not invocation.dry_run and not is_any_listed(settings, RejectFilter(), invocation.wait_s):
        return correction.with_nothing_listed()
    with _locked(settings, invocation):
        _execute(settings, invocation, _request(invocation, ()), [correction], listener)
    return correction.result


def _file_stage(
    settings: Settings, job: ImportJob, stop: Stop, preview: Preview | None = None
) -> Callable[[Run], None]:
    from syncctl.files.reading import open_file
    from syncctl.services.imports.importing import FileImport
    from syncctl.services.imports.preview import PreviewHash
    from syncctl.storage.dry_run import DryRunStorage

    reader = partial(open_file, stop=stop, known=titles_of(settings, job.kind))
    mapping = settings.mapping.fingerprint if settings.mapping else ""
    stage = partial(FileImport, job, reader, cells_of(settings), locations_of(settings), mapping=mapping)
    if job.only_if is None or preview is not None:
        return stage(preview=preview)
    return stage(preview=PreviewHash(), rehearse=DryRunStorage)


@contextmanager
def _locked(settings: Settings, invocation: Invocation) -> Iterator[None]:
    """Hold the run lock. A dry run takes no lock: it writes nothing, so it may run beside another run."""
    invocation.stop.raise_if_requested()
    if invocation.dry_run:
        yield
        return
    shard = invocation.shard
    lock_file = settings.lock_file if shard is None else shard.file_of(settings.lock_file)
    with RunLock(lock_file, sleep=invocation.stop.wait).hold(invocation.wait_s):
        if invocation.on_begun is not None:
            invocation.on_begun()
        yield


def _api_stage(
    settings: Settings, api: RentalApi, steps: tuple[StepName, ...], options: SyncOptions
) -> ApiSync:
    schedule = WindowSettings(
        first_months=settings.first_months,
        business_zone=settings.business_timezone,
        incremental_days=settings.incremental_days,
        audits=settings.audit_locations,
    )
    return ApiSync(
        api, locations_of(settings), steps, schedule, settings.api_run_deadline_s, options, measures=True
    )


def _request(
    invocation: Invocation, steps: tuple[StepName, ...], options: SyncOptions | None = None
) -> RunRequest:
    whole = options is None or (options.covers_everything and options.shard is None)
    return RunRequest(
        invocation.command, steps, invocation.trigger, invocation.dry_run, whole, invocation.shard
    )


def _execute(
    settings: Settings,
    invocation: Invocation,
    request: RunRequest,
    stages: Sequence[Callable[[Run], None]],
    listener: Listener,
) -> RunResult:
    limit_s = settings.api_run_deadline_s if any(step in API_STEPS for step in request.steps) else math.inf
    dry_run = invocation.dry_run
    with (
        opened_database(settings, for_reading_only=dry_run, limit_s=limit_s) as database,
        invocation.using(database),
    ):
        storage = _unwritable(database) if dry_run else database
        run = Run(request, storage, listener, clock_of(settings), invocation.stop)
        try:
            return run.execute(stages)
        finally:
            if run.result is not None:
                if invocation.observe is not None:
                    invocation.observe(run.result, database)
                if invocation.on_ended is not None:
                    invocation.on_ended(run.result)


def _unwritable(database: Database) -> Storage:
    from syncctl.storage.dry_run import DryRunStorage

    return DryRunStorage(database)
