"""Restores a backup: each lead exactly as it was, or its store's name. Can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from syncctl.domain.import_notes import ImportNote, NotedImport, same_value
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import SyncRecord
from syncctl.errors import FileProblemError
from syncctl.ports.admin import Database, DatabaseFacts, LeadSnapshot, Restored
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, BackupEntry, BackupKind, new_backup, read_backup
from syncctl.services.cleanup.finished.cleaning import pairings
from syncctl.services.imports.undo_backup import restore_import


@dataclass(slots=True)
class BackupRestored:
    """The result of restoring a backup."""

    kind: BackupKind
    restored: int = 0
    same: int = 0
    """Leads that already were as in the backup."""

    different: list[str] = field(default_factory=list)
    """Ids of leads that have changed since, and were left alone."""

    kept_lead_gone: list[str] = field(default_factory=list)
    """Ids of copies that are not restored, as the lead kept in their place has been finished or deleted
    since."""

    back: list[str] = field(default_factory=list, compare=False)
    """Ids of those that are restored."""

    def put_back(self, lead_ids: Collection[str]) -> None:
        """These leads are as they were."""
        self.restored += len(lead_ids)
        self.back += sorted(lead_ids)

    @property
    def is_whole(self) -> bool:
        """Whether everything is as in the backup."""
        return not self.different and not self.kept_lead_gone


class _Rehearsal:
    """Takes a restore for the database: says what would come of each write, and writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.present_leads = database.present_leads
        self.leads = database.leads

    def restore(self, snapshots: Sequence[LeadSnapshot]) -> Restored:
        wanted = {snapshot.lead_id: snapshot.document for snapshot in snapshots}
        there = {found.lead_id: found.document for found in self._database.snapshots(wanted.keys())}
        same = frozenset(lead_id for lead_id, document in there.items() if wanted[lead_id] == document)
        return Restored(frozenset(wanted.keys() - there.keys()), same, frozenset(there.keys() - same))

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        leads = self._database.leads([change.lead_id for change in changes])
        return {
            change.lead_id
            for change in changes
            if (lead := leads.get(change.lead_id)) is not None
            and all(same_value(lead.get(name), value) for name, value in change.expected.items())
        }

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        return set()

    def repoint_records(self, lead_ids: Mapping[str, str]) -> int:
        return 0

    def unpair_reports(self, report_ids: Mapping[str, str]) -> None:
        """No report is unpaired in a rehearsal."""

    def noted_imports(self, run_id: str) -> list[NotedImport]:
        return []  # so that none is noted again

    def save_import(self, entry: NotedImport) -> None:
        """Nor is an import kept."""

    def replace_import_notes(self, notes: Sequence[ImportNote]) -> None:
        """Nor a note."""


RestoreTarget: TypeAlias = Database | _Rehearsal


def plan_restore(database: Database, path: Path, stop: Stop | None = None) -> BackupRestored:
    """What `restore_backup` would come to now. Changes nothing. Raises as it does."""
    return restore_backup(_Rehearsal(database), path, stop)


def restore_backup(
    database: RestoreTarget,
    path: Path,
    stop: Stop | None = None,
    on_end: Callable[[BackupRestored], None] = lambda result: None,
) -> BackupRestored:
    """Put back what a cleanup took away. The caller holds the run lock; it may be repeated. `on_end`: takes
    what is back, also where it is broken off.

    Raises:
        FileProblemError: the file isn't a backup, or not whole; nothing was written.
        StorageError: the database refused, or the backup is another kind of database's.
        StopRequestedError: between two batches.
    """
    backup = read_backup(path)
    if backup.kind not in _RESTORERS:
        raise FileProblemError(f"{path} only says which leads were put back: name the backup itself.")
    result = BackupRestored(backup.kind)
    restore = _RESTORERS[backup.kind]
    try:
        for entries in (stop or Stop()).between(batched(backup.entries(), LEADS_AT_ONCE)):
            restore(database, entries, result)
    finally:
        on_end(result)
    return result


def note_restored(result: BackupRestored, backup: Path, folder: Path, facts: DatabaseFacts) -> None:
    """Keep beside the backups which leads were put back, for `explain`. Raises as `BackupWriter` does."""
    about = {"of": result.kind.value, "backup": backup.name}
    with new_backup(folder, BackupKind.RESTORED, facts, datetime.now(UTC), Stop()) as writer:
        writer.add(BackupEntry(LeadSnapshot(lead_id, "{}"), about) for lead_id in result.back)
        writer.finish()


def _restore_copies(database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored) -> None:
    there = database.present_leads(
        {lead_id for entry in entries for lead_id in (entry.details["kept"], entry.snapshot.lead_id)}
    )
    kept_lead_gone = [
        entry.snapshot.lead_id
        for entry in entries
        if entry.snapshot.lead_id not in there and entry.details["kept"] not in there
    ]
    result.kept_lead_gone += kept_lead_gone
    wanted = [entry for entry in entries if entry.snapshot.lead_id not in kept_lead_gone]
    back = {
        entry.details["kept"]: entry.snapshot.lead_id
        for entry in _restore_leads(database, wanted, result)
        if entry.details.get("recorded")
    }
    if back:
        database.repoint_records(back)


def _restore_finished(
    database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored
) -> None:
    if marked := pairings(_restore_leads(database, entries, result)):
        database.unpair_reports(marked)


def _restore_leads(
    database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored
) -> list[BackupEntry]:
    """Returns the entries whose leads exist as they were."""
    outcome = database.restore([entry.snapshot for entry in entries])
    result.put_back(outcome.inserted)
    result.same += len(outcome.same)
    result.different += sorted(outcome.different)
    return [entry for entry in entries if entry.snapshot.lead_id not in outcome.different]


def _restore_stores(database: RestoreTarget, entries: Sequence[BackupEntry], result: BackupRestored) -> None:
    leads = database.leads([entry.snapshot.lead_id for entry in entries])
    changes: list[LeadChange] = []
    for entry in entries:
        lead_id, was, is_now = entry.snapshot.lead_id, entry.details["from"], entry.details["to"]
        found = leads.get(lead_id, {}).get("store")
        if found == was:
            result.same += 1
        elif found == is_now:
            changes.append(LeadChange(lead_id, {"store": is_now}, {"store": was}))
        else:
            result.different.append(lead_id)
    done = database.update_leads(changes) if changes else set()
    result.put_back(done)
    result.different += [change.lead_id for change in changes if change.lead_id not in done]


_RESTORERS = {
    BackupKind.DUPLICATES: _restore_copies,
    BackupKind.STORES: _restore_stores,
    BackupKind.FINISHED: _restore_finished,
    BackupKind.IMPORT: restore_import,
}
