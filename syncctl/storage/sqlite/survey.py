"""A look at all of a SQLite database: what it is, what it holds, how its runs went."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from syncctl.domain.identity import first_id_at
from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.ports.admin import Caveat, DatabaseFacts, LastLogs, RunSpan
from syncctl.ports.storage import OpenRejects, RecordEntry
from syncctl.storage.common.records import record_entry
from syncctl.storage.common.report_paths import CREATED_PATHS
from syncctl.storage.common.runs import run_from, saved_by_audits, span_of, step_names
from syncctl.storage.common.sync_logs import last_logs
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.session import SqliteSession
from syncctl.storage.sqlite.statements import where_among

# Of what a person typed, only what begins like a date counts.
LAST_LOGS = """
SELECT * FROM synclogs WHERE _id IN (
    SELECT max(_id) FROM synclogs WHERE lastSyncAt GLOB '[0-9][0-9][0-9][0-9]-*' GROUP BY syncType, status
) ORDER BY _id
"""

RUNS = """
SELECT * FROM syncruns
WHERE substr(_id, 1, length(:run_id)) = :run_id
AND (:until IS NULL OR startedAt < :until)
AND (NOT :failed_only OR EXISTS (
    SELECT 1 FROM json_each(document, '$.steps')
    WHERE ifnull(json_extract(value, '$.status'), '') NOT IN ('success', 'skipped')
))
ORDER BY startedAt DESC
"""

# UNION takes each report once, and each part its own index.
REPORTS_ON_LEADS_CREATED = " UNION ".join(
    "SELECT _id, document FROM reports"  # noqa: S608 constants only
    f" WHERE json_extract(document, '$.{path}') >= ?1 AND json_extract(document, '$.{path}') < ?2"
    for path in CREATED_PATHS
)

AUDITED_RUNS = """
SELECT * FROM syncruns WHERE startedAt >= ? AND EXISTS (
    SELECT 1 FROM json_each(CASE WHEN json_valid(document) THEN document ELSE '{}' END, '$.steps')
    WHERE CASE type WHEN 'object' THEN json_extract(value, '$.audit.saved') END > 0
)
"""

_JOURNALS = {"wal": "write-ahead log (WAL)", "delete": "rollback journal"}

_OTHER_JOURNAL = (
    "The journal is {}, not WAL, so a sync and its readers wait for each other: the next sync changes it. "
    "If it can't, the file is on a network share"
)

T = TypeVar("T")


class SqliteSurvey(SqliteSession):
    """ports.admin.Survey on SQLite."""

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
            place, topology, durability = "in memory", "no file", "lost when the program ends"
        caveats: tuple[Caveat, ...] = ()
        if self._path and journal != "wal":
            caveats = (Caveat(_OTHER_JOURNAL.format(journal), "move it to a disk of this machine."),)
        return DatabaseFacts("SQLite", sqlite3.sqlite_version, place, topology, durability, caveats)

    def open_rejects(self) -> OpenRejects:
        query = "SELECT count(*), min(rejectedAt) FROM syncrejects WHERE closedAt IS NULL"
        with self._reading() as connection:
            count, oldest = connection.execute(query).fetchone()
        found = rows.date_from(oldest)
        return OpenRejects(count, found if isinstance(found, datetime) else None)

    def scan_leads(self, fields: Collection[str]) -> Iterator[Document]:
        query = f"SELECT {_columns(fields)} FROM leads"  # noqa: S608 columns of the table only
        yield from self._scan(rows.known_fields, query)

    def leads_by_age(
        self, since: datetime, until: datetime, lead_types: Collection[str], fields: Collection[str]
    ) -> Iterator[Document]:
        query = (
            f"SELECT {_columns(fields)} FROM leads"  # noqa: S608 columns of the table only
            " WHERE _id >= ? AND _id < ? AND length(_id) = 24 AND _id NOT GLOB '*[^0-9a-f]*'"
            " AND leadType IN (SELECT value FROM json_each(?))"
        )
        wanted = (first_id_at(since), first_id_at(until), rows.json_list(lead_types))
        yield from self._scan(rows.known_fields, query, wanted)

    def scan_reports(self) -> Iterator[Document]:
        yield from self._scan(rows.report_from, "SELECT _id, document FROM reports")

    def scan_records(self, source: str, location: str) -> Iterator[RecordEntry]:
        query = "SELECT * FROM syncrecords WHERE source = ? AND location = ?"
        with self._found(query, (source, location)) as found:
            yield from self._own.read("syncrecords", found, record_entry)

    def _scan(
        self,
        make: Callable[[sqlite3.Row], T],
        query: str,
        wanted: Sequence[Any] | Mapping[str, Any] = (),
    ) -> Iterator[T]:
        with self._found(query, wanted) as found:
            yield from map(make, found)

    def corrected_records(self, since: datetime) -> list[RecordEntry]:
        query = "SELECT * FROM syncrecords WHERE correctedAt >= ?"
        with self._reading() as connection:
            found = connection.execute(query, (rows.date_text(since),))
            return list(self._own.read("syncrecords", found, record_entry))

    def user_names(self, user_ids: Collection[str]) -> dict[str, str]:
        with self._reading() as connection:
            found = where_among(connection, "SELECT _id, name FROM users", "_id", user_ids)
            return {row["_id"]: row["name"] for row in found if row["name"]}

    def last_sync_logs(self) -> dict[str, LastLogs]:
        with self._reading() as connection:
            return last_logs(filter(None, map(rows.dated_log, connection.execute(LAST_LOGS))))

    def sync_logs(self, since: datetime, until: datetime) -> Iterator[SyncLog]:
        query = "SELECT * FROM synclogs WHERE lastSyncAt >= ? AND lastSyncAt < ? ORDER BY lastSyncAt"
        yield from filter(
            None, self._scan(rows.dated_log, query, (rows.date_text(since), rows.date_text(until)))
        )

    def first_run_at(self, steps: Collection[str]) -> datetime | None:
        wanted = set(steps)

        def started(document: Document) -> datetime | None:
            run = run_from(document)
            return None if wanted.isdisjoint(step_names(run)) else run.started_at

        with self._found("SELECT * FROM syncruns ORDER BY startedAt") as found:
            return next(filter(None, self._own.read("syncruns", found, started)), None)

    def run_spans(self, since: datetime) -> list[RunSpan]:
        query = "SELECT * FROM syncruns WHERE startedAt >= ? ORDER BY startedAt"
        with self._found(query, (rows.date_text(since),)) as found:
            return list(self._own.read("syncruns", found, lambda each: span_of(run_from(each))))

    def saved_by_audits(self, since: datetime) -> dict[str, int]:
        with self._found(AUDITED_RUNS, (rows.date_text(since),)) as found:
            return saved_by_audits(self._own.read("syncruns", found, run_from))

    def leads_created(self, since: datetime, until: datetime, fields: Collection[str]) -> Iterator[Document]:
        query = f"SELECT {_columns(fields)} FROM leads WHERE createdAt >= ? AND createdAt < ?"  # noqa: S608 columns of the table only
        yield from self._scan(rows.known_fields, query, (rows.date_text(since), rows.date_text(until)))

    def reports_on_leads_created(self, since: datetime, until: datetime) -> Iterator[Document]:
        yield from self._scan(
            rows.report_from, REPORTS_ON_LEADS_CREATED, (rows.date_text(since), rows.date_text(until))
        )

    def runs(
        self, limit: int, *, failed_only: bool = False, run_id: str = "", until: datetime | None = None
    ) -> list[RunEntry]:
        before = rows.date_text(until) if until else None
        wanted = {"run_id": run_id, "failed_only": failed_only, "until": before}
        with self._found(RUNS, wanted) as newest:
            return list(islice(self._own.read("syncruns", newest, run_from), limit or None))


def _columns(fields: Collection[str]) -> str:
    """The columns of a lead for these fields, and its `_id`."""
    wanted = {"_id", *fields}
    return ", ".join(field for field in LEAD_FIELDS if field in wanted)
