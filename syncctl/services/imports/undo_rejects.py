"""Takes back what an import has done to the rejects list, and to the hashes of the files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from syncctl.domain.import_notes import NoteKind
from syncctl.domain.records import Reject
from syncctl.services.imports.undo_context import Item, Undoing


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
        mine = [
            item.item_id
            for item in items
            if item.item_id in listed
            and listed[item.item_id].run_id == undoing.run.run_id
            and contents.is_as_left(item.last["source"], item.last["location"], item)
        ]
        plan.unlisted += len(mine)
        if undoing.is_acting and mine:
            database.clear_rejects(mine)
        undoing.settle(items)
    for items in undoing.items(NoteKind.CLEARED):
        listed = _listed(undoing)
        cleared = [(item, Reject(**item.before["reject"])) for item in items]
        missing = [
            reject
            for item, reject in cleared
            if reject.reject_id not in listed and contents.is_as_left(reject.source, reject.location, item)
        ]
        plan.relisted += len(missing)
        if undoing.is_acting and missing:
            database.add_rejects(missing)
        undoing.settle(items)


def _listed(undoing: Undoing) -> dict[str, Reject]:
    return {reject.reject_id: reject for reject in undoing.database.rejects()}


def restore_file_hashes(undoing: Undoing) -> None:
    """Let files count as last imported what they were before the import: the same file is read again. Last of
    all: by it the rows of the rejects list are told. Raises StorageError."""
    contents = FileContents(undoing)
    for items in undoing.items(NoteKind.FILE):
        for item in _still_so(items, contents):
            after = item.last
            undoing.plan.files.append(after["name"])
            if undoing.is_acting:
                undoing.database.restore_file_hash(
                    after["kind"], after["name"], after["hash"], item.before["hash"]
                )
        undoing.settle(items)


def _still_so(items: Iterable[Item], contents: FileContents) -> Iterable[Item]:
    return [
        item
        for item in items
        if contents.now(item.last["kind"], item.last["name"]) == item.last["hash"] != item.before["hash"]
    ]
