"""Takes back records that an import has added, and the leads that it has created."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from syncctl.domain.identity import fingerprint
from syncctl.domain.import_notes import MOST_CHANGES, Change, ImportNote, NoteKind, in_notes, lead_digest
from syncctl.domain.lead_fields import SOURCE_FIELDS
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.leads import NOTHING_WRITTEN, is_touched, new_lead
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.domain.sources import FILE_STEPS
from syncctl.ports.admin import LeadSnapshot
from syncctl.services.batching import batched
from syncctl.services.imports.undo_backup import deleted_entry, record_fields
from syncctl.services.imports.undo_context import Item, Undoing
from syncctl.services.imports.undo_results import KeptReason
from syncctl.services.matching.own_writes import writes_into


@dataclass(slots=True)
class _Added:
    """A record that the import has added, and what there is of it now."""

    item: Item

    now: SyncRecord | None
    """As it is now, its base as it is after that was put back; None: not there."""

    lead: Document | None
    """Its lead as it is to be by now."""

    is_shared: bool
    """Whether a record of a later run has the same lead."""

    @property
    def record(self) -> SyncRecord | None:
        """As it is, or was when an undo that was interrupted removed it. None: the import was killed before
        it added it, or somebody else removed it."""
        copies = self.item.written("copy")
        return SyncRecord(**copies[-1]) if self.now is None and copies else self.now

    @property
    def lead_id(self) -> str:
        """The id of its lead; a cleanup of duplicates may have given it another one."""
        return _lead_id(self.item) if self.now is None else self.now.lead_id

    @property
    def is_later(self) -> bool:
        """Whether a later run has changed the record, or has one of the same lead."""
        added = self.item.written("fingerprint")
        is_changed = self.now is not None and bool(added) and self.now.fingerprint not in added
        return is_changed or self.is_shared

    @property
    def is_as_left(self) -> bool:
        """Whether record and lead are as the import left them, and nobody else's."""
        if self.is_later:
            return False
        noted = self.item.written("lead")
        now = None if self.lead is None else lead_digest(self.lead)
        return now in noted if noted else self._is_as_created(now)

    def _is_as_created(self, now: str | None) -> bool:
        """Whether the lead is as its record makes it, or made it by what is noted. `now`: its digest."""
        lead = self.lead or {}
        # An earlier version noted nothing.
        noted_dates = self.item.written("createdAt") or [lead.get("createdAt")]
        for values in self._values_then():
            source = SourceRecord("", self.lead_id, values)
            if any(now == lead_digest(new_lead(source, created_at)) for created_at in noted_dates):
                return True
        return False

    def _values_then(self) -> list[LeadValues]:
        """What the source said of it; where its record was never added, as its lead says, if that is so."""
        if self.record is not None:
            return [self.record.values]
        lead = self.lead or {}
        names = {field.name for field in SOURCE_FIELDS if lead.get(field.name) is not None}
        if "createdAt" in self.item.last:
            names.discard("createdAt")
        # Remarks are empty by default, so these don't tell whether the source had any.
        candidates = [{name: lead[name] for name in each} for each in (names, names - {"remarks"})]
        noted = self.item.written("fingerprint")
        return [cast(LeadValues, values) for values in candidates if fingerprint(values) in noted]


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
        snapshots = undoing.snapshots([_lead_id(item) for item in items])
        found = _look_up(undoing, items)
        _delete(undoing, found, snapshots)


def forget_seen(undoing: Undoing) -> None:
    """Forget which records of earlier imports this one has seen again. Raises StorageError."""
    for items in undoing.items(NoteKind.SEEN):
        undoing.plan.seen += len(items)
        undoing.settle(items)


def _delete(undoing: Undoing, found: Sequence[_Added], snapshots: dict[str, LeadSnapshot]) -> None:
    database, plan = undoing.database, undoing.plan
    written = writes_into(database, [each.lead_id for each in found if each.lead is not None])
    doomed: list[_Added] = []
    orphaned: list[_Added] = []
    settled = [each.item for each in found if each.now is None and each.lead is None]
    for each in found:
        lead_id, lead = each.lead_id, each.lead
        if lead is None:
            if each.now is not None:
                plan.lead(lead_id, each.now.values).is_gone = True
            continue
        outcome = plan.lead(lead_id, lead)
        if not each.is_as_left:
            touched = is_touched(lead, written.get(lead_id, NOTHING_WRITTEN))
            outcome.reason = (
                KeptReason.EDITED if touched else KeptReason.LATER if each.is_later else KeptReason.CHANGED
            )
            if each.now is None and not each.is_shared:
                orphaned.append(each)
        elif later_run := undoing.seen_later.get(each.item.item_id):
            outcome.reason, outcome.later_run = KeptReason.SEEN, later_run
        elif undoing.is_acting and not undoing.is_backed_up(snapshots.get(lead_id)):
            outcome.reason = KeptReason.CHANGED
            plan.left.append(lead_id)
        else:
            outcome.is_deleted = True
            doomed.append(each)
            if lead_id in snapshots:
                undoing.back_up(deleted_entry(undoing.run.run_id, snapshots[lead_id], each.record))
    if undoing.is_acting:
        settled += _delete_from_database(undoing, doomed, orphaned, snapshots)
        undoing.settle(settled)


