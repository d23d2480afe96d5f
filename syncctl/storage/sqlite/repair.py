"""What `cleanup` and `doctor` write to a SQLite database."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from syncctl.errors import StorageError
from syncctl.ports.admin import DuplicateCount, LeadSnapshot, Restored
from syncctl.storage.common.states import count_document
from syncctl.storage.sqlite.rows import to_row
from syncctl.storage.sqlite.session import SqliteSession
from syncctl.storage.sqlite.snapshots import UndecodableText, exact_text, from_line, to_line
from syncctl.storage.sqlite.statements import insert, where_among
from syncctl.storage.sqlite.survey import DUPLICATES_ID


class SqliteRepair(SqliteSession):
    """ports.admin.Repair on SQLite."""

    def snapshots(self, lead_ids: Collection[str]) -> list[LeadSnapshot]:
        with self._reading() as connection:
            return _snapshots(connection, lead_ids)

    def delete_unchanged(self, snapshots: Sequence[LeadSnapshot]) -> set[str]:
        planned = {snapshot.lead_id: snapshot for snapshot in snapshots}
        with self._writing() as connection:  # holds the write lock: what is compared is what is deleted
            stored = _snapshots(connection, planned)
            unchanged = [snapshot.lead_id for snapshot in stored if snapshot == planned[snapshot.lead_id]]
            where_among(connection, "DELETE FROM leads", "_id", unchanged)
        return planned.keys() - {snapshot.lead_id for snapshot in stored} | set(unchanged)

    def restore(self, snapshots: Sequence[LeadSnapshot]) -> Restored:
        inserted: set[str] = set()
        there: dict[str, str] = {}
        with self._writing() as connection:
            columns = {row["name"] for row in connection.execute("PRAGMA table_info(leads)")}
            for snapshot in snapshots:
                row = from_line(snapshot.document)
                if unknown := row.keys() - columns:
                    raise StorageError(
                        f"The backup has a column that leads no longer has: {', '.join(sorted(unknown))}."
                    )
                if _insert_exactly(connection, row):
                    inserted.add(snapshot.lead_id)
                else:
                    there[snapshot.lead_id] = snapshot.document
            stored = {snapshot.lead_id: snapshot.document for snapshot in _snapshots(connection, there)}
        same = {lead_id for lead_id, document in there.items() if stored.get(lead_id) == document}
        return Restored(frozenset(inserted), frozenset(same), frozenset(there.keys() - same))

    def repoint_records(self, lead_ids: Mapping[str, str]) -> int:
        with self._writing() as connection:
            return connection.executemany(
                "UPDATE syncrecords SET leadId = ? WHERE leadId = ?",
                ((new, old) for old, new in lead_ids.items() if new != old),
            ).rowcount

    def unpair_reports(self, report_ids: Mapping[str, str]) -> None:
        with self._writing() as connection:
            connection.executemany(
                "UPDATE syncrecords SET reportId = NULL WHERE _id = ? AND reportId = ?", report_ids.items()
            )

    def save_duplicate_count(self, count: DuplicateCount) -> None:
        row = to_row({"_id": DUPLICATES_ID, **count_document(count)})
        with self._writing() as connection:
            insert(connection, "synccounts", row, verb="INSERT OR REPLACE")

    def probe_writing(self) -> None:
        with self._writing() as connection:
            # Both in one transaction: it is written to the disk, and no one ever sees it.
            connection.execute(
                "INSERT INTO syncstate (report, location, dormant, dueAgain) VALUES ('probe', 'probe', 0, 0)"
            )
            connection.execute("DELETE FROM syncstate WHERE report = 'probe'")


def _snapshots(connection: sqlite3.Connection, lead_ids: Iterable[str]) -> list[LeadSnapshot]:
    with _exact_text(connection):
        found = where_among(connection, "SELECT * FROM leads", "_id", lead_ids)
        return [LeadSnapshot(row["_id"], to_line(row)) for row in found]


@contextmanager
def _exact_text(connection: sqlite3.Connection) -> Iterator[None]:
    usual = connection.text_factory
    connection.text_factory = exact_text
    try:
        yield
    finally:
        connection.text_factory = usual


def _insert_exactly(connection: sqlite3.Connection, row: Mapping[str, Any]) -> bool:
    """Insert a row whose keys are columns of leads, unless its `_id` is there. Says whether it was."""
    names = ", ".join('"{}"'.format(column.replace('"', '""')) for column in row)
    values = ", ".join(
        "CAST(? AS TEXT)" if isinstance(value, UndecodableText) else "?" for value in row.values()
    )
    statement = f"INSERT INTO leads ({names}) VALUES ({values}) ON CONFLICT (_id) DO NOTHING"  # noqa: S608
    return connection.execute(statement, tuple(row.values())).rowcount > 0
