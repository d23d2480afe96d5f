"""The floor of a sync: the least work that moves the same rows.

Lanes fetch, decode, keep the first row of each booking, and insert fourteen fields under a unique index
(first) or look the keys up (steady), each as soon as it has an answer. No CLI, no settings, no retries, no
checks, no records beside the leads, no logs. Run as a process of its own, as a sync is:
`python -m benchmarks.floor first|steady API_URL DATABASE_URL`.
"""

import json
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import product
from typing import Any

import requests

LANES = 5
LEAD_TYPES = {"GetBookingReport": "bookingConfirmation", "GetReturnReport": "return"}
HEADERS = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}
FIELDS = (
    *("bookingNo", "phone", "leadType", "name", "store", "source", "functionDate", "createdAt"),
    *("remarks", "callStatus", "leadStatus", "followUpFlag", "assignedTo", "__v"),
)
KEY = FIELDS[:3]
OTHER_NAMES = {
    "bookingNo": ("bookingNumber", "BookingNo"),
    "phoneNo": ("mobile", "Contact"),
    "customerName": ("name", "CustomerName"),
    "bookingDate": ("booking_date", "BookingDate"),
    "returnDate": ("return_date", "ReturnDate"),
    "deliveryDate": ("functionDate", "eventDate"),
    "remarks": ("notes", "feedback"),
}
"""Those of a few bookings, as the sandbox has them."""

PLAIN = {other: name for name, others in OTHER_NAMES.items() for other in others}

Row = dict[str, Any]
Key = tuple[str, str, str]
Leads = dict[Key, tuple[Any, ...]]
Take = Callable[[Leads], int]
"""Stores or looks up the leads of an answer: how many of them are there now."""


def main(work: str, api_url: str, database_url: str) -> None:
    """Do the work of a first sync or of a steady one. Raises SystemExit where leads are missing after it."""
    take = _mongo(work, database_url) if database_url.startswith("mongodb") else _sqlite(work, database_url)
    stores = requests.get(f"{api_url}/api/Location/LocationList", timeout=30)
    codes = [str(store["locCode"]) for store in json.loads(stores.content)["dataSet"]["data"]]
    local = threading.local()

    def missing(job: tuple[str, str]) -> int:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        report, code = job
        # Months without dates bring the whole window.
        body = json.dumps({"locationID": code, "months": "12"})
        url = f"{api_url}/api/Reports/{report}"
        answer = local.session.post(url, data=body, headers=HEADERS, timeout=30)
        data = json.loads(answer.content)["dataSet"]
        leads = _first_rows(data["data"] if data else [], LEAD_TYPES[report], code)
        return len(leads) - take(leads) if leads else 0

    with ThreadPoolExecutor(LANES) as lanes:
        if count := sum(lanes.map(missing, product(LEAD_TYPES, codes))):
            raise SystemExit(f"{count} leads are missing: run `first` on an empty database, then `steady`")


def _first_rows(rows: list[Row], lead_type: str, code: str) -> Leads:
    """The first row of each booking under its plain names, as the values of FIELDS."""
    leads: Leads = {}
    for given in rows:
        row = given if "bookingNo" in given else {PLAIN.get(name, name): given[name] for name in given}
        number, phone, name = row.get("bookingNo"), row.get("phoneNo"), row.get("customerName")
        if not (number and phone and name) or (lead_type == "return" and not row["returnDate"]):
            continue
        key = (number, "".join(filter(str.isdigit, phone))[-10:], lead_type)
        if key not in leads:
            due, booked = (datetime.fromisoformat(row[field]) for field in ("deliveryDate", "bookingDate"))
            words = ((row["remarks"] or "").strip(), "Not Called", "No Status", False, None, 0)
            leads[key] = (*key, name.strip(), code, lead_type, due, booked, *words)
    return leads


def _mongo(work: str, url: str) -> Take:
    from pymongo import MongoClient

    collection = MongoClient[Row](url).get_default_database()["floor"]
    if work == "first":
        collection.create_index(list(KEY), unique=True)

    def insert(leads: Leads) -> int:
        new = [dict(zip(FIELDS, lead, strict=True)) for lead in leads.values()]
        return len(collection.insert_many(new, ordered=False).inserted_ids)

    def look_up(leads: Leads) -> int:
        numbers = [number for number, *_ in leads]
        wanted = {"_id": 0, **dict.fromkeys(KEY, 1)}
        found = collection.find({"bookingNo": {"$in": numbers}}, wanted, batch_size=100_000)
        return len(leads.keys() & {tuple(each[field] for field in KEY) for each in found})

    return insert if work == "first" else look_up


def _sqlite(work: str, url: str) -> Take:
    # One connection for all lanes: SQLite has one writer at a time anyhow.
    database = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)
    one_at_a_time = threading.Lock()
    database.execute("PRAGMA journal_mode = WAL")
    if work == "first":
        database.execute(f"CREATE TABLE floor ({', '.join(FIELDS)})")
        database.execute(f"CREATE UNIQUE INDEX floor_key ON floor ({', '.join(KEY)})")
    marks = ", ".join("?" * len(FIELDS))

    def insert(leads: Leads) -> int:
        rows = [
            (*lead[:6], *(f"{day:%Y-%m-%dT%H:%M:%S.000Z}" for day in lead[6:8]), *lead[8:])
            for lead in leads.values()
        ]
        with one_at_a_time, database:
            return database.executemany(f"INSERT INTO floor VALUES ({marks})", rows).rowcount  # noqa: S608

    def look_up(leads: Leads) -> int:
        query = f"SELECT {', '.join(KEY)} FROM floor WHERE bookingNo IN (SELECT value FROM json_each(?))"  # noqa: S608
        with one_at_a_time:
            found = database.execute(query, (json.dumps([number for number, *_ in leads]),)).fetchall()
        return len(leads.keys() & set(found))

    return insert if work == "first" else look_up


if __name__ == "__main__":
    main(*sys.argv[1:])
