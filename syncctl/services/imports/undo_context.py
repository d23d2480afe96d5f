"""What the steps of taking back an import have in common: the notes, the leads, the backup."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from typing import Any, NamedTuple

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind
from syncctl.domain.lead_values import Document
from syncctl.ports.admin import Database, LeadSnapshot
from syncctl.ports.stop import Stop
from syncctl.services.batching import batched
from syncctl.services.cleanup.backup_writing import BackupWriter
from syncctl.services.cleanup.backups import BackupEntry
from syncctl.services.imports.undo_results import UndoPlan

NOTES_AT_ONCE = 1000
"""How many notes are handled together."""


class Item(NamedTuple):
    """One lead, record, reject or file, with all notes of one kind that the import made of it."""

    item_id: str
    notes: Sequence[ImportNote]

    @property
    def before(self) -> dict[str, Any]:
        """What was there before the import, by name."""
        first: dict[str, Any] = {}
        for note in self.notes:
            first = {**note.before, **first}
        return first

    def written(self, name: str) -> list[Any]:
        """What the import wrote, in its order: the last may not have been written."""
        return [note.after[name] for note in self.notes if name in note.after]

    @property
    def last(self) -> Mapping[str, Any]:
        """What the last of the notes says."""
        return self.notes[-1].after


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

    fingerprints: dict[str, str] = field(default_factory=dict)
    """Of records whose base is to be put back, or has been by now, by id."""

    @property
    def is_acting(self) -> bool:
        """Whether the database is to be changed."""
        return self.backed_up is not None

    def items(self, kind: NoteKind) -> Iterator[list[Item]]:
        """What the import has noted, in batches. May be forgotten while it is read."""
        grouped = (Item(key, list(notes)) for key, notes in groupby(self._notes(kind), lambda n: n.item))
        return self.stop.between(batched(grouped, NOTES_AT_ONCE))

    def _notes(self, kind: NoteKind) -> Iterator[ImportNote]:
        after = ""
        while notes := self.database.import_notes(self.run.run_id, kind, after, NOTES_AT_ONCE):
            yield from notes
            after = notes[-1].note_id

    def settle(self, items: Sequence[Item]) -> None:
        """Forget notes of which nothing is left to be put back."""
        if self.is_acting and items:
            self.database.forget_import_notes([note.note_id for item in items for note in item.notes])

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
