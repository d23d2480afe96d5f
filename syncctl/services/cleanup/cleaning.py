"""Deletes the copies that a plan doesn't keep, each only after it was backed up to the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from syncctl.errors import PlanOutdatedError
from syncctl.locations import Locations
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, Backup, BackupEntry, BackupKind, new_backup
from syncctl.services.cleanup.duplicate_plans import check_chosen, decide, in_batches
from syncctl.services.cleanup.duplicate_results import Conflict, Decision, DuplicatePlan
from syncctl.services.cleanup.duplicate_search import find_duplicates
from syncctl.services.cleanup.duplicates import CachedStores, DuplicateSets, OnCounted, keep_no_count


@dataclass(frozen=True, slots=True)
class BackupTarget:
    """Where to write a backup."""

    folder: Path
    now: datetime
    on_written: Callable[[Path, int], None]
    """Called when it is written, with its path and the number of leads."""
    stop: Stop = field(default_factory=Stop)
    """Looked at between two batches of leads."""

    agreed: object = None
    """The `actions` of the plan that a person has seen and agreed to; None: whatever the plan comes to."""

    def check(self, actions: object) -> None:
        """To be called before anything is changed. Raises PlanOutdatedError where it would be something else
        than was agreed to."""
        if self.agreed is not None and actions != self.agreed:
            raise PlanOutdatedError(
                "Other leads would be changed than you have just seen, as somebody is at work on them. "
                "Nothing was changed.",
                hint="Run it again and look at the new plan.",
            )


class DuplicatesCleaned(NamedTuple):
    """The result of a cleanup."""

    plan: DuplicatePlan
    deleted: int
    left: tuple[str, ...]
    """Ids of copies that were not deleted, as they, or the copy to keep, were changed meanwhile."""

    backup: Path | None
    remaining: DuplicateSets
    """The sets that exist now, including conflicts."""


def plan_duplicates(
    database: Database, locations: Locations, chosen: Iterable[str], on_counted: OnCounted = keep_no_count
) -> DuplicatePlan:
    """What a cleanup would do now. Changes nothing.

    Raises:
        UsageError: an id chosen to be kept can't be.
        StorageError: the database refused.
    """
    duplicates = find_duplicates(database, locations, on_counted)
    wanted = check_chosen(chosen, duplicates)
    stores = CachedStores(locations)
    plan = DuplicatePlan(leads=duplicates.leads)
    for batch in in_batches(duplicates):
        for decision in decide(database, batch, stores, wanted):
            plan.add(decision)
    return plan


def clean_duplicates(
    database: Database,
    locations: Locations,
    chosen: Iterable[str],
    target: BackupTarget,
    on_counted: OnCounted = keep_no_count,
) -> DuplicatesCleaned:
    """Keep one copy of each set and delete the others, except for conflicts. Needs the run lock.

    If killed, it can simply be run again: everything deleted so far is in a backup.

    Raises:
        UsageError: an id chosen to be kept can't be.
        PlanOutdatedError: other leads would be deleted than the person agreed to; nothing is changed.
        SettingsError, StorageError: the backup can't be written, and nothing is changed.
        StorageError: the database refused.
    """
    duplicates = find_duplicates(database, locations, on_counted)
    wanted = check_chosen(chosen, duplicates)
    stores = CachedStores(locations)
    plan = DuplicatePlan(leads=duplicates.leads)
    kind, stop = BackupKind.DUPLICATES, target.stop
    with new_backup(target.folder, kind, database.facts(), target.now, stop) as writer:
        for batch in stop.between(in_batches(duplicates)):
            # Before planning: a lead that is edited from here on differs from its snapshot, and is
            # not deleted, whatever the plan says.
            snapshots = _snapshots(database, batch)
            for decision in decide(database, batch, stores, wanted):
                plan.add(decision)
                writer.add(_entries(decision, snapshots))
        target.check(plan.actions)
        backup = writer.finish()
    if backup is None:
        return DuplicatesCleaned(plan, 0, (), None, duplicates)
    target.on_written(backup.path, backup.documents)
    left = _delete(database, backup, stop)
    remaining = find_duplicates(database, locations, on_counted)
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
    """Delete the leads of a backup; returns the ids of those that stay.

    Their records are pointed at the kept lead first: if killed in between, a record with a deleted lead would
    look as if somebody had deleted that lead on purpose.
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
