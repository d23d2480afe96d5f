"""A look at all of a SQLite database: what it is, what it holds, how its runs went."""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import TypeVar

from syncctl.models import Document, RunEntry
from syncctl.operator_ports import DatabaseFacts, LastLogs, Totals
from syncctl.ports import RecordEntry
from syncctl.storage import sqlite_rows as rows
from syncctl.storage.last_logs import last_logs
from syncctl.storage.sqlite_session import SqliteSession
from syncctl.storage.sqlite_statements import where_among

# Of what a person typed, only what begins like a date counts.
LAST_LOGS = """
SELECT * FROM synclogs WHERE _id IN (
    SELECT max(_id) FROM synclogs WHERE lastSyncAt GLOB '[0-9][0-9][0-9][0-9]-*' GROUP BY syncType, status
) ORDER BY _id
"""

RUNS = """
SELECT * FROM syncruns
WHERE substr(_id, 1, length(:run_id)) = :run_id AND (NOT :failed_only OR EXISTS (
    SELECT 1 FROM json_each(document, '$.steps')
    WHERE ifnull(json_extract(value, '$.status'), '') NOT IN ('success', 'skipped')
))
ORDER BY startedAt DESC
"""

_JOURNALS = {"wal": "write-ahead log (WAL)", "delete": "rollback journal"}

_OTHER_JOURNAL = (
    "The journal is {}, not WAL, so a sync and its readers wait for each other: the next sync changes it. "
    "If it can't, the file is on a network share: move it to a disk of this machine."
)

T = TypeVar("T")


class SqliteSurvey(SqliteSession):
    """operator_ports.Survey on SQLite."""

    def facts(self) -> DatabaseFacts:
        with self._reading() as connection:
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
        if self._path is not None:
            place, topology, durability = str(self._path), "one file", _JOURNALS.get(journal, journal)
        elif self._stands_for is not None:
            place, topology, durability = (
                str(self._stands_for),
                "one file, still empty",
                _JOURNALS["wal"],
            )
        else:
            place, topology, durability = "in memory", "no file", "gone with the program"
        caveats = (_OTHER_JOURNAL.format(journal),) if self._path and journal != "wal" else ()
        return DatabaseFacts("SQLite", sqlite3.sqlite_version, place, topology, durability, caveats)

    def totals(self) -> Totals:
        counts = {}
        tables = {"records": "syncrecords", "rejects": "syncrejects", "runs": "syncruns"}
        with self._reading() as connection:
            for name in ("leads", "reports", "stores", "records", "rejects", "runs"):
                query = f"SELECT count(*) FROM {tables.get(name, name)}"  # noqa: S608 constants only
                counts[name] = connection.execute(query).fetchone()[0]
        return Totals(**counts)

    def scan_leads(self, fields: Collection[str]) -> Iterator[Document]:
        wanted = {"_id", *fields}
        columns = ", ".join(field for field in rows.LEAD_FIELDS if field in wanted)
        query = f"SELECT {columns} FROM leads"  # noqa: S608 columns of the table only
        yield from self._scan(rows.known_fields, query)

    def scan_reports(self) -> Iterator[Document]:
        yield from self._scan(rows.report_from, "SELECT _id, document FROM reports")

    def scan_records(self, source: str, location: str) -> Iterator[RecordEntry]:
        query = "SELECT * FROM syncrecords WHERE source = ? AND location = ?"
        with self._found(query, (source, location)) as found:
            yield from self._own.read("syncrecords", found, rows.record_entry)

    def _scan(self, make: Callable[[sqlite3.Row], T], query: str) -> Iterator[T]:
        with self._found(query) as found:
            yield from map(make, found)

    def user_names(self, user_ids: Collection[str]) -> dict[str, str]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT _id, name FROM users", "_id", user_ids)
            return {row["_id"]: row["name"] for row in found if row["name"]}

    def last_sync_logs(self) -> dict[str, LastLogs]:
        with self._reading() as connection:
            return last_logs(filter(None, map(rows.sync_log_from, connection.execute(LAST_LOGS))))

    def runs(self, limit: int, *, failed_only: bool = False, run_id: str = "") -> list[RunEntry]:
        wanted = {"run_id": run_id, "failed_only": failed_only}
        with self._found(RUNS, wanted) as newest:
            return list(islice(self._own.read("syncruns", newest, rows.run_from), limit or None))
