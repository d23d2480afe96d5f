"""Takes an import back: shows what it would come to, and does it after writing a backup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncctl.domain.import_notes import NotedImport
from syncctl.domain.run_history import RunEntry
from syncctl.domain.sources import FILE_STEPS
from syncctl.errors import UsageError
from syncctl.ports.admin import Database
from syncctl.services.checks.history import CANDIDATES
from syncctl.services.cleanup.backups import BackupKind, new_backup
from syncctl.services.cleanup.cleaning import BackupTarget
from syncctl.services.imports.undo_context import Undoing
from syncctl.services.imports.undo_fields import (
    restore_leads,
    restore_values,
    restore_writes,
    unpair_reports,
)
from syncctl.services.imports.undo_records import delete_leads, forget_seen, unlink_records
from syncctl.services.imports.undo_rejects import restore_file_hashes, restore_rejects
from syncctl.services.imports.undo_results import ImportUndone, UndoPlan

SHORTEST_ID = 6
"""Digits of a run's id by which it is found: fewer are a slip of the hand."""

STEPS = (
    restore_leads,
    restore_writes,
    restore_values,
    unpair_reports,
    unlink_records,
    delete_leads,
    restore_rejects,
    restore_file_hashes,
    forget_seen,
)
"""In this order: a lead that was created and then changed must be as created to be deleted."""


def find_import(database: Database, beginning: str) -> NotedImport:
    """The import whose run's id is, or begins with, `beginning`, which has at least `SHORTEST_ID` digits.

    Raises:
        UsageError: there is none, more than one, or the run was no import; the message says which.
        StorageError: the database refused.
    """
    wanted = beginning.strip().lower()
    noted = {each.run_id: each for each in database.noted_imports(wanted)} if wanted else {}
    runs = {each.run_id: each for each in database.runs(CANDIDATES + 1, run_id=wanted)} if wanted else {}
    found = sorted({*noted, *runs})
    if len(wanted) < SHORTEST_ID and wanted not in found:
        raise UsageError(
            f"{beginning!r} is too short: give at least {SHORTEST_ID} characters of the run's id, as "
            "`syncctl history` shows it."
        )
    if not found:
        raise UsageError(
            f"No run has an id that begins with {beginning!r}: `syncctl history` lists the runs of the "
            "last 90 days; older imports can't be taken back."
        )
    if len(found) > 1 and wanted not in found:
        raise UsageError(
            f"Several runs have an id that begins with {beginning!r}: {', '.join(found[:CANDIDATES])}."
        )
    run_id = wanted if wanted in found else found[0]
    if run_id in noted:
        return noted[run_id]
    entry = runs[run_id]
    if not _has_imported(entry.document):
        raise UsageError(
            f"Run {run_id} ({_command(entry)}) stored nothing from a file or the rejects list: there is "
            "nothing to take back. `syncctl history` shows what each run did."
        )
    return NotedImport(run_id, _command(entry), entry.started_at, created_only=True)


def plan_undo(database: Database, beginning: str) -> UndoPlan:
    """What taking back an import would come to now. Changes nothing. Raises as `find_import` does."""
    run = find_import(database, beginning)
    plan = UndoPlan(run)
    _take(Undoing(database, run, plan))
    return plan


def undo_import(database: Database, beginning: str, target: BackupTarget) -> ImportUndone:
    """Take an import back: delete the leads that it created and nobody has touched since, give fields that
    still hold what it wrote their values back, and put back what syncctl itself keeps of its rows, so that
    the same files are imported as the first time. Needs the run lock.

    If killed, it can simply be run again: all that it has changed so far is in a backup.

    Raises:
        UsageError: as `find_import`.
        PlanOutdatedError: other leads would be changed than the person agreed to; nothing is changed.
        SettingsError, StorageError: the backup can't be written, and nothing is changed.
        StorageError: the database refused.
    """
    run = find_import(database, beginning)
    if run.created_only:
        database.save_import(run)  # its records are noted before they are removed
    kind, stop = BackupKind.IMPORT, target.stop
    with new_backup(target.folder, kind, database.facts(), target.now, stop) as writer:
        planned = Undoing(database, run, UndoPlan(run), stop, writer)
        _take(planned)
        target.check(planned.plan.actions)
        backup = writer.finish()
    if backup is not None:
        target.on_written(backup.path, backup.documents)
    plan = UndoPlan(run)
    _take(Undoing(database, run, plan, stop, backed_up=planned.taken))
    if planned.plan.has_work and not plan.left:
        database.save_import(run._replace(undone_at=target.now))
    return ImportUndone(plan, backup.path if backup else None)


def _take(undoing: Undoing) -> None:
    for step in STEPS:
        step(undoing)


def _command(entry: RunEntry) -> str:
    return str(entry.document.get("command", ""))


def _has_imported(document: Mapping[str, Any]) -> bool:
    return any(step.get("name") in list(FILE_STEPS) for step in document["steps"])
