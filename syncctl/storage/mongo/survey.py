"""A look at all of a MongoDB database: what it is, what it holds, how its runs went."""

from collections.abc import Collection, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from syncctl.domain.identity import first_id_at
from syncctl.domain.lead_values import Document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.steps import StepStatus
from syncctl.ports.admin import AskedNumber, DatabaseFacts, DuplicateCount, LastLogs, RunSpan
from syncctl.ports.storage import OpenRejects, RecordEntry, Texts
from syncctl.ports.waiting import PassWait, waiting
from syncctl.storage.common.app_collections import last_logs
from syncctl.storage.common.own_collections import count_from, run_from, saved_by_audits, span_of
from syncctl.storage.common.own_documents import own
from syncctl.storage.common.records import record_entry
from syncctl.storage.common.report_paths import CREATED_PATHS, moments_as_stored
from syncctl.storage.mongo import documents
from syncctl.storage.mongo.batches import REPLY, find, find_by_texts, in_batches
from syncctl.storage.mongo.facts import read_facts
from syncctl.storage.mongo.session import MongoSession
from syncctl.storage.mongo.spellings import LONGEST_TEXT, may_have
from syncctl.text import to_text

LAST_CHARACTER = "\U0010ffff"

DATED_LOGS: Document = {
    "syncType": {"$type": "string"},
    "$or": [{field: {"$type": "date"}} for field in documents.LOG_DATES],
}
RECENT_LOGS = 100
"""Among these there is one of each kind that is still synced."""

DUPLICATES_ID = "count:duplicates"
"""The document of syncstate with the last count of duplicates."""

# A list of dates, which its index finds by each of them, is no date.
_IS_DATE = {"$eq": [{"$type": "$createdAt"}, "date"]}
DAY = {"$cond": [_IS_DATE, {"$dateToString": {"date": "$createdAt", "format": "%Y-%m-%d"}}, None]}

# Whether the booking number begins with a letter or digit. Other types than text are not between texts.
NUMBERED = {"$and": [{"$gte": ["$bookingNo", "0"]}, {"$lt": ["$bookingNo", "{"]}]}

_RECORD_ID = {"$convert": {"input": "$_id", "to": "string", "onError": None}}
FINISHED_OR_LINKED: Document = {
    "$or": [
        {"reportId": {"$type": "string"}},
        {"corrections.reportId": {"$type": "string"}},
        {"$expr": {"$ne": ["$leadId", _RECORD_ID]}},
    ]
}

OPEN_REJECTS: list[Document] = [
    {"$match": {"closedAt": None}},
    {"$group": {"_id": None, "count": {"$sum": 1}, "oldest": {"$min": "$rejectedAt"}}},
]

LOG_FIELDS = ("syncType", "trigger", "lastSyncAt", "lastSyncCount", "status", "errorMessage")

FAILED_STEP = {"$elemMatch": {"status": {"$nin": [str(StepStatus.SUCCESS), str(StepStatus.SKIPPED)]}}}


