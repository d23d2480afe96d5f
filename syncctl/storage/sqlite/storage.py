"""The storage port on a SQLite file: the embedded default, which needs no server."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.records import Reject, RejectAnswer
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.sources import StepName
from syncctl.domain.stores import Store
from syncctl.ports.storage import Period, RejectPositions, Texts
from syncctl.storage.common.app_collections import new_stores, store_document, store_from, sync_log_document
from syncctl.storage.common.dialect_documents import dialect_document, dialect_from
from syncctl.storage.common.own_collections import (
    amendment,
    by_location,
    closed_document,
    file_document,
    hash_by_name,
    name_by_code,
    newest_first,
    place_of,
    reject_document,
    reject_from,
    run_document,
    state_document,
    state_from,
)
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.imports import SqliteImports, forget_imports
from syncctl.storage.sqlite.leads import SqliteLeads
from syncctl.storage.sqlite.records import SqliteRecords
from syncctl.storage.sqlite.repair import SqliteRepair
from syncctl.storage.sqlite.statements import insert, insert_new, where_among
from syncctl.storage.sqlite.survey import SqliteSurvey

FORGET = """
DELETE FROM syncruns WHERE _id IN (
    SELECT _id FROM syncruns WHERE startedAt < ? ORDER BY startedAt LIMIT ?
)
"""

FORGET_CLOSED = """
DELETE FROM syncrejects WHERE _id IN (
    SELECT _id FROM syncrejects WHERE closedAt IS NOT NULL ORDER BY closedAt DESC LIMIT -1 OFFSET ?
)
"""


class SqliteStorage(SqliteLeads, SqliteRecords, SqliteSurvey, SqliteRepair, SqliteImports):
    """The lead database in a SQLite file, or in memory; `SqliteSession` says how it is opened."""

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        return by_location(self._reject_places("TRUE", source, location))

    def closed_rejects(self, source: str, location: str | None = None) -> set[str]:
        places = self._reject_places("closedAt IS NOT NULL", source, location)
        return {reject_id for _, _, reject_id in places}

    def _reject_places(self, condition: str, source: str, location: str | None) -> list[tuple[str, str, str]]:
        query = (
            "SELECT location, position, _id FROM syncrejects"  # noqa: S608 constants only
            f" WHERE source = ? AND {condition}"
        )
        wanted = [source]
        if location is not None:
            query += " AND location = ?"
            wanted.append(location)
        with self._reading() as connection:
            return list(self._own.read("syncrejects", connection.execute(query, wanted), place_of))

    def rejects(self, source: str | None = None) -> list[Reject]:
        query = "SELECT * FROM syncrejects WHERE closedAt IS NULL AND (source = ? OR ? IS NULL)"
        with self._reading() as connection:
            found = connection.execute(query, (source, source))
            return newest_first(self._own.read("syncrejects", found, reject_from))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        with self._writing() as connection:
            return len(insert_new(connection, "syncrejects", map(rows.to_row, map(reject_document, rejects))))

    def amend_rejects(self, rejects: Sequence[Reject]) -> None:
        with self._writing() as connection:
            connection.executemany(
                'UPDATE syncrejects SET store = :store, reason = :reason, "row" = :row'
                " WHERE _id = :_id AND closedAt IS NULL",
                [{"_id": reject.reject_id, **amendment(reject)} for reject in rejects],
            )

    def close_rejects(self, rejects: Sequence[Reject], answer: RejectAnswer, at: datetime) -> None:
        closed = (rows.to_row(closed_document(reject, answer, at)) for reject in rejects)
        with self._writing() as connection:
            insert(connection, "syncrejects", *closed, verb="INSERT OR REPLACE")

    def clear_rejects(self, reject_ids: Texts) -> None:
        with self._writing() as connection:
            where_among(connection, "DELETE FROM syncrejects", "_id", reject_ids)

    def forget_closed_rejects(self, before: datetime, most: int) -> None:
        with self._writing() as connection:
            connection.execute("DELETE FROM syncrejects WHERE closedAt < ?", (rows.date_text(before),))
            connection.execute(FORGET_CLOSED, (most,))

    def stores(self) -> list[Store]:
        with self._reading() as connection:
            return _stores(connection)

    def add_stores(self, stores: Sequence[Store]) -> int:
        now = self._now()
        with self._writing() as connection:
            fresh = new_stores(_stores(connection), stores)
            added = [{"city": None, **rows.to_row(store_document(store, now))} for store in fresh]
            return len(insert_new(connection, "stores", added))

    def store_list(self) -> dict[str, str]:
        with self._reading() as connection:
            found = connection.execute("SELECT code AS _id, code, name FROM syncstorelist ORDER BY rowid")
            return dict(self._own.read("syncstorelist", found, name_by_code))

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
            query = "SELECT name AS _id, name, contentHash FROM syncfiles WHERE kind = ?"
            found = connection.execute(query, (kind,))
            return dict(self._own.read("syncfiles", found, hash_by_name))

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        row = rows.to_row(file_document(kind, name, content_hash, self._now()))
        with self._writing() as connection:
            insert(connection, "syncfiles", row, verb="INSERT OR REPLACE")

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        with self._reading() as connection:
            query = "SELECT location AS _id, * FROM syncstate WHERE report = ?"
            found = connection.execute(query, (report,))
            states = self._own.read("syncstate", found, state_from)
            return {state.location: state for state in states}

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        with self._writing() as connection:
            changed = (rows.to_row(state_document(report, state)) for state in states)
            insert(connection, "syncstate", *changed, verb="INSERT OR REPLACE")

    def dialects(self) -> dict[StepName, Dialect]:
        with self._reading() as connection:
            found = connection.execute("SELECT report AS _id, document AS dialect FROM syncdialects")
            read = self._own.read("syncdialects", found, lambda each: dialect_from(each["dialect"]))
            return {dialect.report: dialect for dialect in read}

    def save_dialect(self, dialect: Dialect) -> None:
        row = {"report": dialect.report, "document": rows.json_text(dialect_document(dialect))}
        with self._writing() as connection:
            insert(connection, "syncdialects", row, verb="INSERT OR REPLACE")

    def add_sync_log(self, entry: SyncLog) -> None:
        with self._writing() as connection:
            insert(connection, "synclogs", rows.to_row(sync_log_document(entry)))

    def save_run(self, entry: RunEntry) -> None:
        with self._writing() as connection:
            insert(connection, "syncruns", rows.to_row(run_document(entry)), verb="INSERT OR REPLACE")

    def forget_runs(self, before: datetime, if_any_in: Period | None = None, most: int = 0) -> None:
        with self._writing() as connection:
            if if_any_in:
                began = tuple(map(rows.date_text, if_any_in))
                query = "SELECT 1 FROM syncruns WHERE startedAt >= ? AND startedAt < ? LIMIT 1"
                if connection.execute(query, began).fetchone() is None:
                    return
            connection.execute(FORGET, (rows.date_text(before), most or -1))
            forget_imports(connection, before, most)


def _stores(connection: sqlite3.Connection) -> list[Store]:
    return [store_from(dict(row)) for row in connection.execute("SELECT * FROM stores")]
