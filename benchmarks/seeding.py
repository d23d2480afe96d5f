"""`python -m benchmarks.seeding URL LEADS`: fills an empty database with made-up leads and their records, as
years of syncs and imports leave them, to measure what grows with it. 400,000 take less than a minute."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import MongoClient

from syncctl.domain.identity import derived_id, fingerprint, lead_key
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.leads import new_lead
from syncctl.domain.records import SourceRecord, SyncRecord
from syncctl.locations import load_locations
from syncctl.mapping.file_rows import file_key
from syncctl.services.batching import batched
from syncctl.storage.common.records import record_document
from syncctl.storage.mongo.documents import to_stored
from syncctl.storage.registry import open_storage
from syncctl.storage.sqlite.rows import lead_row, record_row

PER_CUSTOMER = 2
DUPLICATED, MISSPELT, ODD_PHONES, FINISHED = 500, 300, 1000, 20
"""Every so manieth lead is a copy without a record, has a misspelt store or an oddly written phone number, or
is finished."""

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
        source.key,
        source.lead_id,
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


def seed(url: str, count: int) -> None:
    """Fill the empty database at `url` and let syncctl prepare it."""
    fill = _fill_mongo if url.startswith("mongodb") else _fill_sqlite
    fill(url, count)


def _fill_mongo(url: str, count: int) -> None:
    with MongoClient[Document](url) as client:
        database = client.get_default_database()
        for batch in batched(made_up(count), AT_ONCE):
            leads = [to_stored(lead) for lead, _, report in batch if report is None]
            records = [to_stored(record_document(record)) for _, record, _ in batch if record]
            reports = [
                {**to_stored(report), "leadData": to_stored(report["leadData"])}
                for _, _, report in batch
                if report
            ]
            for name, new in (("leads", leads), ("syncrecords", records), ("reports", reports)):
                if new:
                    database[name].insert_many(new, ordered=False)
        for lead in database.leads.aggregate([{"$sample": {"size": max(1, count // DUPLICATED)}}]):
            database.leads.insert_one({**lead, "_id": ObjectId()})
    _prepare(url)


def _fill_sqlite(url: str, count: int) -> None:
    import json

    _prepare(url)
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as database:
        for pragma in ("synchronous = OFF", "cache_size = -500000"):
            database.execute(f"PRAGMA {pragma}")
        for batch in batched(made_up(count), AT_ONCE):
            rows = {
                "leads": [lead_row(lead) for lead, _, report in batch if report is None],
                "syncrecords": [record_row(record) for _, record, _ in batch if record],
                "reports": [
                    {"_id": report["_id"], "document": json.dumps(report, default=str)}
                    for _, _, report in batch
                    if report
                ],
            }
            for table, new in rows.items():
                if new:
                    names, marks = ", ".join(f'"{name}"' for name in new[0]), ", ".join("?" * len(new[0]))
                    insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 names of columns
                    database.executemany(insert, [list(row.values()) for row in new])
    database.close()


def _prepare(url: str) -> None:
    storage = open_storage(url)
    storage.prepare()
    storage.close()


if __name__ == "__main__":
    seed(sys.argv[1], int(sys.argv[2]))
