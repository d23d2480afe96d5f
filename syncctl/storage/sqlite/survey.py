"""A look at all of a SQLite database: what it is, what it holds, how its runs went."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from syncctl.domain.identity import first_id_at
from syncctl.domain.lead_fields import LEAD_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.ports.admin import AskedNumber, Caveat, DatabaseFacts, DuplicateCount, LastLogs, RunSpan
from syncctl.ports.storage import OpenRejects, RecordEntry, Texts
from syncctl.ports.waiting import PassWait, waiting
from syncctl.storage.common.app_collections import last_logs
from syncctl.storage.common.own_collections import count_from, run_from, saved_by_audits, span_of, step_names
from syncctl.storage.common.records import record_entry
from syncctl.storage.common.report_paths import CREATED_PATHS
from syncctl.storage.sqlite import rows
from syncctl.storage.sqlite.looking import ODD_BOOKING_NO, ODD_PHONE
from syncctl.storage.sqlite.session import SqliteSession
from syncctl.storage.sqlite.statements import where_among

# Of what a person typed, only what begins like a date counts.
LAST_LOGS = """
WITH RECURSIVE kinds (kind) AS (
    SELECT min(syncType) FROM synclogs
    UNION ALL SELECT (SELECT min(syncType) FROM synclogs WHERE syncType > kind) FROM kinds WHERE kind NOTNULL
)
SELECT * FROM synclogs WHERE _id IN (
    SELECT (SELECT _id FROM synclogs WHERE syncType = kind AND lastSyncAt GLOB '[0-9][0-9][0-9][0-9]-*'
        ORDER BY _id DESC LIMIT 1) FROM kinds
    UNION SELECT (SELECT _id FROM synclogs WHERE syncType = kind AND status = 'success'
        AND lastSyncAt GLOB '[0-9][0-9][0-9][0-9]-*' ORDER BY _id DESC LIMIT 1) FROM kinds
) ORDER BY _id
"""

RUNS_BY_ID = "_id >= :run_id AND _id < :run_id || char(0x10ffff)"
RUNS_UNTIL = "startedAt < :until"
FAILED_RUNS = """EXISTS (
    SELECT 1 FROM json_each(document, '$.steps')
    WHERE ifnull(json_extract(value, '$.status'), '') NOT IN ('success', 'skipped')
)"""

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

DUPLICATES_ID = "duplicates"
"""The row of synccounts with the last count of duplicates."""

_CANONICAL_DATE = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'"
# A date that a person typed may be in another form, "20260311" or with a zone. Such a form of a year stands
# behind all that `date_text` makes of it, which has a hyphen there.
LEADS_PER_DAY = f"""
SELECT CASE WHEN createdAt GLOB {_CANONICAL_DATE} THEN substr(createdAt, 1, 10) ELSE createdAt END AS day,
    count(*) AS leads
FROM (
    SELECT createdAt FROM leads WHERE createdAt >= :first AND createdAt < :end
    UNION ALL
    SELECT createdAt FROM leads, json_each(:years) AS year
    WHERE createdAt >= year.value || '-:' AND createdAt < year.value + 1
        AND NOT (createdAt >= :first AND createdAt < :end)
) GROUP BY day
"""  # noqa: S608 constants only

# What is written as most are is found by its text; the few other ones have indexes of their own. A booking
# number with a phone's digits begins with some of these, or with a sign.
MAY_HAVE = f"""
SELECT _id, phone, bookingNo FROM leads WHERE phone IN (SELECT value FROM json_each(:texts))
UNION SELECT _id, phone, bookingNo FROM leads WHERE {ODD_PHONE}
UNION SELECT _id, phone, bookingNo FROM leads WHERE bookingNo IN (SELECT value FROM json_each(:texts))
UNION SELECT _id, phone, bookingNo FROM leads WHERE {ODD_BOOKING_NO}
UNION SELECT _id, phone, bookingNo FROM leads WHERE bookingNo >= '(' AND bookingNo < '0'
UNION SELECT _id, phone, bookingNo FROM json_each(:beginnings) AS beginning
    CROSS JOIN leads ON bookingNo >= beginning.value AND bookingNo < beginning.value || '0'
