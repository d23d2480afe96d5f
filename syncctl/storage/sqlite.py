"""The storage port on a SQLite file: the embedded default, which needs no server."""

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from syncctl.models import (
    Document,
    KnownRecord,
    LeadChange,
    LeadType,
    LocationState,
    Reject,
    RunEntry,
    StepName,
    Store,
    SyncLog,
    SyncRecord,
)
from syncctl.storage import sqlite_rows as rows
from syncctl.storage.clock import utc_now
from syncctl.storage.reject_order import newest_first
from syncctl.storage.report_paths import BOOKING_PATHS, LEAD_ID_PATHS, PHONE_PATHS, as_stored
from syncctl.storage.sqlite_changes import change_lead
from syncctl.storage.sqlite_connection import open_connection, transaction
from syncctl.storage.sqlite_errors import translated
from syncctl.storage.sqlite_schema import check_version, migrate
from syncctl.storage.store_rules import new_stores, store_id

# One parameter holds a whole list, as JSON: SQLite limits how many parameters a statement may have.
FIND_LEADS = """
SELECT * FROM leads WHERE leadType = :lead_type AND (
    bookingNo IN (SELECT value FROM json_each(:booking_numbers))
    OR phone IN (SELECT value FROM json_each(:phones))
)"""
FIND_REPORTS = "SELECT _id, document FROM reports WHERE " + " OR ".join(  # noqa: S608 constants only
    f"json_extract(document, '$.{path}') IN (SELECT value FROM json_each({wanted}))"  # noqa: S608
    for paths, wanted in (
        (LEAD_ID_PATHS, ":lead_ids"),
        (PHONE_PATHS, ":phones"),
        (BOOKING_PATHS, ":booking_numbers"),
    )
    for path in paths
)


