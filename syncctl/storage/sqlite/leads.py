"""Leads, their guarded changes, and the telecallers' reports about them, on SQLite."""

import sqlite3
from collections.abc import Sequence

from syncctl.domain.lead_values import Document, LeadChange
from syncctl.domain.records import SyncRecord
from syncctl.ports.storage import ANY_TIME, Created, Texts
from syncctl.storage.common import report_paths
from syncctl.storage.common.app_collections import guard, holds
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.session import SqliteSession, read_all
from syncctl.storage.sqlite.statements import insert_new, look_up_parameters, paired_reports, where_among


def change_lead(connection: sqlite3.Connection, change: LeadChange) -> bool:
    """Make the change if the lead holds what is expected. Gives whether it holds the new values now.

    To be called inside a transaction that holds the write lock. The columns are not compared in SQL: a date
    that a person typed in another form is the same date, and 1 is not true. Raises StorageError naming a
    field that leads don't have, and sqlite3's errors.
    """
    expected = guard(change)
    rows.check_fields(expected)
    row = connection.execute("SELECT * FROM leads WHERE _id = ?", (change.lead_id,)).fetchone()
    if row is None:
        return False
    lead = rows.lead_from(row)
    if not holds(lead, expected):
        return holds(lead, change.values)
    if change.values:
        new = rows.lead_columns(change.values)
        assignments = ", ".join(f'"{column}" = :{column}' for column in new)
        connection.execute(
            f"UPDATE leads SET {assignments} WHERE _id = :_id",  # noqa: S608 columns of the table only
            {**new, "_id": change.lead_id},
        )
    return True


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


_ON_THESE_DAYS = f" AND ({_report_has(report_paths.VISIT_PATHS, ':midnights')})"
FIND_REPORTS = f"""
SELECT _id, document FROM reports WHERE {_report_has(report_paths.LEAD_ID_PATHS, ":lead_ids")}
    OR {_report_has(report_paths.PHONE_PATHS, ":phones")}
    OR {_report_has(report_paths.BOOKING_PATHS, ":booking_numbers")}
    OR {_report_has(report_paths.CREATED_PATHS, ":moments")}
    OR {_report_has(report_paths.NAME_PATHS, ":names", _ON_THESE_DAYS)}
"""  # noqa: S608 constants only


class SqliteLeads(SqliteSession):
    """The part of ports.storage.Storage that is about leads and reports."""

    def present_leads(self, lead_ids: Texts) -> set[str]:
        with self._reading() as connection:
            found = read_all(
                connection, lambda: where_among(connection, "SELECT _id FROM leads", "_id", lead_ids)
            )
            return {lead_id for (lead_id,) in found}

    def find_leads(
        self, lead_type: str, booking_numbers: Texts, phones: Texts, created: Created = ANY_TIME
    ) -> list[Document]:
        lists = look_up_parameters(created, booking_numbers=booking_numbers, phones=phones)
        with self._reading() as connection:
            found = connection.execute(FIND_LEADS, {"lead_type": lead_type, **lists})
            return [rows.lead_from(row) for row in found]

    def find_reports(
        self, lead_ids: Texts, phones: Texts, booking_numbers: Texts = (), created: Created = ANY_TIME
    ) -> list[Document]:
        wanted = look_up_parameters(
            created,
            lead_ids=lead_ids,
            phones=report_paths.as_stored(phones),
            booking_numbers=report_paths.as_stored(booking_numbers),
        )
        with self._reading() as connection:
            # So many paths and values take 15 ms even where there is nothing to be found.
            if connection.execute("SELECT 1 FROM reports LIMIT 1").fetchone() is None:
                return []
            return [rows.report_from(row) for row in connection.execute(FIND_REPORTS, wanted)]

    def reports(self, report_ids: Texts) -> dict[str, Document]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT _id, document FROM reports", "_id", report_ids)
            return {row["_id"]: rows.report_from(row) for row in found}

    def store_leads(self, leads: Sequence[Document], records: Sequence[SyncRecord]) -> set[str]:
        with self._writing() as connection:
            inserted = insert_new(connection, "leads", map(rows.lead_row, leads))
            paired = paired_reports(connection, [record.report_id for record in records if record.report_id])
            free = [record for record in records if record.report_id not in paired]
            insert_new(connection, "syncrecords", map(rows.record_row, free))
        return set(inserted)

    def leads(self, lead_ids: Texts) -> dict[str, Document]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT * FROM leads", "_id", lead_ids)
            return {row["_id"]: rows.lead_from(row) for row in found}

    def update_leads(self, changes: Sequence[LeadChange]) -> set[str]:
        with self._writing() as connection:
            missed = {change.lead_id for change in changes if not change_lead(connection, change)}
        return {change.lead_id for change in changes} - missed
