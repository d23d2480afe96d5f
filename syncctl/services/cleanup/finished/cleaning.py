"""Decides which leads belong to records that people have finished or deleted, and by what evidence; deletes
them, each only after it was backed up to the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.identity import id_time
from syncctl.domain.lead_matching import Level
from syncctl.domain.records import SyncRecord
from syncctl.locations import Locations
from syncctl.ports.admin import Database
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backups import LEADS_AT_ONCE, Backup, BackupEntry, BackupKind, new_backup
from syncctl.services.cleanup.cleaning import BackupTarget
from syncctl.services.cleanup.duplicates import CachedStores
from syncctl.services.cleanup.finished.batch import Batch
from syncctl.services.cleanup.finished.candidates import find_candidates
from syncctl.services.cleanup.finished.plan import (
    FinishedPlan,
    FoundLead,
    MatchReason,
    Pairing,
    compared,
    summary_of_lead,
    summary_of_report,
)
from syncctl.services.explain.names import UserNames, report_now
from syncctl.services.matching.matching import Matcher
from syncctl.services.sync.planning import CLOCK_TOLERANCE

_REASONS = {
    Level.ID: MatchReason.ID,
    Level.BOOKING: MatchReason.BOOKING,
    Level.MOMENT: MatchReason.MOMENT,
    Level.DAY: MatchReason.DAY,
    Level.PERSON: MatchReason.PERSON,
}


class Planner:
    """Decides batch by batch. Over all batches, a record gets one report, and a report one record."""

    def __init__(self, database: Database, locations: Locations, now: datetime) -> None:
        self._database = database
        self._now = now
        self._stores = CachedStores(locations)
        self._matcher = Matcher(database, locations)
        self._users = UserNames(database)
        self._record_of: dict[str, str] = {}
        self._report_of: dict[str, str] = {}

    def decide(self, lead_ids: Sequence[str]) -> Iterator[FoundLead]:
        """What to do with these leads, as the database is now; leads without any finding are left out.
        Raises StorageError."""
        batch = Batch(self._database, lead_ids, self._stores, self._matcher)
        for lead_id in sorted(batch.leads):
            if (found := self._decide(batch, lead_id)) is not None:
                yield found

    def _decide(self, batch: Batch, lead_id: str) -> FoundLead | None:
        worked_on = batch.is_worked_on(lead_id)
        best = batch.best_fit(lead_id)
        if best is not None and best.is_certain:
            return self._matched(
                batch, lead_id, best.report_id, _REASONS[best.agreement.level], deletable=not worked_on
            )
        if (noted := batch.noted_report(lead_id)) is not None:
            return self._matched(batch, lead_id, noted, MatchReason.RECORD, deletable=not worked_on)
        if not worked_on and (record := batch.gone_record(lead_id)) is not None:
            came_back_at = self._came_back_at(lead_id, record)
            side = summary_of_lead(batch.leads[lead_id], batch.traits[lead_id])
            return FoundLead(
                lead_id,
                side,
                MatchReason.DELETED,
                deletable=came_back_at is not None,
                worked_on=False,
                came_back_at=came_back_at,
            )
        if best is not None:
            return self._matched(
                batch, lead_id, best.report_id, _REASONS[best.agreement.level], deletable=False
            )
        return None

    def _matched(
        self, batch: Batch, lead_id: str, report_id: str, why: MatchReason, *, deletable: bool
    ) -> FoundLead:
        lead, traits, report = batch.leads[lead_id], batch.traits[lead_id], batch.report_traits[report_id]
        same, other = compared(traits, report)
        return FoundLead(
            lead_id,
            summary_of_lead(lead, traits),
            why,
            deletable,
            batch.is_worked_on(lead_id),
            same,
            other,
            report_now(batch.reports[report_id], self._users),
            summary_of_report(report, traits),
            pairing=self._pairing(batch, lead_id, report_id) if deletable else None,
        )

    def _pairing(self, batch: Batch, lead_id: str, report_id: str) -> Pairing | None:
        """The lead's record, unless it or the report is already paired."""
        records = batch.records_of(lead_id)
        if report_id in batch.paired or any(record.report_id is not None for record in records):
            return None
        for record in records:
            record_id = self._record_of.setdefault(report_id, record.record_id)
            if (
                record_id == record.record_id
                and self._report_of.setdefault(record_id, report_id) == report_id
            ):
                return Pairing(record_id, report_id, is_own=record.lead_id == lead_id)
        return None

    def _came_back_at(self, lead_id: str, record: SyncRecord) -> datetime | None:
        """When a copy of a record's lead was stored; None if that was before syncctl knew the record, as
        then somebody may have deleted one of two copies on purpose, or if its id doesn't show the time."""
        stored_at = id_time(lead_id)
        if stored_at is None or stored_at > self._now + CLOCK_TOLERANCE:
            return None
        return stored_at if stored_at >= record.first_seen_at.replace(microsecond=0) else None


class FinishedCleaned(NamedTuple):
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
