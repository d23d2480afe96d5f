"""Takes back records that an import has added, and the leads that it has created."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, lead_digest
from syncctl.domain.lead_values import Document
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched, new_lead
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.domain.sources import FILE_STEPS
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.services.batching import batched
from syncctl.services.imports.undo_backup import deleted_entry, record_fields
from syncctl.services.imports.undo_context import NOTES_AT_ONCE, Item, Undoing
from syncctl.services.imports.undo_results import KeptReason
from syncctl.services.matching.own_writes import writes_into


@dataclass(slots=True)
class _Added:
    """A record that the import has added, and what there is of it now."""

    item: Item
    record: SyncRecord
    """As it was added; its fingerprint as it is after its base was put back."""

    now: SyncRecord | None
    """As it is now; None: not there."""

    lead: Document | None
    """Its lead as it is to be by now."""

    is_shared: bool
    """Whether a record of a later run has the same lead."""

    @property
    def lead_id(self) -> str:
        """The id of its lead; a cleanup of duplicates may have given it another one."""
        return self.record.lead_id if self.now is None else self.now.lead_id

    @property
    def is_as_left(self) -> bool:
        """Whether record and lead are as the import left them, and nobody else's."""
        if self.now is not None and self.now.fingerprint != self.record.fingerprint:
            return False
        return not self.is_shared and self.lead_now == self.lead_then

    @property
    def lead_then(self) -> str | None:
        """The digest of the lead with which the record was added."""
        if "lead" in self.item.last:
            digest: str | None = self.item.last["lead"]
            return digest
        # Added by an earlier version, which noted nothing: a lead is what its record makes it.
        source = SourceRecord(self.record.key, self.record.lead_id, self.record.values)
        created_at = self.record.first_seen_at if self.lead is None else self.lead.get("createdAt")
        return lead_digest(new_lead(source, created_at or self.record.first_seen_at))

    @property
    def lead_now(self) -> str | None:
        return None if self.lead is None else lead_digest(self.lead)


def unlink_records(undoing: Undoing) -> None:
    """Remove records that the import has added to leads that were there. Raises StorageError."""
    for items in undoing.items(NoteKind.LINKED):
        found = _look_up(undoing, items)
        removable = [each for each in found if each.now is not None and each.is_as_left]
        undoing.plan.records += len(removable)
        if undoing.is_acting and removable:
            undoing.database.remove_records([each.now for each in removable if each.now is not None])
        undoing.settle([each.item for each in found if each.now is None or each.is_as_left])


def delete_leads(undoing: Undoing) -> None:
    """Delete the leads that the import has created, with their records. Raises StorageError."""
    for items in _items_of_records(undoing) if undoing.run.created_only else undoing.items(NoteKind.ADDED):
        snapshots = undoing.snapshots([_record(item).lead_id for item in items])
        found = _look_up(undoing, items)
        _delete(undoing, found, snapshots)


def _delete(undoing: Undoing, found: Sequence[_Added], snapshots: dict[str, LeadSnapshot]) -> None:
    database, plan = undoing.database, undoing.plan
    written = writes_into(database, [each.lead_id for each in found if each.lead is not None])
    doomed: list[_Added] = []
    orphaned: list[SyncRecord] = []
    settled = [each.item for each in found if each.now is None and each.lead is None]
    for each in found:
        lead_id, lead = each.lead_id, each.lead
        if lead is None:
            if each.now is not None:
                plan.lead(lead_id, each.record.values).is_gone = True
            continue
        outcome = plan.lead(lead_id, lead)
        if not each.is_as_left:
            touched = is_touched(lead, written.get(lead_id, NOTHING_WRITTEN))
            later = each.is_shared or (each.now and each.now.fingerprint != each.record.fingerprint)
            outcome.reason = (
                KeptReason.EDITED if touched else KeptReason.LATER if later else KeptReason.CHANGED
            )
            if each.now is None and not each.is_shared:
                orphaned.append(each.record)
        elif undoing.is_acting and not undoing.is_backed_up(snapshots.get(lead_id)):
            outcome.reason = KeptReason.CHANGED
            plan.left.append(lead_id)
        else:
            outcome.is_deleted = True
            doomed.append(each)
            if lead_id in snapshots:
                undoing.back_up(deleted_entry(snapshots[lead_id], each.now or each.record))
    if undoing.is_acting:
        settled += _delete_from_database(undoing, doomed, orphaned, snapshots)
        undoing.settle(settled)