class MongoSurvey(MongoSession):
    """ports.admin.Survey on MongoDB."""

    def facts(self) -> DatabaseFacts:
        with self._reading() as database:
            return read_facts(database, self._address)

    def open_rejects(self) -> OpenRejects:
        with self._reading() as database:
            for found in database.syncrejects.aggregate(OPEN_REJECTS):
                oldest = found["oldest"]
                return OpenRejects(found["count"], oldest if isinstance(oldest, datetime) else None)
        return OpenRejects(0, None)

    def count_leads(self) -> int:
        with self._reading() as database:
            return database.leads.estimated_document_count()

    def leads_per_day(self, first: date, last: date) -> dict[date, int]:
        since, until = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        pipeline: list[Document] = [
            {"$match": {"createdAt": {"$gte": since, "$lt": until}}},
            {"$group": {"_id": DAY, "leads": {"$sum": 1}}},
        ]
        with self._reading() as database:
            found = {each["_id"]: each["leads"] for each in database.leads.aggregate(pipeline)}
        return {date.fromisoformat(day): leads for day, leads in found.items() if day is not None}

    def leads_that_may_have(self, number: AskedNumber) -> Iterator[Document]:
        if not number.text.isascii() or len(number.text) > LONGEST_TEXT:
            yield from self.scan_leads(("phone", "bookingNo"))
            return
        with self._reading() as database:
            for query, collation in may_have(number):
                found = find(database.leads, query, ["_id", "phone", "bookingNo"]).collation(collation)
                yield from map(documents.known_fields, found)

    def leads_with_phones(self, phones: Texts, fields: Collection[str]) -> Iterator[Document]:
        with self._reading() as database:
            for batch in in_batches(phones):
                found = find(database.leads, {"phone": {"$in": batch}}, ["_id", *fields])
                yield from map(documents.known_fields, found)

    def duplicate_count(self) -> DuplicateCount | None:
        with self._reading() as database:
            found = find(database.syncstate, {"_id": DUPLICATES_ID})
            return next(self._own.read("syncstate", found, count_from), None)

    def scan_leads(self, fields: Collection[str], if_unnumbered: Collection[str] = ()) -> Iterator[Document]:
        wanted: Document = dict.fromkeys(("_id", *fields), 1)
        for field in if_unnumbered:
            wanted[field] = {"$cond": [NUMBERED, "$$REMOVE", f"${field}"]}
        with waiting(PassWait()), self._reading() as database:
            options = database.leads.codec_options.with_options(tz_aware=False, tzinfo=None)
            found = database.leads.with_options(options).find({}, wanted, batch_size=REPLY)
            yield from map(documents.scanned_fields, found)

    def scan_reports(self) -> Iterator[Document]:
        with self._reading() as database:
            yield from map(documents.from_bson, find(database.reports, {}))

    def scan_records(self, source: str, location: str) -> Iterator[RecordEntry]:
        query = {"source": source, "location": location}
        with self._reading() as database:
            found = find(database.syncrecords, query)
            yield from self._own.read("syncrecords", found, record_entry)

    def finished_or_linked_records(self) -> Iterator[str]:
        with self._reading() as database:
            found = find(database.syncrecords, FINISHED_OR_LINKED, ["_id"])
            yield from (to_text(each["_id"]) for each in found)

    def corrected_records(self, since: datetime) -> list[RecordEntry]:
        with self._reading() as database:
            found = find(database.syncrecords, {"correctedAt": {"$gte": since}})
            return list(self._own.read("syncrecords", found, record_entry))

    def user_names(self, user_ids: Collection[str]) -> dict[str, str]:
        with self._reading() as database:
            users = map(documents.from_bson, find_by_texts(database.users, user_ids, ["_id", "name"]))
            return {user["_id"]: name for user in users if isinstance(name := user.get("name"), str) and name}

    def last_sync_logs(self) -> dict[str, LastLogs]:
        # The newest by insertion: ids of the driver's and of Mongoose's grow.
        with self._reading() as database:
            newest = database.synclogs.find(DATED_LOGS).sort("_id", DESCENDING).limit(RECENT_LOGS)
            found = {log["_id"]: log for log in newest}
            recent = last_logs(map(documents.dated_log, reversed(found.values())))
            if len(found) == RECENT_LOGS:
                kinds = database.synclogs.distinct("syncType")
                for kind in (each for each in kinds if isinstance(each, str)):
                    known = recent.get(kind)
                    wanted: list[Document] = [{}] if known is None else []
                    if known is None or known.last_success is None:
                        wanted.append({"status": str(StepStatus.SUCCESS)})
                    for also in wanted:
                        of_kind = database.synclogs.find({**DATED_LOGS, "syncType": kind, **also})
                        found |= {log["_id"]: log for log in of_kind.sort("_id", DESCENDING).limit(1)}
            # Sorted by the server, as ids may be of several types.
            ids = {"_id": {"$in": list(found)}}
            return last_logs(map(documents.dated_log, database.synclogs.find(ids).sort("_id", ASCENDING)))

    def sync_logs(self, since: datetime, until: datetime) -> Iterator[SyncLog]:
        query = {"lastSyncAt": {"$gte": since, "$lt": until}, "syncType": {"$type": "string"}}
        with self._reading() as database:
            found = find(database.synclogs, query, LOG_FIELDS).sort("lastSyncAt", ASCENDING)
            yield from map(documents.dated_log, found)

    def first_run_at(self, steps: Collection[str]) -> datetime | None:
        query = {"startedAt": {"$type": "date"}, "document.steps.name": {"$in": list(steps)}}
        with self._reading() as database:
            found = find(database.syncruns, query, ["startedAt"]).sort("startedAt", ASCENDING).limit(1)
            started = self._own.read("syncruns", found, lambda each: own(each, "startedAt", datetime))
            return next(started, None)

    def run_spans(self, since: datetime) -> list[RunSpan]:
        fields = ["startedAt", "document.duration_s", "document.steps.name"]
        with self._reading() as database:
            found = find(database.syncruns, {"startedAt": {"$gte": since}}, fields)
            found = found.sort("startedAt", ASCENDING)
            spans = self._own.read("syncruns", found, lambda each: span_of(run_from(each)))
            return list(spans)

    def saved_by_audits(self, since: datetime) -> dict[str, int]:
        query = {"startedAt": {"$gte": since}, "document.steps.audit.saved": {"$gt": 0}}
        fields = ["startedAt", "document.steps.name", "document.steps.audit.saved"]
        with self._reading() as database:
            found = find(database.syncruns, query, fields)
            return saved_by_audits(self._own.read("syncruns", found, run_from))

    def leads_by_age(
        self, since: datetime, until: datetime, lead_types: Collection[str], fields: Collection[str]
    ) -> Iterator[Document]:
        first, end = ObjectId(first_id_at(since)), ObjectId(first_id_at(until))
        query = {"_id": {"$gte": first, "$lt": end}, "leadType": {"$in": list(lead_types)}}
        with self._reading() as database:
            # Without the hint an index that begins with leadType may be taken, and all bookings be read.
            found = find(database.leads, query, ["_id", *fields]).hint("_id_")
            yield from map(documents.known_fields, found)

    def leads_created(self, since: datetime, until: datetime, fields: Collection[str]) -> Iterator[Document]:
        with self._reading() as database:
            found = find(database.leads, {"createdAt": {"$gte": since, "$lt": until}}, ["_id", *fields])
            yield from map(documents.known_fields, found)

    def reports_on_leads_created(self, since: datetime, until: datetime) -> Iterator[Document]:
        spans = zip(*map(moments_as_stored, ([since], [until])), strict=True)  # as dates, and as text
        ranges = [{"$gte": first, "$lt": end} for first, end in spans]
        query = {"$or": [{path: span} for path in CREATED_PATHS for span in ranges]}
        with self._reading() as database:
            yield from map(documents.from_bson, find(database.reports, query))

    def runs(
        self, limit: int, *, failed_only: bool = False, run_id: str = "", until: datetime | None = None
    ) -> list[RunEntry]:
        query: dict[str, Any] = {"document.steps": FAILED_STEP} if failed_only else {}
        if run_id:
            query["_id"] = {"$gte": run_id, "$lt": run_id + LAST_CHARACTER}
        if until:
            query["startedAt"] = {"$lt": until}
        with self._reading() as database:
            # No limit of the server's: odd documents, which are passed over, must not use it up.
            newest = database.syncruns.find(query).sort("startedAt", DESCENDING).batch_size(limit)
            with closing(newest):
                runs = self._own.read("syncruns", newest, run_from)
                return list(islice(runs, limit or None))
