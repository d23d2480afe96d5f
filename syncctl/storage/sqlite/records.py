"""What the sync keeps of each source record, on SQLite."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from syncctl.domain.records import Correction, KnownRecord, SyncRecord, Write
from syncctl.ports.storage import ANY_TIME, Created, RecordEntry, Texts
from syncctl.storage.common.records import KNOWN_FIELDS, known_by_id, record_entry, values_by_id, writes_by_id
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.schema import record_value
from syncctl.storage.sqlite.session import SqliteSession, read_all
from syncctl.storage.sqlite.statements import look_up_parameters, paired_reports, where_among

# One parameter holds a whole list, as JSON: SQLite limits how many parameters a statement may have.
RECORDS_ABOUT = f"""
SELECT * FROM syncrecords WHERE {record_value("phone")} IN (SELECT value FROM json_each(:phones))
    OR {record_value("bookingNo")} IN (SELECT value FROM json_each(:booking_numbers))
    OR leadId IN (SELECT value FROM json_each(:lead_ids))
    OR {record_value("createdAt")} IN (SELECT value FROM json_each(:moments))
    OR ({record_value("createdAt")} IN (SELECT value FROM json_each(:midnights))
        AND {record_value("name")} IN (SELECT value FROM json_each(:names)))
"""  # noqa: S608 constants only


class SqliteRecords(SqliteSession):
    """The part of ports.storage.Storage that is about records."""

    def find_records(self, record_ids: Texts) -> dict[str, KnownRecord]:
        with self._reading() as connection:
            query = f"SELECT _id, {', '.join(KNOWN_FIELDS)} FROM syncrecords"  # noqa: S608 constants only
            found = read_all(connection, lambda: where_among(connection, query, "_id", record_ids))
            return dict(self._own.read("syncrecords", found, known_by_id))

    def has_records(self) -> bool:
        with self._reading() as connection:
            return connection.execute("SELECT 1 FROM syncrecords LIMIT 1").fetchone() is not None

    def recorded_leads(self, lead_ids: Texts) -> set[str]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT leadId FROM syncrecords", "leadId", lead_ids)
            return {row["leadId"] for row in found}

    def records_about(
        self, phones: Texts, booking_numbers: Texts, lead_ids: Texts, created: Created = ANY_TIME
    ) -> list[RecordEntry]:
        wanted = look_up_parameters(
            created, phones=phones, booking_numbers=booking_numbers, lead_ids=lead_ids
        )
        with self._reading() as connection:
            found = connection.execute(RECORDS_ABOUT, wanted)
            return list(self._own.read("syncrecords", found, record_entry))

    def paired_reports(self, report_ids: Texts) -> set[str]:
        with self._reading() as connection:
            return paired_reports(connection, report_ids)

    def pair_reports(self, report_ids: Mapping[str, str]) -> None:
        with self._writing() as connection:
            paired = paired_reports(connection, report_ids.values())
            connection.executemany(
                "UPDATE syncrecords SET reportId = ? WHERE _id = ? AND reportId IS NULL",
                [(report, record) for record, report in report_ids.items() if report not in paired],
            )

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

    def shared_bookings(self, source: str, booking_numbers: Texts) -> set[str]:
        column = record_value("bookingNo")
        statement = (
            f"SELECT {column} FROM syncrecords WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 constants only
            # The plus keeps SQLite from using the index of sources: that of the numbers finds fewer.
            " AND +source = ? AND replacedBy IS NULL GROUP BY 1 HAVING count(*) > 1"
        )
        with self._reading() as connection:
            found = connection.execute(statement, (rows.json_list(booking_numbers), source))
            return {number for (number,) in found}

    def add_corrections(self, corrections: Mapping[str, Correction]) -> None:
        with self._writing() as connection:
            found = where_among(connection, "SELECT * FROM syncrecords", "_id", corrections.keys())
            for entry in list(self._own.read("syncrecords", found, record_entry)):
                made = corrections[entry.record.record_id]
                corrected = replace(entry.record, corrections=(*entry.record.corrections, made))
                connection.execute(
                    "UPDATE syncrecords SET corrections = :corrections, correctedAt = :correctedAt"
                    " WHERE _id = :_id",
                    rows.record_row(corrected),
                )

    def renew_records(self, records: Sequence[SyncRecord]) -> None:
        with self._writing() as connection:
            ids = [record.record_id for record in records]
            found = where_among(connection, "SELECT * FROM syncrecords", "_id", ids)
            before = {
                entry.record.record_id: entry.record.corrections
                for entry in self._own.read("syncrecords", found, record_entry)
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

    def record_values(self, record_ids: Texts) -> dict[str, dict[str, Any]]:
        with self._reading() as connection:
            found = where_among(connection, 'SELECT _id, "values" FROM syncrecords', "_id", record_ids)
            return dict(self._own.read("syncrecords", found, values_by_id))

    def add_writes(self, writes: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
        with self._writing() as connection:
            found = where_among(connection, "SELECT _id, written FROM syncrecords", "_id", writes.keys())
            connection.executemany(
                "UPDATE syncrecords SET written = ? WHERE _id = ?",
                [
                    (rows.written_to_column(row["written"], writes[row["_id"]], at), row["_id"])
                    for row in found
                ],
            )

    def writes(self, record_ids: Texts) -> dict[str, dict[str, Write]]:
        with self._reading() as connection:
            query = "SELECT _id, written FROM syncrecords"
            found = where_among(connection, query, "_id", record_ids)
            kept = self._own.read("syncrecords", found, writes_by_id)
            return {record_id: writes for record_id, writes in kept if writes}