def _delete_from_database(
    undoing: Undoing,
    doomed: Sequence[_Added],
    orphaned: Sequence[SyncRecord],
    snapshots: dict[str, LeadSnapshot],
) -> list[Item]:
    """Records before leads: a record without its lead reads as "deleted by a telecaller". Where a lead is
    edited just now, and so stays, its record comes back. Gives what is done."""
    database, plan = undoing.database, undoing.plan
    if doomed:
        database.remove_records([each.now for each in doomed if each.now is not None])
        gone = database.delete_unchanged([snapshots[each.record.lead_id] for each in doomed])
        for each in doomed:
            if each.record.lead_id not in gone:
                outcome = plan.leads[each.record.lead_id]
                outcome.is_deleted, outcome.reason = False, KeptReason.CHANGED
                plan.left.append(each.record.lead_id)
                orphaned = [*orphaned, each.now or each.record]
    if orphaned:
        database.store_leads([], orphaned)
    back = {record.record_id for record in orphaned}
    return [each.item for each in doomed if each.record.record_id not in back]


def _look_up(undoing: Undoing, items: Sequence[Item]) -> list[_Added]:
    """What there is now of these records. Those that a later import has stored anew are left out."""
    database, run_id = undoing.database, undoing.run.run_id
    added = {item.item_id: _record(item) for item in items}
    lead_ids = {record.lead_id for record in added.values()}
    known = database.find_records(added.keys())
    moved = {each.lead_id for each in known.values()}
    entries = database.records_about((), (), lead_ids | moved)
    now = {entry.record.record_id: entry.record for entry in entries if entry.record.record_id in added}
    shared = {entry.record.lead_id for entry in entries if entry.record.first_run_id != run_id}
    leads = undoing.leads(lead_ids | moved)
    found = []
    for item in items:
        record = added[item.item_id]
        record_now = now.get(item.item_id)
        if record_now is not None and record_now.first_run_id != run_id:
            undoing.plan.taken_over[record_now.first_run_id] += 1
            continue
        if record_now is not None and (fingerprint := undoing.fingerprints.get(item.item_id)):
            record_now = replace(record_now, fingerprint=fingerprint)
        each = _Added(item, record, record_now, None, False)
        each.lead = leads.get(each.lead_id)
        each.is_shared = each.lead_id in shared or each.lead_id != record.lead_id
        found.append(each)
    return found


def _record(item: Item) -> SyncRecord:
    return SyncRecord(**item.notes[0].after["record"])


def note_created(database: Database, run: NotedImport) -> None:
    """Note the leads that an import of an earlier version has created, as it would itself: killed between
    record and lead, the undo then knows the lead. Raises StorageError."""
    database.save_import(run)
    for notes in batched(_notes_of_records(database, run.run_id), NOTES_AT_ONCE):
        database.add_import_notes(notes)


def _notes_of_records(database: Database, run_id: str) -> list[ImportNote]:
    """The leads that a run has created, as far as its records tell: those with the id of their record, unless
    a report had finished them by then."""
    return [
        ImportNote(
            run_id, NoteKind.ADDED, entry.record.record_id, "", {}, {"record": record_fields(entry.record)}
        )
        for entry in database.records_of_run(run_id)
        if entry.record.source in list(FILE_STEPS)
        and entry.record.lead_id == entry.record.record_id
        and entry.record.report_id is None
    ]


def _items_of_records(undoing: Undoing) -> Iterator[list[Item]]:
    """The same as noted by an undo that was interrupted, and as the records tell."""
    yield from undoing.items(NoteKind.ADDED)
    if not undoing.is_acting:  # they are noted by then
        noted = {item.item_id for items in undoing.items(NoteKind.ADDED) for item in items}
        notes = _notes_of_records(undoing.database, undoing.run.run_id)
        items = (Item(note.item, [note]) for note in notes if note.item not in noted)
        yield from undoing.stop.between(batched(items, NOTES_AT_ONCE))
