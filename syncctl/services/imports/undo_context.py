"""What the steps of taking back an import have in common: the notes, the leads, the backup."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import takewhile
from typing import Any, NamedTuple

from syncctl.domain.import_notes import Change, ImportNote, NotedImport, NoteKind, ValuesChange
from syncctl.domain.lead_values import Document
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.cleanup.backups import BackupEntry, BackupWriter
from syncctl.services.imports.undo_results import UndoPlan

RETRY = "rejects retry"
"""The command that takes rows off the rejects list which nobody has corrected."""

NOTES_AT_ONCE = 8
"""How many notes are read together: each may have a thousand changes."""


class Item(NamedTuple):
    """One lead, record, reject or file, with all changes of one kind that the import noted of it."""

    item_id: str
    changes: Sequence[Change] = ()

    notes: Sequence[ImportNote] = ()
    """In which they are."""

    @property
    def before(self) -> dict[str, Any]:
        """What was there before the import, by name."""
        first: dict[str, Any] = {}
        for change in self.changes:
            first = {**change.before, **first}
        return first

    def written(self, name: str) -> list[Any]:
        """What the import wrote, in its order: the last may not have been written."""
        return [change.after[name] for change in self.changes if name in change.after]

    @property
    def last(self) -> Mapping[str, Any]:
        """What the last of the changes was to make; empty if none was noted."""
        return self.changes[-1].after if self.changes else {}


def all_notes(database: Database, run_id: str, kind: NoteKind) -> Iterator[ImportNote]:
    """What an import has noted of this kind, in the order of its writes. Raises StorageError."""
    after = ""
    while notes := database.import_notes(run_id, kind, after, NOTES_AT_ONCE):
        yield from notes
        after = notes[-1].note_id


@dataclass
class Undoing:
    """An import being taken back: first without a `backed_up`, when nothing is changed, then with one."""

    database: Database
    run: NotedImport
    plan: UndoPlan
    stop: Stop = field(default_factory=Stop)

    writer: BackupWriter | None = None
    """Gets the leads that are to be changed."""

    backed_up: Mapping[str, str] | None = None
    """The leads in the backup, by id, with a digest; only these are changed. None: nothing is."""

    taken: dict[str, str] = field(default_factory=dict)
    """The leads given to the writer, in the same form."""

    changed: dict[str, Document] = field(default_factory=dict)
    """Leads as they are to become, or have been changed by now, by id."""

    bases: dict[str, ValuesChange] = field(default_factory=dict)
    """Of records whose base is to be put back, or has been by now, by id."""

    @property
    def is_acting(self) -> bool:
        """Whether the database is to be changed."""
        return self.backed_up is not None

    def items(self, kind: NoteKind) -> Iterator[list[Item]]:
        """What the import has noted, in batches. May be settled, and noted anew, while it is read."""
        notes_of: dict[str, int] = {}  # hardly anything is noted twice
        end = ""
        for note in self._notes(kind):
            end = note.note_id
            for item_id in note.changes:
                notes_of[item_id] = notes_of.get(item_id, 0) + 1
        found: dict[str, list[ImportNote]] = {}
        for note in self.stop.between(takewhile(lambda each: each.note_id <= end, self._notes(kind))):
            items = []
            for item_id in note.changes:
                notes = found.setdefault(item_id, [])
                notes.append(note)
                if len(notes) == notes_of[item_id]:
                    changes = [each.changes[item_id] for each in found.pop(item_id)]
                    items.append(Item(item_id, changes, notes))
            if items:
                yield items

    @cached_property
    def seen_later(self) -> dict[str, str]:
        """The records that this import has added and later ones have seen again: record id -> the last of
        these imports that is not taken back."""
        mine: set[str] = set()
        seen: dict[str, str] = {}
        for run_id in reversed([run.run_id for run in self.later_imports()]):
            mine = mine or {each for note in self._notes(NoteKind.ADDED) for each in note.changes}
            for note in all_notes(self.database, run_id, NoteKind.SEEN):
                seen |= dict.fromkeys(note.changes.keys() & mine, run_id)
        return seen

    @cached_property
    def corrected_later(self) -> dict[str, str]:
        """The rejects that a later run has closed or saved in a retry, and not opened again: reject id ->
        that run."""
        return {
            reject_id: run.run_id
            for run in self.later_imports()
            for note in all_notes(self.database, run.run_id, NoteKind.CLEARED)
            for reject_id, change in note.changes.items()
            if change.after.get("closed") or run.command == RETRY
        }

    def later_imports(self) -> list[NotedImport]:
        """Those with notes that began after this one, the newest first."""
        noted = self.database.noted_imports("")
        return [
            each for each in noted if each.started_at > self.run.started_at and each.run_id != self.run.run_id
        ]

    def _notes(self, kind: NoteKind) -> Iterator[ImportNote]:
        return all_notes(self.database, self.run.run_id, kind)

    def settle(self, items: Sequence[Item]) -> None:
        """Forget what was noted of things of which nothing is left to be put back."""
        if not self.is_acting or not items:
            return
        shortened: dict[str, ImportNote] = {}
        for item in items:
            for note in item.notes:
                note.changes.pop(item.item_id, None)
                shortened[note.note_id] = note
        self.database.replace_import_notes(list(shortened.values()))

    def leads(self, lead_ids: Collection[str]) -> dict[str, Document]:
        """The leads that are there, as they are to be at this point."""
        there = self.database.leads(lead_ids)
        if self.is_acting:
            return there
        return {lead_id: self.changed.get(lead_id, lead) for lead_id, lead in there.items()}

    def snapshots(self, lead_ids: Collection[str]) -> dict[str, LeadSnapshot]:
        """The leads as stored. To be taken before they are looked at: one that is edited from here on differs
        from its snapshot, and is left alone."""
        if self.writer is None and not self.is_acting:
            return {}
        return {taken.lead_id: taken for taken in self.database.snapshots(lead_ids)}

    def back_up(self, entry: BackupEntry) -> None:
        """Give a lead to the writer, if there is one."""
        if self.writer is not None:
            self.writer.add([entry])
            self.taken[entry.snapshot.lead_id] = digest_of(entry.snapshot)

    def is_backed_up(self, snapshot: LeadSnapshot | None) -> bool:
        """Whether the lead is in the backup exactly so, but for what has been put back since."""
        if snapshot is None or self.backed_up is None or snapshot.lead_id not in self.backed_up:
            return False
        return snapshot.lead_id in self.changed or self.backed_up[snapshot.lead_id] == digest_of(snapshot)


def digest_of(snapshot: LeadSnapshot) -> str:
    """A short form of a snapshot."""
    return blake2b(snapshot.document.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
