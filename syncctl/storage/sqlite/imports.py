"""What imports note of their changes, and taking one back, on SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime

from syncctl.domain.import_notes import ImportNote, NotedImport, NoteKind, ValuesChange, WriteChange
from syncctl.domain.records import SyncRecord
from syncctl.ports.storage import RecordEntry
from syncctl.storage.common.own_collections import (
    import_document,
    import_from,
    note_document,
    note_from,
    notes_of,
)
from syncctl.storage.common.records import record_entry, writes_by_id
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.session import SqliteSession
from syncctl.storage.sqlite.statements import insert, insert_new, where_among

IMPORTS = """
SELECT * FROM syncimports WHERE startedAt IS NOT NULL AND substr(_id, 1, length(:run_id)) = :run_id
ORDER BY startedAt DESC
"""

OLD_IMPORTS = "SELECT _id FROM syncimports WHERE startedAt < ? ORDER BY startedAt LIMIT ?"


class SqliteImports(SqliteSession):
    """ports.import_undo.ImportUndo on SQLite, and the part of ports.storage.Storage that notes changes."""

    def save_import(self, entry: NotedImport) -> None:
        with self._writing() as connection:
            insert(connection, "syncimports", rows.note_row(import_document(entry)), verb="INSERT OR REPLACE")

    def add_import_notes(self, notes: Sequence[ImportNote]) -> None:
        with self._writing() as connection:
            insert_new(connection, "syncimports", map(rows.note_row, map(note_document, notes)))

    def noted_imports(self, run_id: str) -> list[NotedImport]:
        with self._reading() as connection:
            if not _has_notes(connection):
                return []
            found = connection.execute(IMPORTS, {"run_id": run_id})
            return list(self._own.read("syncimports", found, import_from))

    def import_notes(self, run_id: str, kind: NoteKind, after: str, limit: int) -> list[ImportNote]:
        first, end = notes_of(run_id, kind)
        query = "SELECT * FROM syncimports WHERE _id > ? AND _id < ? ORDER BY _id LIMIT ?"
        with self._reading() as connection:
            if not _has_notes(connection):
                return []
            found = connection.execute(query, (after or first, end, limit))
            return list(self._own.read("syncimports", found, note_from))

    def replace_import_notes(self, notes: Sequence[ImportNote]) -> None:
        with self._writing() as connection:
            emptied = [note.note_id for note in notes if not note.changes]
            where_among(connection, "DELETE FROM syncimports", "_id", emptied)
            kept = [rows.note_row(note_document(note)) for note in notes if note.changes]
            insert(connection, "syncimports", *kept, verb="INSERT OR REPLACE")

    def records_of_run(self, run_id: str) -> Iterator[RecordEntry]:
        with self._found("SELECT * FROM syncrecords WHERE firstRunId = ?", (run_id,)) as found:
            yield from self._own.read("syncrecords", found, record_entry)

    def remove_records(self, records: Sequence[SyncRecord]) -> None:
        with self._writing() as connection:
            connection.executemany(
                "DELETE FROM syncrecords WHERE _id = ? AND firstRunId = ? AND fingerprint = ?",
                [(each.record_id, each.first_run_id, each.fingerprint) for each in records],
            )

    def restore_values(self, changes: Sequence[ValuesChange]) -> None:
        with self._writing() as connection:
            connection.executemany(
                'UPDATE syncrecords SET "values" = ?, fingerprint = ? WHERE _id = ? AND fingerprint = ?',
                [
                    (rows.json_text(dict(each.values)), each.fingerprint, each.record_id, each.expected)
                    for each in changes
                ],
            )

    def restore_writes(self, changes: Sequence[WriteChange]) -> None:
        of_record: dict[str, list[WriteChange]] = {}
        for change in changes:
            of_record.setdefault(change.record_id, []).append(change)
        with self._writing() as connection:
            found = where_among(connection, "SELECT _id, written FROM syncrecords", "_id", of_record)
            for record_id, writes in list(self._own.read("syncrecords", found, writes_by_id)):
                for change in of_record[record_id]:
                    current = writes.get(change.field)
                    if current is None or rows.date_text(current.at) != rows.date_text(change.at):
                        continue
                    if change.before is None:
                        del writes[change.field]
                    else:
                        writes[change.field] = change.before
                connection.execute(
                    "UPDATE syncrecords SET written = ? WHERE _id = ?",
                    (rows.writes_column(writes), record_id),
                )

    def restore_file_hash(self, kind: str, name: str, expected: str, before: str | None) -> None:
        where = "WHERE kind = ? AND name = ? AND contentHash = ?"
        with self._writing() as connection:
            if before is None:
                connection.execute(f"DELETE FROM syncfiles {where}", (kind, name, expected))  # noqa: S608
            else:
                update = f"UPDATE syncfiles SET contentHash = ? {where}"  # noqa: S608 constants only
                connection.execute(update, (before, kind, name, expected))


def _has_notes(connection: sqlite3.Connection) -> bool:
    """Not in a file of an earlier version that is only read: the next run adds the table."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'syncimports'"
    return connection.execute(query).fetchone() is not None


def forget_imports(connection: sqlite3.Connection, before: datetime, most: int) -> None:
    """Delete the oldest `most` (0: all) imports that began before that moment, with their notes."""
    for (run_id,) in list(connection.execute(OLD_IMPORTS, (rows.date_text(before), most or -1))):
        first, end = notes_of(run_id)
        connection.execute("DELETE FROM syncimports WHERE _id = ?", (run_id,))
        connection.execute("DELETE FROM syncimports WHERE _id > ? AND _id < ?", (first, end))