def _delete_from_database(
    undoing: Undoing,
    doomed: Sequence[_Added],
    orphaned: Sequence[_Added],
    snapshots: dict[str, LeadSnapshot],
) -> list[Item]:
    """Records before leads: a record without its lead reads as "deleted by a telecaller". Where a lead is
    edited just now, and so stays, its record comes back. Gives what is done."""
    database, plan = undoing.database, undoing.plan
    done: list[Item] = []
    if doomed:
        items = _with_copies(undoing, doomed)
        database.remove_records([each.now for each in doomed if each.now is not None])
        gone = database.delete_unchanged([snapshots[each.lead_id] for each in doomed])
        for each, item in zip(doomed, items, strict=True):
            if each.lead_id in gone:
                done.append(item)
                continue
            outcome = plan.leads[each.lead_id]
            outcome.is_deleted, outcome.reason = False, KeptReason.CHANGED
            plan.left.append(each.lead_id)
            orphaned = [*orphaned, each]
    if records := [each.record for each in orphaned if each.record is not None]:
        database.store_leads([], records)
    return done


def _with_copies(undoing: Undoing, doomed: Sequence[_Added]) -> list[Item]:
    """Note the records, which are about to be removed: if this is interrupted, and a lead edited then, its
    record must come back. Gives the items with these notes too."""
    items = {each.item.item_id: each.item for each in doomed}
    copies = (
        (each.item.item_id, Change({}, {**each.item.last, "copy": record_fields(each.now)}))
        for each in doomed
        if each.now is not None
    )
    for together in in_notes(copies):
        first = items[next(iter(together))]
        # Another number than those that an interrupted undo may have left.
        number = f"undo-{first.item_id}-{len(first.notes)}"
        note = ImportNote(undoing.run.run_id, NoteKind.ADDED, number, together)
        undoing.database.add_import_notes([note])
        for item_id in together:
            items[item_id] = items[item_id]._replace(notes=[*items[item_id].notes, note])
    return list(items.values())


def _look_up(undoing: Undoing, items: Sequence[Item]) -> list[_Added]:
    """What there is now of these records. Those that a later import has stored anew are left out."""
    database, run_id = undoing.database, undoing.run.run_id
    added = {item.item_id for item in items}
    lead_ids = {_lead_id(item) for item in items}
    known = database.find_records(added)
    moved = {each.lead_id for each in known.values()}
    entries = database.records_about((), (), lead_ids | moved)
    now = {entry.record.record_id: entry.record for entry in entries if entry.record.record_id in added}
    shared = {entry.record.lead_id for entry in entries if entry.record.first_run_id != run_id}
    leads = undoing.leads(lead_ids | moved)
    found = []
    for item in items:
        record_now = now.get(item.item_id)
        if record_now is not None and record_now.first_run_id != run_id:
            undoing.plan.taken_over[record_now.first_run_id] += 1
            continue
        if record_now is not None and (base := undoing.bases.get(item.item_id)):
            values = cast(LeadValues, dict(base.values))
            record_now = replace(record_now, fingerprint=base.fingerprint, values=values)
        each = _Added(item, record_now, None, False)
        each.lead = leads.get(each.lead_id)
        each.is_shared = each.lead_id in shared or each.lead_id != _lead_id(item)
        found.append(each)
    return found


def _lead_id(item: Item) -> str:
    """The lead with which the record was added: nearly always its own id."""
    lead_id: str = item.last.get("leadId", item.item_id)
    return lead_id


def _items_of_records(undoing: Undoing) -> Iterator[list[Item]]:
    """The leads that a run of an earlier version has created, as far as its records tell: those with the id
    of their record, unless a report had finished them by then. And what an undo that was interrupted has
    noted of them."""
    noted: set[str] = set()
    for items in undoing.items(NoteKind.ADDED):
        noted.update(item.item_id for item in items)
        yield items
    rest = [
        Item(entry.record.record_id)
        for entry in undoing.database.records_of_run(undoing.run.run_id)
        if entry.record.source in list(FILE_STEPS)
        and entry.record.lead_id == entry.record.record_id
        and entry.record.report_id is None
        and entry.record.record_id not in noted
    ]
    yield from undoing.stop.between(batched(rest, MOST_CHANGES))
