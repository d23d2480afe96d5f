"""Renames misspelt stores of leads to their canonical names (contract/locations.toml)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.lead_values import LeadChange
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, Backup, BackupEntry, BackupKind, new_backup
from syncctl.services.cleanup.cleaning import BackupTarget
from syncctl.services.cleanup.duplicate_search import DuplicateSearch
from syncctl.services.cleanup.duplicates import (
    KEY_FIELDS,
    CachedStores,
    OnCounted,
    keep_no_count,
    usual_key,
)
from syncctl.services.matching.legacy_leads import text_of


@dataclass(slots=True)
class StorePlan:
    """What renaming would do; all counts are by the name as written."""

    renames: dict[str, str] = field(default_factory=dict)
    """Name as written -> canonical name."""

    leads: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the leads to rename."""

    in_duplicates: Counter[str] = field(default_factory=Counter)
    """How many are skipped because they are copies of other leads."""

    unknown: Counter[str] = field(default_factory=Counter)
    """How many have a name that isn't a known store's ("": no name)."""

    @property
    def count(self) -> int:
        """How many leads would be renamed."""
        return sum(map(len, self.leads.values()))

    @property
    def actions(self) -> dict[str, tuple[str, list[str]]]:
        """What is done: for each name as written, the new one and the leads that get it."""
        return {written: (self.renames[written], ids) for written, ids in self.leads.items() if ids}


class StoresRenamed(NamedTuple):
    """The result of renaming."""

    plan: StorePlan
    renamed: int
    left: tuple[str, ...]
    """Ids of leads that were edited or deleted meanwhile."""

    backup: Path | None


def plan_stores(database: Database, locations: Locations, on_counted: OnCounted = keep_no_count) -> StorePlan:
    """What renaming would do now, in one pass over the leads. Changes nothing. Raises StorageError."""
    known = {*locations.store_names, *(store.name for store in database.stores())}
    stores = CachedStores(locations)
    search = DuplicateSearch(locations, database)
    plan = StorePlan()
    misspelt: defaultdict[str, list[str]] = defaultdict(list)
    for lead in database.scan_leads(KEY_FIELDS):
        search.add(lead, usual_key(lead))
        written = lead.get("store")
        if not isinstance(written, str) or (name := stores.canonical(written)) not in known or name is None:
            plan.unknown[text_of(lead, "store")] += 1
        elif name != written:
            plan.renames[written] = name
            misspelt[written].append(lead["_id"])
    duplicates = search.found()
    if search.leads:
        on_counted(duplicates)
    copies = {lead_id for sets in duplicates.sets.values() for ids in sets for lead_id in ids}
    for written, ids in misspelt.items():
        plan.leads[written] = sorted(set(ids) - copies)
        if left := len(copies.intersection(ids)):
            plan.in_duplicates[written] = left
    return plan


def rename_stores(database: Database, locations: Locations, target: BackupTarget) -> StoresRenamed:
    """Give leads their stores' canonical names, except leads that are copies of each other, which must be
    cleaned up first. `updatedAt` doesn't change, as nobody worked on them. Needs the run lock.

    Raises:
        PlanOutdatedError: other leads would be renamed than the person agreed to; nothing is changed.
        SettingsError, StorageError: the backup can't be written, and nothing is changed.
        StorageError: the database refused.
    """
    plan = plan_stores(database, locations)
    target.check(plan.actions)
    with new_backup(target.folder, BackupKind.STORES, database.facts(), target.now, target.stop) as writer:
        for written, lead_ids in plan.leads.items():
            details = {"from": written, "to": plan.renames[written]}
            for ids in target.stop.between(batched(lead_ids, LEADS_AT_ONCE)):
                writer.add(BackupEntry(snapshot, details) for snapshot in database.snapshots(ids))
        backup = writer.finish()
    if backup is None:
        return StoresRenamed(plan, 0, (), None)
    target.on_written(backup.path, backup.documents)
    renamed = _rename(database, backup, target.stop)
    left = {lead_id for ids in plan.leads.values() for lead_id in ids} - renamed
    return StoresRenamed(plan, len(renamed), tuple(sorted(left)), backup.path)


def _rename(database: Database, backup: Backup, stop: Stop) -> set[str]:
    """Rename the leads of a backup; returns the ids of those that have the new name."""
    renamed: set[str] = set()
    for entries in stop.between(batched(backup.entries(), LEADS_AT_ONCE)):
        renamed |= database.update_leads(
            [
                LeadChange(
                    entry.snapshot.lead_id, {"store": entry.details["from"]}, {"store": entry.details["to"]}
                )
                for entry in entries
            ]
        )
    return renamed
