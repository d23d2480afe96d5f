"""The storage port on a SQLite file: the embedded default, which needs no server."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncctl.domain.checkpoints import LocationState
from syncctl.domain.dialects import Dialect
from syncctl.domain.lead_values import Document, LeadChange, LeadType
from syncctl.domain.records import Correction, KnownRecord, Reject, SyncRecord, Write
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.steps import StepName
from syncctl.domain.stores import Store
from syncctl.ports.storage import ANY_TIME, Created, RecordEntry, RejectPositions
from syncctl.storage.common.dialect_documents import dialect_document
from syncctl.storage.common.reject_lists import by_location, newest_first
from syncctl.storage.common.report_paths import (
    BOOKING_PATHS,
    CREATED_PATHS,
    LEAD_ID_PATHS,
    NAME_PATHS,
    PHONE_PATHS,
    VISIT_PATHS,
    as_stored,
)
from syncctl.storage.common.store_rules import new_stores, store_id
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.changes import change_lead
from syncctl.storage.sqlite.repair import SqliteRepair
from syncctl.storage.sqlite.schema import record_value
from syncctl.storage.sqlite.statements import insert, insert_new, where_among
from syncctl.storage.sqlite.survey import SqliteSurvey

# One parameter holds a whole list, as JSON: SQLite limits how many parameters a statement may have.
FIND_LEADS = """
SELECT * FROM leads WHERE leadType = :lead_type AND (
    bookingNo IN (SELECT value FROM json_each(:booking_numbers))
    OR phone IN (SELECT value FROM json_each(:phones))
    OR createdAt IN (SELECT value FROM json_each(:moments))
    OR (name IN (SELECT value FROM json_each(:names))
        AND createdAt IN (SELECT value FROM json_each(:midnights)))
)"""


def _report_has(paths: Sequence[str], wanted: str, also: str = "") -> str:
    return " OR ".join(
        f"json_extract(document, '$.{path}') IN (SELECT value FROM json_each({wanted})){also}"  # noqa: S608
        for path in paths
    )


_ON_THESE_DAYS = f" AND ({_report_has(VISIT_PATHS, ':midnights')})"
FIND_REPORTS = f"""
SELECT _id, document FROM reports WHERE {_report_has(LEAD_ID_PATHS, ":lead_ids")}
    OR {_report_has(PHONE_PATHS, ":phones")}
    OR {_report_has(BOOKING_PATHS, ":booking_numbers")}
    OR {_report_has(CREATED_PATHS, ":moments")}
    OR {_report_has(NAME_PATHS, ":names", _ON_THESE_DAYS)}
"""  # noqa: S608 constants only
RECORDS_ABOUT = f"""
SELECT * FROM syncrecords WHERE {record_value("phone")} IN (SELECT value FROM json_each(:phones))
    OR {record_value("bookingNo")} IN (SELECT value FROM json_each(:booking_numbers))
    OR leadId IN (SELECT value FROM json_each(:lead_ids))
    OR {record_value("createdAt")} IN (SELECT value FROM json_each(:moments))
    OR ({record_value("createdAt")} IN (SELECT value FROM json_each(:midnights))
        AND {record_value("name")} IN (SELECT value FROM json_each(:names)))
"""  # noqa: S608 constants only

KNOWN_COLUMNS = "leadId, fingerprint, location, source, reportId, replacedBy, corrections"

SHARED_BOOKINGS = f"""
SELECT {record_value("bookingNo")} AS bookingNo, source FROM syncrecords
WHERE {record_value("bookingNo")} > '' AND replacedBy IS NULL
GROUP BY 1, 2 HAVING count(*) > 1
"""  # noqa: S608 constants only

REPORTS_OF_CORRECTIONS = """
SELECT json_extract(made.value, '$.reportId') AS reportId
FROM syncrecords, json_each(CASE WHEN json_valid(corrections) THEN corrections ELSE '[]' END) AS made
WHERE correctedAt IS NOT NULL AND made.type = 'object'
    AND json_extract(made.value, '$.reportId') IN (SELECT value FROM json_each(:report_ids))
