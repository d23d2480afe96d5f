"""Takes back what an import has done to the rejects list, and to the hashes of the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Take off the rejects list what the import has put on it, answered or not, and put back what it has
    taken off or changed. What a later run has corrected is left until that one is taken back. Raises
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
        closed = _closed(undoing, {item.item_id: item.last["source"] for item in as_left})
        corrected = undoing.corrected_later.keys() & {item.item_id for item in as_left} - listed.keys()
        plan.corrected.update(undoing.corrected_later[each] for each in corrected)
        plan.forgotten += len(closed - corrected)
        plan.unlisted += len(mine)
        if undoing.is_acting and (gone := [*mine, *(closed - corrected)]):
            database.clear_rejects(gone)
        undoing.settle([item for item in as_left if item.item_id not in corrected])
    for items in undoing.items(NoteKind.CLEARED):
        undoing.settle(_open_again(undoing, contents, items))
    for items in undoing.items(NoteKind.AMENDED):
        listed = _listed(undoing)
        as_left = [item for item in items if _is_as_amended(listed.get(item.item_id), item)]
        plan.amended += len(as_left)
        if undoing.is_acting and as_left:
            database.amend_rejects([Reject(**item.before["reject"]) for item in as_left])
        undoing.settle(as_left)


def _open_again(undoing: Undoing, contents: FileContents, items: Sequence[Item]) -> list[Item]:
    """Put these rows on the list again. An answer is only forgotten where its file is not imported any more.
    Gives the items that are done."""
    database, plan = undoing.database, undoing.plan
    listed = _listed(undoing)
    cleared = {item.item_id: Reject(**item.before["reject"]) for item in items}
    by_person = {item.item_id: cleared[item.item_id].source for item in items if item.last.get("closed")}
    answered = _closed(undoing, by_person)
    done: list[Item] = []
    missing: list[Reject] = []
    for item in items:
        reject = cleared[item.item_id]
        is_as_left = contents.is_as_left(reject.source, reject.location, item)
        if item.item_id not in answered and not is_as_left:
            continue
        done.append(item)
        if not is_as_left and contents.now(reject.source, reject.location) is None:
            plan.forgotten += 1
        elif reject.reject_id not in listed:
            missing.append(reject)
    plan.relisted += len(missing)
    if undoing.is_acting and (answered or missing):
        database.clear_rejects(answered)  # first: no row is listed beside its answer
        database.add_rejects(missing)
    return done


def _is_as_amended(listed: Reject | None, item: Item) -> bool:
    return listed is not None and any(
        (listed.store, listed.reason, listed.row) == (each["store"], each["reason"], each["row"])
        for each in item.written("reject")
    )


def _closed(undoing: Undoing, sources: Mapping[str, str]) -> set[str]:
    """Which of these rejects, by id with their sources, a person has answered."""
    closed = {each for source in set(sources.values()) for each in undoing.database.closed_rejects(source)}
    return closed & sources.keys()


def _listed(undoing: Undoing) -> dict[str, Reject]:
    return {reject.reject_id: reject for reject in undoing.database.rejects()}


def restore_file_hashes(undoing: Undoing) -> None:
    """Let files count as last imported what they were before the import: the same file is read again. Last of
    all: by it the rows of the rejects list are recognised. Raises StorageError."""
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
    database = undoing.database
    for later in undoing.later_imports():
        notes = all_notes(database, later.run_id, NoteKind.FILE)
        first = next((note for note in notes if item.item_id in note.changes), None)
        if first and first.changes[item.item_id].before["hash"] in item.written("hash"):
            change = first.changes[item.item_id]
            changes = {**first.changes, item.item_id: change._replace(before=item.before)}
            database.replace_import_notes([first._replace(changes=changes)])