class SqliteStorage:
    """The lead database in the file `path`, or in memory (None) for as long as this object lives.

    Opened at first use; file and folder are made where missing. Other processes' locks are waited for
    `busy_timeout_s` seconds. With `read_only` nothing is made and every write raises StorageUnavailableError.
    To be used by one thread.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        read_only: bool = False,
        busy_timeout_s: float = 30.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._path = path
        self._place = f"The SQLite database {path or 'in memory'}"
        self._read_only = read_only
        self._busy_timeout_s = busy_timeout_s
        self._now = now
        self._connection: sqlite3.Connection | None = None

    def prepare(self) -> None:
        """Make or upgrade the tables; only look at their version with `read_only`."""
        with self._reading() as connection:
            if self._read_only:
                check_version(connection, self._place)
            else:
                migrate(connection, self._place)

    def is_empty(self) -> bool:
        """Whether there is no such file yet, or none of syncctl's tables in it. Makes neither."""
        with translated(self._place):
            if self._path is not None and self._connection is None:
                try:
                    os.stat(self._path)
                except FileNotFoundError:
                    return True
        with self._reading() as connection:
            return check_version(connection, self._place) == 0

    def close(self) -> None:
        if self._connection is not None:
            with translated(self._place):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with translated(self._place):
            if self._connection is None:
                self._connection = open_connection(
                    self._path, read_only=self._read_only, busy_timeout_s=self._busy_timeout_s
                )
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection, transaction(connection):
            yield connection

    def find_records(self, record_ids: Collection[str]) -> dict[str, KnownRecord]:
        with self._reading() as connection:
            query = "SELECT _id, leadId, fingerprint, location, source FROM syncrecords"
            found = _where_among(connection, query, "_id", record_ids)
            return {
                row["_id"]: KnownRecord(row["leadId"], row["fingerprint"], row["location"], row["source"])
                for row in found
            }

    def recorded_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            found = _where_among(connection, "SELECT leadId FROM syncrecords", "leadId", lead_ids)
            return {row["leadId"] for row in found}

    def present_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            found = _where_among(connection, "SELECT _id FROM leads", "_id", lead_ids)
            return {row["_id"] for row in found}

    def find_leads(
        self, lead_type: LeadType, booking_numbers: Collection[str], phones: Collection[str]
    ) -> list[Document]:
        wanted = {
            "lead_type": lead_type,
            "booking_numbers": rows.json_list(booking_numbers),
            "phones": rows.json_list(phones),
        }
        with self._reading() as connection:
            return [rows.lead_from(row) for row in connection.execute(FIND_LEADS, wanted)]

    def find_reports(
        self, lead_ids: Collection[str], phones: Collection[str], booking_numbers: Collection[str] = ()
    ) -> list[Document]:
        wanted = {
            "lead_ids": rows.json_list(lead_ids),
            "phones": rows.json_list(as_stored(phones)),
            "booking_numbers": rows.json_list(as_stored(booking_numbers)),
        }
        with self._reading() as connection:
            found = connection.execute(FIND_REPORTS, wanted)
            return [{**json.loads(row["document"]), "_id": row["_id"]} for row in found]

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        with self._writing() as connection:
            inserted = _insert_new(connection, "leads", map(rows.lead_row, leads))
            _insert_new(connection, "syncrecords", map(rows.record_row, records))
        return set(inserted)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        changed_at = rows.date_text(self._now())
        with self._writing() as connection:
            connection.executemany(
                'UPDATE syncrecords SET "values" = :values, fingerprint = :fingerprint,'
                " changedAt = :changedAt WHERE _id = :_id",
                ({**rows.record_row(record), "changedAt": changed_at} for record in records),
            )

    def record_values(self, record_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        with self._reading() as connection:
            found = _where_among(connection, 'SELECT _id, "values" FROM syncrecords', "_id", record_ids)
            return {row["_id"]: rows.values_from(row["values"]) for row in found}

    def leads(self, lead_ids: Collection[str]) -> dict[str, Document]:
        with self._reading() as connection:
            found = _where_among(connection, "SELECT * FROM leads", "_id", lead_ids)
            return {row["_id"]: rows.lead_from(row) for row in found}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        with self._writing() as connection:
            missed = {change.lead_id for change in changes if not change_lead(connection, change)}
        return {change.lead_id for change in changes} - missed

    def reject_positions(self, source: str, location: str) -> dict[str, list[str]]:
        positions: dict[str, list[str]] = {}
        query = "SELECT position, _id FROM syncrejects WHERE source = ? AND location = ?"
        with self._reading() as connection:
            for row in connection.execute(query, (source, location)):
                positions.setdefault(row["position"], []).append(row["_id"])
        return positions

    def rejects(self, source: str | None = None) -> list[Reject]:
        query = "SELECT * FROM syncrejects WHERE source = ? OR ? IS NULL"
        with self._reading() as connection:
            return newest_first(map(rows.reject_from, connection.execute(query, (source, source))))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        with self._writing() as connection:
            return len(_insert_new(connection, "syncrejects", map(rows.reject_row, rejects)))

    def clear_rejects(self, reject_ids: Collection[str]) -> None:
        with self._writing() as connection:
            _where_among(connection, "DELETE FROM syncrejects", "_id", reject_ids)

    def stores(self) -> list[Store]:
        with self._reading() as connection:
            return _stores(connection)

    def add_stores(self, stores: Sequence[Store]) -> int:
        now = self._now()
        with self._writing() as connection:
            fresh = new_stores(_stores(connection), stores)
            added = (rows.store_row(store, store_id(store.name), now) for store in fresh)
            return len(_insert_new(connection, "stores", added))

    def store_list(self) -> dict[str, str]:
        with self._reading() as connection:
            found = connection.execute("SELECT code, name FROM syncstorelist ORDER BY rowid")
            return {row["code"]: row["name"] for row in found}

    def save_store_list(self, names: Mapping[str, str]) -> None:
        fetched_at = rows.date_text(self._now())
        with self._writing() as connection:
            connection.execute("DELETE FROM syncstorelist")
            connection.executemany(
                "INSERT INTO syncstorelist (code, name, fetchedAt) VALUES (?, ?, ?)",
                ((code, name, fetched_at) for code, name in names.items()),
            )

    def file_hashes(self, kind: str) -> dict[str, str]:
        with self._reading() as connection:
            found = connection.execute("SELECT name, contentHash FROM syncfiles WHERE kind = ?", (kind,))
            return {row["name"]: row["contentHash"] for row in found}

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        row = rows.file_row(kind, name, content_hash, self._now())
        with self._writing() as connection:
            _insert(connection, "syncfiles", row, "INSERT OR REPLACE")

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        with self._reading() as connection:
            found = connection.execute("SELECT * FROM syncstate WHERE report = ?", (report,))
            return {row["location"]: rows.state_from(row) for row in found}

    def save_location_state(self, report: StepName, state: LocationState) -> None:
        with self._writing() as connection:
            _insert(connection, "syncstate", rows.state_row(report, state), "INSERT OR REPLACE")

    def add_sync_log(self, entry: SyncLog) -> None:
        with self._writing() as connection:
            _insert(connection, "synclogs", rows.sync_log_row(entry))

    def save_run(self, entry: RunEntry) -> None:
        row = {
            "_id": entry.run_id,
            "startedAt": rows.date_text(entry.started_at),
            "document": rows.json_text(entry.document),
        }
        with self._writing() as connection:
            _insert(connection, "syncruns", row, "INSERT OR REPLACE")


def _where_among(
    connection: sqlite3.Connection, statement: str, column: str, items: Iterable[str]
) -> sqlite3.Cursor:
    """Carry out the statement for the rows whose column holds any of the items, however many they are."""
    condition = f"WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 constants only
    return connection.execute(f"{statement} {condition}", (rows.json_list(items),))


def _stores(connection: sqlite3.Connection) -> list[Store]:
    return [rows.store_from(row) for row in connection.execute("SELECT * FROM stores")]


def _insert(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Any], verb: str = "INSERT", suffix: str = ""
) -> bool:
    """Insert a row whose columns are its keys, and say whether it was."""
    return connection.execute(_insert_statement(table, tuple(row), verb, suffix), row).rowcount > 0


@cache
def _insert_statement(table: str, columns: tuple[str, ...], verb: str, suffix: str) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f":{column}" for column in columns)
    return f"{verb} INTO {table} ({quoted}) VALUES ({values}) {suffix}"


def _insert_new(
    connection: sqlite3.Connection, table: str, new_rows: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Insert the rows whose `_id` is not there yet, and give the `_id`s of those inserted."""
    # Not "OR IGNORE": that would drop a row that breaks another rule of the table as well.
    rule = "ON CONFLICT (_id) DO NOTHING"
    return [row["_id"] for row in new_rows if _insert(connection, table, row, suffix=rule)]
