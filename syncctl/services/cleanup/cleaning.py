"""Deletes the copies that a plan does not keep, each only after a backup of it is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from syncctl.locations import Locations
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backup_writing import new_backup
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, Backup, BackupEntry, BackupKind
from syncctl.services.cleanup.duplicate_plans import (
    Conflict,
    Decision,
    DuplicatePlan,
    check_chosen,
    decide,
    in_batches,
)
from syncctl.services.cleanup.duplicates import CachedStores, DuplicateSets, find_duplicates


@dataclass(frozen=True, slots=True)
class BackupTarget:
    """Where backups go, what time it is, and who is told when one is written: its path and how many leads it
    holds."""

    folder: Path
    now: datetime
    told: Callable[[Path, int], None]
    stop: Stop = field(default_factory=Stop)
    """Looked at between two batches of leads."""


@dataclass(frozen=True, slots=True)
class DuplicatesCleaned:
    """What a cleanup came to. `left`: ids of copies that were to go and stayed, as they, or the copy to keep,
    were changed while it ran. `remaining`: the sets that there are now, conflicts and all."""

    plan: DuplicatePlan
    deleted: int
    left: tuple[str, ...]
    backup: Path | None
    remaining: DuplicateSets


def plan_duplicates(database: Database, locations: Locations, chosen: Iterable[str]) -> DuplicatePlan:
    """What a cleanup would do now. Changes nothing.

    Raises:
        UsageError: an id chosen to be kept can't be.
        StorageError: the database refused.
    """
    duplicates = find_duplicates(database, locations)
    wanted = check_chosen(chosen, duplicates)
    stores = CachedStores(locations)
    plan = DuplicatePlan()
    for batch in in_batches(duplicates):
        for decision in decide(database, batch, stores, wanted):
            plan.add(decision)
    return plan


def clean_duplicates(
    database: Database, locations: Locations, chosen: Iterable[str], target: BackupTarget
) -> DuplicatesCleaned:
    """Keep one copy of each set and delete the others, but for conflicts. To be called under the run lock.

    Killed at any instant, it can be called again: whatever is deleted by then is in a backup.

    Raises:
        UsageError: an id chosen to be kept can't be.
        SettingsError, StorageError: the backup can't be written, and nothing is changed.
        StorageError: the database refused.
    """
    duplicates = find_duplicates(database, locations)
    wanted = check_chosen(chosen, duplicates)
    stores = CachedStores(locations)
    plan = DuplicatePlan()
    kind, stop = BackupKind.DUPLICATES, target.stop
    with new_backup(target.folder, kind, database.facts(), target.now, stop) as writer:
        for batch in stop.between(in_batches(duplicates)):
            # Before the plan looks at them: a lead that is edited from here on is no longer what its
            # snapshot says, and stays, whatever the plan made of it.
            snapshots = _snapshots(database, batch)
            for decision in decide(database, batch, stores, wanted):
                plan.add(decision)
                writer.add(_entries(decision, snapshots))
        backup = writer.finish()
    if backup is None:
        return DuplicatesCleaned(plan, 0, (), None, duplicates)
    target.told(backup.path, backup.documents)
    left = _delete(database, backup, stop)
    remaining = find_duplicates(database, locations)
    return DuplicatesCleaned(plan, backup.documents - len(left), tuple(left), backup.path, remaining)


def _snapshots(database: Database, batch: Sequence[Sequence[str]]) -> dict[str, LeadSnapshot]:
    taken = database.snapshots([lead_id for ids in batch for lead_id in ids])
    return {snapshot.lead_id: snapshot for snapshot in taken}


def _entries(decision: Decision | Conflict, snapshots: Mapping[str, LeadSnapshot]) -> Iterator[BackupEntry]:
    if isinstance(decision, Conflict):
        return
    for lead_id in decision.removed:
        if lead_id in snapshots:
            details = {"kept": decision.kept, "recorded": lead_id == decision.record_from}
            yield BackupEntry(snapshots[lead_id], details)


def _delete(database: Database, backup: Backup, stop: Stop) -> list[str]:
    """Delete the leads of a backup; gives the ids of those that stay.

    Records follow to the kept lead first: killed in between, a record that names a deleted lead would read
    as a lead that was deleted on purpose.
    """
    left: list[str] = []
    for entries in stop.between(batched(backup.entries(), LEADS_AT_ONCE)):
        there = database.present_leads({entry.details["kept"] for entry in entries})
        sure = [entry for entry in entries if entry.details["kept"] in there]
        kept = {entry.snapshot.lead_id: entry.details["kept"] for entry in sure}
        if recorded := database.recorded_leads(kept):
            database.repoint_records({lead_id: kept[lead_id] for lead_id in recorded})
        gone = database.delete_unchanged([entry.snapshot for entry in sure])
        left += [entry.snapshot.lead_id for entry in entries if entry.snapshot.lead_id not in gone]
    return left
