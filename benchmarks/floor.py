"""The floor of a sync: the same answers fetched and decoded, the first row of each key stored or looked up.

No CLI, no settings, no retries, no checks, no logs, and nothing is mapped: what is left is the bytes' cost.
Run as a process of its own, as a sync is: `python -m benchmarks.floor first|steady API_URL DATABASE_URL`.
"""

import json
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

LANES = 5
REPORTS = ("GetBookingReport", "GetReturnReport")
HEADERS = {"Content-Type": "application/json-patch+json", "accept": "text/plain"}

NUMBERS = ("bookingNo", "bookingNumber", "BookingNo")
PHONES = ("phoneNo", "phone", "Phone", "mobile", "Mobile", "customerPhone", "contact", "Contact")

Rows = dict[str, dict[str, Any]]


def main(work: str, api_url: str, database_url: str) -> None:
    """Do the work of a first sync or of a steady one."""
    take = _mongo(work, database_url) if database_url.startswith("mongodb") else _sqlite(work, database_url)
    stores = requests.get(f"{api_url}/api/Location/LocationList", timeout=30)
    codes = [str(store["locCode"]) for store in json.loads(stores.content)["dataSet"]["data"]]
    local = threading.local()

    def fetch(report: str, code: str) -> list[dict[str, Any]]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        body = {"locationID": code, "months": "12"}
        if report == "GetReturnReport":
            body |= dict.fromkeys(
                ("bookingNo", "dateFrom", "dateTo", "userName", "fromLocation", "userID"), ""
            )
        url = f"{api_url}/api/Reports/{report}"
        answer = local.session.post(url, data=json.dumps(body), headers=HEADERS, timeout=30)
        data = json.loads(answer.content)["dataSet"]
        return data["data"] if data else []

    with ThreadPoolExecutor(LANES) as lanes:
        for report in REPORTS:
            first: Rows = {}
            for rows in lanes.map(lambda code, report=report: fetch(report, code), codes):
                for row in rows:
                    first.setdefault(f"{report} {_first(row, NUMBERS)} {_first(row, PHONES)}", row)
            take(report, first)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((value for name in names if (value := row.get(name))), None)


def _mongo(work: str, url: str) -> Callable[[str, Rows], None]:
    from pymongo import MongoClient

    leads = MongoClient[dict[str, Any]](url).get_default_database()["floor"]

    def take(_report: str, rows: Rows) -> None:
        if work == "first":
            leads.insert_many([{**row, "_id": key} for key, row in rows.items()], ordered=False)
        else:
            found = leads.find({"_id": {"$in": list(rows)}}, ["_id"], batch_size=100_000)
            _all_there(found, rows)

    return take


def _sqlite(work: str, url: str) -> Callable[[str, Rows], None]:
    database = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS floor (_id TEXT PRIMARY KEY, document TEXT)")

    def take(_report: str, rows: Rows) -> None:
        if work == "first":
            with database:
                database.executemany(
                    "INSERT INTO floor VALUES (?, ?)", ((key, json.dumps(row)) for key, row in rows.items())
                )
        else:
            wanted = json.dumps(list(rows))
            query = "SELECT _id FROM floor WHERE _id IN (SELECT value FROM json_each(?))"
            _all_there(database.execute(query, (wanted,)), rows)

    return take


def _all_there(found: Iterable[object], rows: Rows) -> None:
    if (count := sum(1 for _ in found)) != len(rows):
        raise SystemExit(f"{count} of {len(rows)} are there: run `first` before `steady`")


if __name__ == "__main__":
    main(*sys.argv[1:])
