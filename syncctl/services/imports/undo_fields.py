"""Takes back what an import has changed in leads and records that were there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from syncctl.domain.import_notes import NoteKind, ValuesChange, WriteChange, same_value
from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.leads import NOTHING_WRITTEN, PREVIOUS_UPDATED_AT, UPDATED_AT
from syncctl.domain.records import Write
from syncctl.services.imports.undo_backup import changed_entry
from syncctl.services.imports.undo_context import Item, Undoing
from syncctl.services.imports.undo_results import KeptReason, LeadOutcome
from syncctl.services.matching.own_writes import writes_into


def restore_leads(undoing: Undoing) -> None:
    """Give fields of leads their former values, where they still hold what the import wrote. Raises
    StorageError."""
    database, plan = undoing.database, undoing.plan
    for items in undoing.items(NoteKind.LEAD):
        ids = [item.item_id for item in items]
        snapshots = undoing.snapshots(ids)
        leads, written = database.leads(ids), writes_into(database, ids)
        recorded = database.recorded_leads(set(ids) - leads.keys())
        changes: list[LeadChange] = []
        settled: list[Item] = []
        for item in items:
            lead_id = item.item_id
            lead = leads.get(lead_id)
            if lead is None:
                if lead_id in recorded:  # otherwise this undo has deleted it, before it was interrupted
                    plan.lead(lead_id, item.before).is_gone = True
                else:
                    settled.append(item)
                continue
            found = LeadOutcome(lead_id, "", "", "", "")
            noted = written.get(lead_id, NOTHING_WRITTEN)
            _decide(item, lead, noted, undoing.run.started_at, found)
            # Where a later import has written, what it found there may come back with its own undo.
            if not found.kept and not _is_later(noted, item.before, undoing.run.started_at):
                settled.append(item)
            if not (found.restored or found.kept):
                continue
            outcome = plan.lead(lead_id, lead)
            outcome.kept = found.kept
            if found.restored:
                held = {name: lead.get(name) for name in found.restored}
                change = LeadChange(lead_id, held, {name: was for name, (_, was) in found.restored.items()})
                if undoing.is_acting and not undoing.is_backed_up(snapshots.get(lead_id)):
                    plan.left.append(lead_id)
                    settled = [each for each in settled if each is not item]
                    continue
                changes.append(change)
                outcome.restored = found.restored
                undoing.changed[lead_id] = {**lead, **change.values}
                if lead_id in snapshots:
                    entry = changed_entry(undoing.run.run_id, snapshots[lead_id], found.restored)
                    undoing.back_up(entry)
        if undoing.is_acting and changes:
            applied = database.update_leads(changes)
            left = {change.lead_id for change in changes} - applied
            _keep(undoing, left)
            settled = [item for item in settled if item.item_id not in left]
        undoing.settle(settled)


def _is_later(written: Mapping[str, Write], names: Iterable[str], started_at: datetime) -> bool:
    """Whether one of these fields was last written by a run that began later."""
    return any(name in written and written[name].at > started_at for name in names)


def _decide(
    item: Item, lead: Document, written: Mapping[str, Write], started_at: datetime, found: LeadOutcome
) -> None:
    before = item.before
    for name, was in before.items():
        held = lead.get(name)
        if same_value(held, was):
            continue
        last = written.get(name)
        is_last = last is None or last.at <= started_at or not same_value(last.value, held)
        if is_last and any(same_value(held, each) for each in item.written(name)):
            found.restored[name] = (held, was)
        elif name != UPDATED_AT:  # which moves with any edit
            by_program = last is not None and same_value(last.value, held)
            found.kept[name] = KeptReason.LATER if by_program else KeptReason.EDITED
    if found.kept or found.restored.keys() <= {UPDATED_AT}:
        found.restored.pop(UPDATED_AT, None)  # its last change is not undone


def _keep(undoing: Undoing, lead_ids: set[str]) -> None:
    """Leads that somebody changed between the look and the write."""
    for lead_id in lead_ids:
        outcome = undoing.plan.leads[lead_id]
        outcome.kept |= dict.fromkeys(outcome.restored, KeptReason.CHANGED)
        outcome.restored = {}
        del undoing.changed[lead_id]
    undoing.plan.left += sorted(lead_ids)


def restore_writes(undoing: Undoing) -> None:
    """Put back what records note of writes, where the lead holds what it held before. Raises StorageError."""
    if not undoing.is_acting:
        return
    for items in undoing.items(NoteKind.WRITES):
        leads = undoing.database.leads({item.last["lead"] for item in items})
        changes: list[WriteChange] = []
        settled: list[Item] = []
        for item in items:
            lead = leads.get(item.last["lead"])
            if lead is None:
                continue
            held: dict[str, Any] = {}
            for each in item.written("held"):
                held = {**each, **held}
            back = [name for name, was in held.items() if same_value(lead.get(_field(name)), was)]
            for name in back:
                before = item.before.get(name)
                write = Write(before.get("value"), before["at"]) if before else None
                changes.append(WriteChange(item.item_id, name, item.last["at"], write))
            if len(back) == len(held):
                settled.append(item)
        if changes:
            undoing.database.restore_writes(changes)
        undoing.settle(settled)


def _field(name: str) -> str:
    """The field of the lead that a note of a write is about."""
    return UPDATED_AT if name == PREVIOUS_UPDATED_AT else name


def restore_values(undoing: Undoing) -> None:
    """Put bases back, where no later import has changed them. Raises StorageError."""
    database = undoing.database
    for items in undoing.items(NoteKind.VALUES):
        ids = [item.item_id for item in items]
        known, written = database.find_records(ids), database.writes(ids)
        changes: list[ValuesChange] = []
        settled: list[Item] = []
        for item in items:
            record, before = known.get(item.item_id), item.before
            noted = written.get(item.item_id, NOTHING_WRITTEN)
            if record is not None and _is_later(noted, noted, undoing.run.started_at):
                continue  # the base goes with the values of that run
            if record is None or record.fingerprint == before["fingerprint"]:
                settled.append(item)
            elif record.fingerprint in item.written("fingerprint"):
                settled.append(item)
                undoing.plan.records += 1
                change = ValuesChange(
                    item.item_id, record.fingerprint, before["values"], before["fingerprint"]
                )
                undoing.bases[item.item_id] = change
                changes.append(change)
        if undoing.is_acting and changes:
            database.restore_values(changes)
        undoing.settle(settled)


def unpair_reports(undoing: Undoing) -> None:
    """Forget which reports finished records, where the import has found that out. Raises StorageError."""
    for items in undoing.items(NoteKind.REPORT):
        known = undoing.database.find_records([item.item_id for item in items])
        paired = {
            item.item_id: item.last["report"]
            for item in items
            if item.item_id in known and known[item.item_id].report_id == item.last["report"]
        }
        undoing.plan.records += len(paired)
        if undoing.is_acting and paired:
            undoing.database.unpair_reports(paired)
        undoing.settle(items)