"""  # noqa: S608 constants only

NUMBERED = "bookingNo GLOB '[0-9A-Za-z]*'"

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
            is_there = self._stands_for.exists()
            topology = "one file, still empty" if is_there else "one file, not there yet"
            place, durability = str(self._stands_for), _JOURNALS["wal"]
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

    def count_leads(self) -> int:
        with self._reading() as connection:
            return int(connection.execute("SELECT count(*) FROM leads").fetchone()[0])

    def leads_per_day(self, first: date, last: date) -> dict[date, int]:
        # A day's date may be written with a zone, or as a week of the year before.
        around = timedelta(days=7)
        years = [str(year) for year in range((first - around).year, (last + around).year + 1)]
        wanted = {
            "first": (first - timedelta(days=1)).isoformat(),
            "end": (last + timedelta(days=2)).isoformat(),
            "years": rows.json_list(years),
        }
        counts = Counter[date]()
        with self._found(LEADS_PER_DAY, wanted) as found:
            for row in found:
                if isinstance(moment := rows.date_from(row["day"]), datetime):
                    counts[moment.date()] += row["leads"]
        return {day: leads for day, leads in counts.items() if first <= day <= last}

    def leads_that_may_have(self, number: AskedNumber) -> Iterator[Document]:
        texts = {number.text, *number.digits}
        beginnings = {digits[:count] for digits in number.digits for count in range(1, len(digits) + 1)}
        wanted = {"texts": rows.json_list(texts), "beginnings": rows.json_list(beginnings)}
        yield from self._scan(rows.known_fields, MAY_HAVE, wanted)

    def leads_with_phones(self, phones: Texts, fields: Collection[str]) -> Iterator[Document]:
        query = (
            f"SELECT {_columns(fields)} FROM leads"  # noqa: S608 columns of the table only
            " WHERE phone IN (SELECT value FROM json_each(?))"
        )
        yield from self._scan(rows.known_fields, query, (rows.json_list(phones),))

    def duplicate_count(self) -> DuplicateCount | None:
        with self._found("SELECT * FROM synccounts WHERE _id = ?", (DUPLICATES_ID,)) as found:
            read = self._own.read("synccounts", found, count_from)
            return next(read, None)

    def scan_leads(self, fields: Collection[str], if_unnumbered: Collection[str] = ()) -> Iterator[Document]:
        wanted = {"_id": "_id"} | {field: field for field in LEAD_FIELDS if field in fields}
        for field in if_unnumbered:
            wanted[field] = f"CASE WHEN {NUMBERED} THEN NULL ELSE {field} END"
        query = f"SELECT {', '.join(wanted.values())}, rowid FROM leads WHERE rowid > ? ORDER BY rowid"  # noqa: S608 columns of the table only
        with waiting(PassWait()):
            for found in self._slices(query):
                yield from rows.scanned_fields(tuple(wanted), found)

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

    def finished_or_linked_records(self) -> Iterator[str]:
        query = (
            "SELECT _id FROM syncrecords"
            " WHERE leadId <> _id OR reportId IS NOT NULL OR corrections IS NOT NULL"
        )
        with self._found(query) as found:
            yield from (row["_id"] for row in found)

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
        # Only what is asked for: a condition that any run fulfils keeps SQLite from reading in order of the
        # index, and it sorts the whole history.
        asked = {RUNS_BY_ID: run_id, RUNS_UNTIL: until, FAILED_RUNS: failed_only}
        conditions = " AND ".join(condition for condition, is_asked in asked.items() if is_asked) or "TRUE"
        query = f"SELECT * FROM syncruns WHERE {conditions} ORDER BY startedAt DESC"  # noqa: S608 constants
        wanted = {"run_id": run_id, "until": rows.date_text(until) if until else None}
        with self._found(query, wanted) as newest:
            return list(islice(self._own.read("syncruns", newest, run_from), limit or None))


def _columns(fields: Collection[str]) -> str:
    """The columns of a lead for these fields, and its `_id`."""
    wanted = {"_id", *fields}
    return ", ".join(field for field in LEAD_FIELDS if field in wanted)
