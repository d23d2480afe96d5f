"""Takes back what an import has done to the rejects list, and to the hashes of the files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syncctl.domain.import_notes import NoteKind
from syncctl.domain.records import Reject
from syncctl.services.imports.undo_context import Item, Undoing, all_notes


class FileContents:
    """What the files were that were last imported under each name."""

    def __init__(self, undoing: Undoing) -> None:
        """Raises StorageError."""
        self._database = undoing.database
        self._written: dict[tuple[str, str], set[Any]] = {}
        self._hashes: dict[str, dict[str, str]] = {}
        for items in undoing.items(NoteKind.FILE):
            for item in items:
                key = (item.last["kind"], item.last["name"])
                self._written[key] = set(item.written("hash"))

    def now(self, kind: str, name: str) -> str | None:
        """The hash of the file as last imported; None: it never was."""
        if kind not in self._hashes:
            self._hashes[kind] = self._database.file_hashes(kind)
        return self._hashes[kind].get(name)

    def is_as_left(self, kind: str, name: str, item: Item) -> bool:
        """Whether no later import has read another file of this name, which may have the same rows."""
        return self.now(kind, name) in {*item.written("hash"), *self._written.get((kind, name), ())}


def restore_rejects(undoing: Undoing) -> None:
    """Take off the rejects list what the import has put on it, and put back what it has taken off. Raises
    StorageError."""
    database, plan = undoing.database, undoing.plan
    contents = FileContents(undoing)
    for items in undoing.items(NoteKind.REJECTED):
        listed = _listed(undoing)
        as_left = [i for i in items if contents.is_as_left(i.last["source"], i.last["location"], i)]
        mine = [
            item.item_id
            for item in as_left
            if item.item_id in listed and listed[item.item_id].run_id == undoing.run.run_id
        ]
        plan.unlisted += len(mine)
        if undoing.is_acting and mine:
            database.clear_rejects(mine)
        undoing.settle(as_left)
    for items in undoing.items(NoteKind.CLEARED):
        listed = _listed(undoing)
        cleared = [(item, Reject(**item.before["reject"])) for item in items]
        unchanged = [
            each for each in cleared if contents.is_as_left(each[1].source, each[1].location, each[0])
        ]
        missing = [reject for _, reject in unchanged if reject.reject_id not in listed]
        plan.relisted += len(missing)
        if undoing.is_acting and missing:
            database.add_rejects(missing)
        undoing.settle([item for item, _ in unchanged])


def _listed(undoing: Undoing) -> dict[str, Reject]:
    return {reject.reject_id: reject for reject in undoing.database.rejects()}


def restore_file_hashes(undoing: Undoing) -> None:
    """Let files count as last imported what they were before the import: the same file is read again. Last of
    all: by it the rows of the rejects list are told. Raises StorageError."""
    contents = FileContents(undoing)
    for items in undoing.items(NoteKind.FILE):
        for item in items:
            kind, name, written = (item.last[key] for key in ("kind", "name", "hash"))
            before = item.before["hash"]
            if contents.now(kind, name) != written:
                _skip_in_later_notes(undoing, item)
            elif written != before:
                undoing.plan.files.append(name)
                if undoing.is_acting:
                    undoing.database.restore_file_hash(kind, name, written, before)
        undoing.settle(items)


def _skip_in_later_notes(undoing: Undoing, item: Item) -> None:
    """Another file of that name has been imported since. If that is taken back too, the file must not count
    as this one, which is not imported any more, but as what was there before."""
    if not undoing.is_acting:
        return
    database, run = undoing.database, undoing.run
    for later in database.noted_imports(""):
        if later.started_at <= run.started_at or later.run_id == run.run_id:
            continue
        notes = all_notes(database, later.run_id, NoteKind.FILE)
        first = next((note for note in notes if item.item_id in note.changes), None)
        if first and first.changes[item.item_id].before["hash"] in item.written("hash"):
            change = first.changes[item.item_id]
            changes = {**first.changes, item.item_id: change._replace(before=item.before)}
            database.replace_import_notes([replace(first, changes=changes)])
