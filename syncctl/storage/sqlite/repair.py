"""What `cleanup` and `doctor` write to a SQLite database; a row of leads as one line of JSON and back, each
column as it is stored."""

import base64
import json
import math
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from syncctl.errors import StorageError
from syncctl.ports.admin import DuplicateCount, LeadSnapshot, Restored
from syncctl.storage.common.own_collections import count_document
from syncctl.storage.common.snapshot_lines import SQLITE_MARK, parsed, wrong_kind
from syncctl.storage.sqlite.rows import to_row
from syncctl.storage.sqlite.session import SqliteSession
from syncctl.storage.sqlite.statements import insert, where_among
from syncctl.storage.sqlite.survey import DUPLICATES_ID

TABLE = "leads"


class UndecodableText(bytes):
    """Text that isn't UTF-8, as the bytes that are stored: a person's shell may have written another one."""


def exact_text(stored: bytes) -> str | UndecodableText:
    """A text_factory that loses nothing."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return UndecodableText(stored)


def to_line(row: sqlite3.Row) -> str:
    """A whole row, read with `exact_text`, as one line of ASCII."""
    columns = {column: _json_value(row[column]) for column in row.keys()}  # noqa: SIM118 a Row yields values
    return json.dumps({SQLITE_MARK: TABLE, **columns}, allow_nan=False)


def from_line(line: str) -> dict[str, Any]:
    """The columns that `to_line` wrote. Raises StorageError for any other line."""
    return parsed(line, _read)


def _read(line: str) -> dict[str, Any]:
    found = json.loads(line)
    found["_id"]
    if found.pop(SQLITE_MARK, None) != TABLE:
        raise wrong_kind("MongoDB")
    return {column: _value(written) for column, written in found.items()}


def _json_value(value: Any) -> Any:
    match value:
        case UndecodableText():
            return {"$text": base64.b64encode(value).decode()}
        case bytes():
            return {"$binary": base64.b64encode(value).decode()}
        case float() if math.isinf(value):
            return {"$real": str(value)}
        case _:
            return value


def _value(written: Any) -> Any:
    match written:
        case {"$text": str(text)}:
            return UndecodableText(base64.b64decode(text, validate=True))
        case {"$binary": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"$real": str(text)}:
            return float(text)
        case None | str() | int() | float():
            return written
        case _:
            raise TypeError


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
