"""`python -m benchmarks.seeding URL LEADS`: fills an empty database with made-up leads, records, rejected
rows and the runs of 90 days, as years of syncs leave them, to measure what grows with it. It takes about a
minute for 400,000."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from syncctl.domain.identity import derived_id, fingerprint, lead_key
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.leads import new_lead
from syncctl.domain.records import Reject, SourceRecord, SyncRecord
from syncctl.domain.run_documents import history_document
from syncctl.domain.run_history import RunEntry, SyncLog
from syncctl.domain.run_results import Counts, RunResult, StepResult
from syncctl.domain.sources import API_STEPS, SYNC_TYPES
from syncctl.domain.steps import StepStatus, Trigger
from syncctl.locations import load_locations
from syncctl.mapping.file_rows import file_key
from syncctl.services.batching import batched
from syncctl.storage.common.app_collections import sync_log_document
from syncctl.storage.common.own_collections import reject_document, run_document
from syncctl.storage.common.records import record_document
from syncctl.storage.mongo.documents import to_stored
from syncctl.storage.registry import open_storage
from syncctl.storage.sqlite.rows import lead_row, record_row, to_row

PER_CUSTOMER = 2
DUPLICATED, MISSPELT, ODD_PHONES, FINISHED, REJECTED = 500, 300, 1000, 20, 50
"""Every so manieth lead is a copy without a record, has a misspelt store or an oddly written phone number, or
is finished; and for so many leads a row was rejected."""

RUNS = 90 * 288
"""What the history keeps, whatever the number of leads: 90 days of a run every five minutes."""

DAYS = 365
AT_ONCE = 5000
TYPES = ("bookingConfirmation", "bookingConfirmation", "return", "general")
SOURCES = {"bookingConfirmation": "Booking", "return": "Return", "general": "Walk-in"}

Document = dict[str, Any]


def made_up(count: int) -> Iterator[tuple[Document, SyncRecord | None, Document | None]]:
    """So many leads, each with its record; of the finished ones there is a report and no lead."""
    stores = sorted(load_locations().store_names)
    now = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    step = timedelta(days=DAYS) / count
    for number in range(count):
        lead_type = TYPES[number % len(TYPES)]
        is_file = lead_type == "general"
        at = (now - number * step).replace(microsecond=0)
        if is_file:
            at = at.replace(hour=0, minute=0, second=0)
        values = LeadValues(
            leadType=lead_type,
            source=SOURCES[lead_type],
            name=f"Customer {number // PER_CUSTOMER}",
            phone=f"{9_000_000_000 + number // PER_CUSTOMER * 7}",
            store=stores[number % len(stores)],
            functionDate=at + timedelta(days=30),
            createdAt=at,
            enquiryType="Suit",
            remarks="",
        )
        if not is_file:
            values |= {"bookingNo": f"2025{number:012}", "securityAmount": 1500.0}
        phone, booking_no = values["phone"], values.get("bookingNo", "")
        key = lead_key(lead_type, phone, booking_no, values["name"], values["store"])
        key = file_key(key, at.date()) if is_file else key
        source = SourceRecord(key, derived_id(key), values)
        yield _documents(number, source, now)


def _documents(
    number: int, source: SourceRecord, now: datetime
) -> tuple[Document, SyncRecord | None, Document | None]:
    lead = new_lead(source, now)
    if number % DUPLICATED == DUPLICATED - 1:
        return {**lead, "_id": str(ObjectId())}, None, None
    if number % MISSPELT == MISSPELT - 1 and "bookingNo" in lead:
        lead["store"] = lead["store"].upper()
    if number % ODD_PHONES == ODD_PHONES - 1:
        lead["phone"] = f"+91 {lead['phone'][:5]} {lead['phone'][5:]}"
    kind = {"Booking": "booking", "Return": "return"}.get(lead["source"], "walkin")
    record = SyncRecord(
        source.lead_id,
        source.key,
        source.lead_id,
        kind,
        "7",
        source.values,
        fingerprint(source.values),
        now,
        "r",
    )
    if number % FINISHED == FINISHED - 1:
        return lead, record, {"_id": str(ObjectId()), "leadData": lead, "editedAt": now}
    return lead, record, None


def rejected(count: int) -> Iterator[Document]:
    """The rejected rows beside so many leads."""
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(count // REJECTED):
        at = now - timedelta(minutes=number)
        row = f'{{"customerName": "Customer {number}", "phoneNo": "12345", "bookingNo": "2024{number:012}"}}'
        found = (f"row {number}", "no phone number", row, f"{number:06}", at)
        yield reject_document(
            Reject(derived_id(f"reject {number}"), "booking", "7", "Suitor Guy - Calicut", *found)
        )


def past_runs(count: int) -> Iterator[tuple[Document, list[Document]]]:
    """So many runs of cron up to now, each with its entries of `synclogs`."""
    now = datetime.now(UTC).replace(microsecond=0)
    counts = Counts(rows=157, existing=140, merged=17)
    steps = tuple(StepResult(name, StepStatus.SUCCESS, counts, 21, 21) for name in API_STEPS)
    for number in range(count):
        at = now - (count - number) * timedelta(minutes=5)
        result = RunResult(
            "api", f"{at:%Y%m%d-%H%M%S}-{number:06}", Trigger.AUTO, False, at, 1.0, None, steps
        )
        entry = RunEntry(result.run_id, at, history_document(result))
        logs = [
            sync_log_document(SyncLog(SYNC_TYPES[step.name], Trigger.AUTO, at, 0, StepStatus.SUCCESS, None))
            for step in steps
        ]
        yield run_document(entry), logs


def seed(url: str, count: int, runs: int = RUNS) -> None:
    """Fill the empty database at `url` and let syncctl prepare it."""
    fill = _fill_mongo if url.startswith("mongodb") else _fill_sqlite
    fill(url, count, runs)


def _fill_mongo(url: str, count: int, runs: int) -> None:
    with MongoClient[Document](url) as client:
        database = client.get_default_database()

        def insert(name: str, new: list[Document]) -> None:
            if new:
                database[name].insert_many(new, ordered=False)

        for batch in batched(made_up(count), AT_ONCE):
            insert("leads", [to_stored(lead) for lead, _, report in batch if report is None])
            insert("syncrecords", [to_stored(record_document(record)) for _, record, _ in batch if record])
            insert("reports", [_stored_report(report) for _, _, report in batch if report])
        for some in batched(rejected(count), AT_ONCE):
            insert("syncrejects", list(map(to_stored, some)))
        for past in batched(past_runs(runs), AT_ONCE):
            insert("syncruns", [run for run, _ in past])
            insert("synclogs", [log for _, logs in past for log in logs])
        for lead in database.leads.aggregate([{"$sample": {"size": max(1, count // DUPLICATED)}}]):
            database.leads.insert_one({**lead, "_id": ObjectId()})
    _prepare(url)


def _stored_report(report: Document) -> Document:
    return {**to_stored(report), "leadData": to_stored(report["leadData"])}


def _fill_sqlite(url: str, count: int, runs: int) -> None:
    import json

    _prepare(url)
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as database:

        def insert(table: str, new: Iterable[Document]) -> None:
            rows = list(new)
            if rows:
                names, marks = ", ".join(f'"{name}"' for name in rows[0]), ", ".join("?" * len(rows[0]))
                statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 names of columns
                database.executemany(statement, [list(row.values()) for row in rows])

        for pragma in ("synchronous = OFF", "cache_size = -500000"):
            database.execute(f"PRAGMA {pragma}")
        for batch in batched(made_up(count), AT_ONCE):
            insert("leads", (lead_row(lead) for lead, _, report in batch if report is None))
            insert("syncrecords", (record_row(record) for _, record, _ in batch if record))
            reports = (report for _, _, report in batch if report)
            insert(
                "reports",
                ({"_id": each["_id"], "document": json.dumps(each, default=str)} for each in reports),
            )
        for some in batched(rejected(count), AT_ONCE):
            insert("syncrejects", map(to_row, some))
        for past in batched(past_runs(runs), AT_ONCE):
            insert("syncruns", (to_row(run) for run, _ in past))
            insert("synclogs", (to_row(log) for _, logs in past for log in logs))
    database.close()


def _prepare(url: str) -> None:
    storage = open_storage(url)
    storage.prepare()
    storage.close()


if __name__ == "__main__":
    seed(sys.argv[1], int(sys.argv[2]))
