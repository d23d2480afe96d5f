"""Connects `cleanup` to the configured database and backups."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from syncctl.errors import SettingsError, StorageError
from syncctl.filesystem.private_files import BACKUP_FOLDER
from syncctl.run_lock import RunLock
from syncctl.services.cleanup import cleaning, restoring, store_names
from syncctl.services.cleanup.finished import cleaning as cleaning_finished
from syncctl.services.imports import undoing
from syncctl.wiring.adapters import keeping_count, locations_of, opened_database

if TYPE_CHECKING:
    from syncctl.ports.admin import Database
    from syncctl.ports.stop import Stop
    from syncctl.services.cleanup.duplicate_results import DuplicatePlan
    from syncctl.services.cleanup.finished.plan import FinishedPlan
    from syncctl.services.imports.undo_results import ImportUndone, UndoPlan
    from syncctl.settings.settings import Settings

logger = logging.getLogger(__name__)

DUPLICATES = "cleanup duplicates"

OnBackupWritten = Callable[[Path, int], None]
"""Called with each backup as soon as it is on the disk: its path, and how many leads it holds."""


class Job(NamedTuple):
    """How a plan is applied."""

    wait_s: float
    """How long to wait for another run's lock."""

    on_written: OnBackupWritten
    stop: Stop

    agreed: object = None
    """The `actions` of the plan that a person has agreed to; None: nobody was asked."""


def plan_duplicates(settings: Settings, chosen: Sequence[str]) -> DuplicatePlan:
    """What a cleanup would do; `chosen`: ids of copies to keep. Raises UsageError and StorageError."""
    with keeping_count(settings, DUPLICATES) as on_counted, opened_database(settings) as database:
        return cleaning.plan_duplicates(database, locations_of(settings), chosen, on_counted)


def clean_duplicates(settings: Settings, chosen: Sequence[str], job: Job) -> cleaning.DuplicatesCleaned:
    """Clean up. Raises LockHeldError, and as `cleaning.clean_duplicates` does."""
    with (
        keeping_count(settings, DUPLICATES) as on_counted,
        _locked_database(settings, job.wait_s) as database,
    ):
        return cleaning.clean_duplicates(
            database, locations_of(settings), chosen, _target(settings, job), on_counted
        )


def plan_stores(settings: Settings) -> store_names.StorePlan:
    """What renaming stores would do. Raises StorageError."""
    with keeping_count(settings, "cleanup stores") as on_counted, opened_database(settings) as database:
        return store_names.plan_stores(database, locations_of(settings), on_counted)


def rename_stores(settings: Settings, job: Job) -> store_names.StoresRenamed:
    """Rename stores. Raises LockHeldError, and as `store_names.rename_stores` does."""
    with _locked_database(settings, job.wait_s) as database:
        return store_names.rename_stores(database, locations_of(settings), _target(settings, job))


def plan_finished(settings: Settings) -> FinishedPlan:
    """Which finished leads would be deleted. Raises StorageError."""
    with opened_database(settings) as database:
        return cleaning_finished.plan_finished(database, locations_of(settings), datetime.now(UTC))


def clean_finished(settings: Settings, job: Job) -> cleaning_finished.FinishedCleaned:
    """Delete finished leads. Raises LockHeldError, and as `cleaning_finished.clean_finished` does."""
    with _locked_database(settings, job.wait_s) as database:
        return cleaning_finished.clean_finished(database, locations_of(settings), _target(settings, job))


def plan_import_undo(settings: Settings, run_id: str) -> UndoPlan:
    """What taking back the import with this run's id, or its beginning, would come to. Raises UsageError and
    StorageError."""
    with opened_database(settings) as database:
        return undoing.plan_undo(database, run_id)


def undo_import(settings: Settings, run_id: str, job: Job) -> ImportUndone:
    """Take an import back. Raises LockHeldError, and as `undoing.undo_import` does."""
    with _locked_database(settings, job.wait_s) as database:
        return undoing.undo_import(database, run_id, _target(settings, job))


def plan_restore(settings: Settings, file: Path, stop: Stop) -> restoring.BackupRestored:
    """What restoring a backup would come to. Changes nothing. Raises as `restoring.restore_backup` does."""
    with opened_database(settings) as database:
        return restoring.plan_restore(database, _backup(settings, file), stop)


def restore_backup(settings: Settings, file: Path, wait_s: float, stop: Stop) -> restoring.BackupRestored:
    """Restore a backup, waiting up to `wait_s` seconds for the run lock. Raises LockHeldError, and as
    `restoring.restore_backup` does."""
    folder = settings.data_dir / BACKUP_FOLDER

    def note(result: restoring.BackupRestored) -> None:
        try:
            restoring.note_restored(result, file, folder, database.facts())
        except (SettingsError, StorageError) as problem:
            why = problem.__cause__ or problem
            logger.warning("`syncctl explain` won't say that leads were put back: no note is kept (%s)", why)

    with (
        RunLock(settings.lock_file).hold(wait_s),
        opened_database(settings, for_reading_only=False) as database,
    ):
        return restoring.restore_backup(database, _backup(settings, file), stop, note)


def _backup(settings: Settings, file: Path) -> Path:
    """A bare name, as `explain` gives it, is also looked for where backups are kept."""
    kept = settings.data_dir / BACKUP_FOLDER / file.name
    return kept if file.name == str(file) and not file.exists() and kept.exists() else file


@contextmanager
def _locked_database(settings: Settings, wait_s: float) -> Iterator[Database]:
    """Opened for reading only where it has no leads, so that no empty database is made."""
    with RunLock(settings.lock_file).hold(wait_s):
        with opened_database(settings) as database:
            if not database.count_leads():
                yield database
                return
        with opened_database(settings, for_reading_only=False) as database:
            yield database


def _target(settings: Settings, job: Job) -> cleaning.BackupTarget:
    folder = settings.data_dir / BACKUP_FOLDER
    return cleaning.BackupTarget(folder, datetime.now(UTC), job.on_written, job.stop, job.agreed)
