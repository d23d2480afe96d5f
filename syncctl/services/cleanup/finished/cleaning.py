"""Deletes the leads that a plan names, each only after it was backed up to the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, Backup, BackupEntry, BackupKind, new_backup
from syncctl.services.cleanup.cleaning import BackupTarget
from syncctl.services.cleanup.finished.candidates import find_candidates
from syncctl.services.cleanup.finished.plan import FinishedPlan, FoundLead
from syncctl.services.cleanup.finished.planner import Planner


@dataclass(frozen=True, slots=True)
class FinishedCleaned:
    """The result of a cleanup."""

    plan: FinishedPlan
    deleted: int
    left: tuple[str, ...]
    """Ids of leads that were not deleted, as they were changed meanwhile."""
    backup: Path | None
    """None: there was nothing to delete."""


def plan_finished(database: Database, locations: Locations, now: datetime) -> FinishedPlan:
    """What a cleanup would do `now`. Changes nothing. Raises StorageError."""
    plan, planner = FinishedPlan(), Planner(database, locations, now)
    for lead_ids in batched(find_candidates(database, locations), LEADS_AT_ONCE):
        for found in planner.decide(lead_ids):
            plan.add(found)
    return plan


def clean_finished(database: Database, locations: Locations, target: BackupTarget) -> FinishedCleaned:
    """Delete the leads of records that people have finished or deleted, and mark these records as finished.
    Needs the run lock.

    If killed, it can simply be run again: everything deleted so far is in a backup.

    Raises:
        PlanOutdatedError: other leads would be deleted than the person agreed to; nothing is changed.
        SettingsError, StorageError: the backup can't be written, and nothing is changed.
        StorageError: the database refused.
    """
    plan, planner = FinishedPlan(), Planner(database, locations, target.now)
    with new_backup(target.folder, BackupKind.FINISHED, database.facts(), target.now, target.stop) as writer:
        for lead_ids in target.stop.between(batched(find_candidates(database, locations), LEADS_AT_ONCE)):
            # Before planning: a lead that is edited from here on differs from its snapshot, and is
            # not deleted, whatever the plan says.
            snapshots = {taken.lead_id: taken for taken in database.snapshots(lead_ids)}
            for found in planner.decide(lead_ids):
                if found.lead_id in snapshots:
                    plan.add(found)
                    if found.deletable:
                        writer.add([BackupEntry(snapshots[found.lead_id], _details(found))])
        target.check(plan.actions)
        backup = writer.finish()
    if backup is None:
        return FinishedCleaned(plan, 0, (), None)
    target.on_written(backup.path, backup.documents)
    left = _delete(database, backup, target.stop)
    return FinishedCleaned(plan, backup.documents - len(left), tuple(left), backup.path)


def _details(found: FoundLead) -> dict[str, object]:
    if found.pairing is None:
        return {"why": found.why.value}
    pairing = found.pairing
    return {
        "why": found.why.value,
        "record": pairing.record_id,
        "report": pairing.report_id,
        "own": pairing.is_own,
    }


def pairings(entries: Sequence[BackupEntry]) -> dict[str, str]:
    """The records that the cleanup marked as finished when it deleted these leads, each with its report."""
    pairs = ((entry.details.get("record"), entry.details.get("report")) for entry in entries)
    return {record: report for record, report in pairs if isinstance(record, str) and isinstance(report, str)}


def _delete(database: Database, backup: Backup, stop: Stop) -> list[str]:
    """Delete the leads of a backup; returns the ids of those that stay.

    The records are marked first: if killed in between, the next cleanup finds the lead of a finished record
    and deletes it. The other way round it would find nothing, and the record would look as if a person had
    deleted its lead.
    """
    left: list[str] = []
    for entries in stop.between(batched(backup.entries(), LEADS_AT_ONCE)):
        if marked := pairings(entries):
            database.pair_reports(marked)
        gone = database.delete_unchanged([entry.snapshot for entry in entries])
        stayed = [entry for entry in entries if entry.snapshot.lead_id not in gone]
        if not_finished := pairings([entry for entry in stayed if entry.details.get("own")]):
            database.unpair_reports(not_finished)
        left += [entry.snapshot.lead_id for entry in stayed]
    return left