"""
"""The index of `correctedAt` has the few records that were corrected."""

FORGET = """
DELETE FROM syncruns WHERE _id IN (
    SELECT _id FROM syncruns WHERE startedAt < ? ORDER BY startedAt LIMIT ?
)
"""


class SqliteStorage(SqliteSurvey, SqliteRepair):
    """The lead database in a SQLite file, or in memory; `SqliteSession` says how it is opened."""

    def find_records(self, record_ids: Collection[str]) -> dict[str, KnownRecord]:
        with self._reading() as connection:
            query = f"SELECT _id, {KNOWN_COLUMNS} FROM syncrecords"  # noqa: S608 constants only
            found = where_among(connection, query, "_id", record_ids)
            return dict(self._own.read("syncrecords", found, rows.known_by_id))

    def has_records(self) -> bool:
        with self._reading() as connection:
            return connection.execute("SELECT 1 FROM syncrecords LIMIT 1").fetchone() is not None

    def recorded_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT leadId FROM syncrecords", "leadId", lead_ids)
            return {row["leadId"] for row in found}

    def present_leads(self, lead_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT _id FROM leads", "_id", lead_ids)
            return {row["_id"] for row in found}

    def find_leads(
        self,
        lead_type: LeadType,
        booking_numbers: Collection[str],
        phones: Collection[str],
        created: Created = ANY_TIME,
    ) -> list[Document]:
        wanted = {
            "lead_type": lead_type,
            "booking_numbers": rows.json_list(booking_numbers),
            "phones": rows.json_list(phones),
            **_created(created),
        }
        with self._reading() as connection:
            return [rows.lead_from(row) for row in connection.execute(FIND_LEADS, wanted)]

    def find_reports(
        self,
        lead_ids: Collection[str],
        phones: Collection[str],
        booking_numbers: Collection[str] = (),
        created: Created = ANY_TIME,
    ) -> list[Document]:
        wanted = {
            "lead_ids": rows.json_list(lead_ids),
            "phones": rows.json_list(as_stored(phones)),
            "booking_numbers": rows.json_list(as_stored(booking_numbers)),
            **_created(created),
        }
        with self._reading() as connection:
            # So many paths and values take 15 ms even where there is nothing to be found.
            if connection.execute("SELECT 1 FROM reports LIMIT 1").fetchone() is None:
                return []
            return [rows.report_from(row) for row in connection.execute(FIND_REPORTS, wanted)]

    def records_about(
        self,
        phones: Collection[str],
        booking_numbers: Collection[str],
        lead_ids: Collection[str],
        created: Created = ANY_TIME,
    ) -> list[RecordEntry]:
        wanted = {
            "phones": rows.json_list(phones),
            "booking_numbers": rows.json_list(booking_numbers),
            "lead_ids": rows.json_list(lead_ids),
            **_created(created),
        }
        with self._reading() as connection:
            found = connection.execute(RECORDS_ABOUT, wanted)
            return list(self._own.read("syncrecords", found, rows.record_entry))

    def reports(self, report_ids: Collection[str]) -> dict[str, Document]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT _id, document FROM reports", "_id", report_ids)
            return {row["_id"]: rows.report_from(row) for row in found}

    def paired_reports(self, report_ids: Collection[str]) -> set[str]:
        with self._reading() as connection:
            return _paired(connection, report_ids)

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        with self._writing() as connection:
            paired = _paired(connection, report_ids.values())
            connection.executemany(
                "UPDATE syncrecords SET reportId = ? WHERE _id = ? AND reportId IS NULL",
                [(report, record) for record, report in report_ids.items() if report not in paired],
            )

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        with self._writing() as connection:
            inserted = insert_new(connection, "leads", map(rows.lead_row, leads))
            paired = _paired(connection, [record.report_id for record in records if record.report_id])
            free = [record for record in records if record.report_id not in paired]
            insert_new(connection, "syncrecords", map(rows.record_row, free))
        return set(inserted)

    def update_records(self, records: Sequence[SyncRecord]) -> None:
        changed_at = rows.date_text(self._now())
        with self._writing() as connection:
            connection.executemany(
                'UPDATE syncrecords SET "values" = :values, fingerprint = :fingerprint,'
                " changedAt = :changedAt WHERE _id = :_id",
                ({**rows.record_row(record), "changedAt": changed_at} for record in records),
            )

    def replace_records(self, phones: Mapping[str, str]) -> None:
        with self._writing() as connection:
            connection.executemany(
                "UPDATE syncrecords SET replacedBy = ? WHERE _id = ?",
                [(phone, record_id) for record_id, phone in phones.items()],
            )

    def shared_bookings(self) -> set[tuple[str, str]]:
        with self._reading() as connection:
            return {(row["source"], row["bookingNo"]) for row in connection.execute(SHARED_BOOKINGS)}

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        with self._writing() as connection:
            found = where_among(connection, "SELECT * FROM syncrecords", "_id", corrections.keys())
            entries = list(self._own.read("syncrecords", found, rows.record_entry))
            for record in (entry.record for entry in entries):
                made = corrections[record.record_id]
                connection.execute(
                    "UPDATE syncrecords SET corrections = ?, correctedAt = ? WHERE _id = ?",
                    (
                        rows.corrections_text((*record.corrections, made)),
                        rows.date_text(made.at),
                        record.record_id,
                    ),
                )

    def renew_records(self, records: Sequence[SyncRecord]) -> None:
        with self._writing() as connection:
            ids = [record.record_id for record in records]
            found = where_among(connection, "SELECT * FROM syncrecords", "_id", ids)
            before = {
                entry.record.record_id: entry.record.corrections
                for entry in self._own.read("syncrecords", found, rows.record_entry)
                if entry.record.replaced_by is not None
            }
            connection.executemany(
                'UPDATE syncrecords SET leadId = :leadId, location = :location, "values" = :values,'
                " fingerprint = :fingerprint, corrections = :corrections, correctedAt = :correctedAt,"
                " replacedBy = NULL, reportId = NULL WHERE _id = :_id",
                (
                    rows.record_row(
                        replace(
                            record,
                            corrections=(*before[record.record_id], *record.corrections[-1:]),
                        )
                    )
                    for record in records
                    if record.record_id in before
                ),
            )

    def record_values(self, record_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        with self._reading() as connection:
            found = where_among(connection, 'SELECT _id, "values" FROM syncrecords', "_id", record_ids)
            return dict(self._own.read("syncrecords", found, rows.values_by_id))

    def note_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        with self._writing() as connection:
            found = where_among(connection, "SELECT _id, written FROM syncrecords", "_id", writes.keys())
            connection.executemany(
                "UPDATE syncrecords SET written = ? WHERE _id = ?",
                [(rows.writes_text(row["written"], writes[row["_id"]], at), row["_id"]) for row in found],
            )

    def noted_writes(self, record_ids: Collection[str]) -> dict[str, dict[str, Write]]:
        with self._reading() as connection:
            query = "SELECT _id, written FROM syncrecords"
            found = where_among(connection, query, "_id", record_ids)
            noted = self._own.read("syncrecords", found, rows.writes_by_id)
            return {record_id: writes for record_id, writes in noted if writes}

    def leads(self, lead_ids: Collection[str]) -> dict[str, Document]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT * FROM leads", "_id", lead_ids)
            return {row["_id"]: rows.lead_from(row) for row in found}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        with self._writing() as connection:
            missed = {change.lead_id for change in changes if not change_lead(connection, change)}
        return {change.lead_id for change in changes} - missed

    def reject_positions(self, source: str, location: str | None = None) -> RejectPositions:
        query = "SELECT location, position, _id FROM syncrejects WHERE source = ?"
        wanted = [source]
        if location is not None:
            query += " AND location = ?"
            wanted.append(location)
        with self._reading() as connection:
            return by_location(
                self._own.read("syncrejects", connection.execute(query, wanted), rows.reject_place)
            )

    def rejects(self, source: str | None = None) -> list[Reject]:
        query = "SELECT * FROM syncrejects WHERE source = ? OR ? IS NULL"
        with self._reading() as connection:
            found = connection.execute(query, (source, source))
            return newest_first(self._own.read("syncrejects", found, rows.reject_from))

    def add_rejects(self, rejects: Sequence[Reject]) -> int:
        with self._writing() as connection:
            return len(insert_new(connection, "syncrejects", map(rows.reject_row, rejects)))

    def clear_rejects(self, reject_ids: Collection[str]) -> None:
        with self._writing() as connection:
            where_among(connection, "DELETE FROM syncrejects", "_id", reject_ids)

    def stores(self) -> list[Store]:
        with self._reading() as connection:
            return _stores(connection)

    def add_stores(self, stores: Sequence[Store]) -> int:
        now = self._now()
        with self._writing() as connection:
            fresh = new_stores(_stores(connection), stores)
            added = (rows.store_row(store, store_id(store.name), now) for store in fresh)
            return len(insert_new(connection, "stores", added))

    def store_list(self) -> dict[str, str]:
        with self._reading() as connection:
            found = connection.execute("SELECT code AS _id, code, name FROM syncstorelist ORDER BY rowid")
            return dict(self._own.read("syncstorelist", found, rows.name_by_code))

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
            return dict(self._own.read("syncfiles", found, rows.hash_by_name))

    def save_file_hash(self, kind: str, name: str, content_hash: str) -> None:
        row = rows.file_row(kind, name, content_hash, self._now())
        with self._writing() as connection:
            insert(connection, "syncfiles", row, verb="INSERT OR REPLACE")

    def location_states(self, report: StepName) -> dict[str, LocationState]:
        with self._reading() as connection:
            query = "SELECT location AS _id, * FROM syncstate WHERE report = ?"
            found = connection.execute(query, (report,))
            states = self._own.read("syncstate", found, rows.state_from)
            return {state.location: state for state in states}

    def save_location_states(self, report: StepName, states: Sequence[LocationState]) -> None:
        with self._writing() as connection:
            changed = (rows.state_row(report, state) for state in states)
            insert(connection, "syncstate", *changed, verb="INSERT OR REPLACE")

    def dialects(self) -> dict[StepName, Dialect]:
        with self._reading() as connection:
            found = connection.execute("SELECT report AS _id, document FROM syncdialects")
            read = self._own.read("syncdialects", found, rows.dialect_from_row)
            return {dialect.report: dialect for dialect in read}

    def save_dialect(self, dialect: Dialect) -> None:
        row = {"report": dialect.report, "document": rows.json_text(dialect_document(dialect))}
        with self._writing() as connection:
            insert(connection, "syncdialects", row, verb="INSERT OR REPLACE")

    def add_sync_log(self, entry: SyncLog) -> None:
        with self._writing() as connection:
            insert(connection, "synclogs", rows.sync_log_row(entry))

    def save_run(self, entry: RunEntry) -> None:
        row = {
            "_id": entry.run_id,
            "startedAt": rows.date_text(entry.started_at),
            "document": rows.json_text(entry.document),
        }
        with self._writing() as connection:
            insert(connection, "syncruns", row, verb="INSERT OR REPLACE")

    def forget_runs(
        self, before: datetime, witnessed: tuple[datetime, datetime] | None = None, most: int = 0
    ) -> None:
        with self._writing() as connection:
            if witnessed:
                began = tuple(map(rows.date_text, witnessed))
                query = "SELECT 1 FROM syncruns WHERE startedAt >= ? AND startedAt < ? LIMIT 1"
                if connection.execute(query, began).fetchone() is None:
                    return
            connection.execute(FORGET, (rows.date_text(before), most or -1))


def _created(created: Created) -> dict[str, str]:
    """The parameters that stand for a time of creation."""
    return {
        "moments": rows.json_list(created.moments),
        "names": rows.json_list(created.names),
        "midnights": rows.json_list(created.midnights),
    }


def _paired(connection: sqlite3.Connection, report_ids: Iterable[str]) -> set[str]:
    found = where_among(connection, "SELECT reportId FROM syncrecords", "reportId", report_ids)
    paired = {row["reportId"] for row in found}
    earlier = connection.execute(REPORTS_OF_CORRECTIONS, {"report_ids": rows.json_list(report_ids)})
    return paired | {row["reportId"] for row in earlier}


def _stores(connection: sqlite3.Connection) -> list[Store]:
    return [rows.store_from(row) for row in connection.execute("SELECT * FROM stores")]
