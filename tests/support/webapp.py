"""The telecallers' web app, as far as the tests need it: it edits, finishes, deletes and types in leads."""

import json
import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from bson import ObjectId
from pymongo import MongoClient

Lead = dict[str, Any]
Shape = Callable[[Lead, Lead], dict[str, Any]]
PAIRS = (("phone", "phone"), ("booking_no", "bookingNo"), ("name", "name"), ("store", "store"))
"""What a flat report calls an edited field before and after -> the lead's name for it."""


def _flat(before: Lead, after: Lead) -> dict[str, Any]:
    report = {
        "id": str(before["_id"]),
        "lead_name": after["name"],
        "phone_number": after["phone"],
        "store": after["store"],
        "lead_type": after["leadType"],
        "booking_number": after.get("bookingNo"),
    }
    for ours, field in PAIRS:
        if before.get(field) != after.get(field):
            report[f"{ours}_before"], report[f"{ours}_after"] = before.get(field), after.get(field)
    return report


def _without_id(lead: Lead) -> dict[str, Any]:
    return {field: value for field, value in lead.items() if field != "_id"}


SHAPES: dict[str, Shape] = {
    "flat": _flat,
    "leadData": lambda before, _: {
        "leadData": {
            "phone_number": before["phone"],
            "booking_number": before.get("bookingNo"),
            "lead_name": before["name"],
            "lead_type": before["leadType"],
            "store": before["store"],
        }
    },
    "leadSnapshot": lambda before, _: {"leadSnapshot": _without_id(before)},
    "beforeSnapshot": lambda before, after: {
        "beforeSnapshot": _without_id(before),
        "leadSnapshot": _without_id(after),
    },
}


class WebApp(Protocol):
    """One database as the web app uses it; ids are texts."""

    def leads(self) -> list[Lead]: ...
    def insert(self, lead: Lead) -> str: ...
    def edit(self, lead_id: str, **changes: Any) -> None: ...
    def delete(self, lead_id: str) -> None: ...
    def add_report(self, report: dict[str, Any]) -> str: ...
    def remove_report(self, report_id: str) -> None: ...
    def log_sync(self, sync_type: str, at: datetime) -> None: ...
    def all(self, collection: str) -> list[dict[str, Any]]: ...


def finish(app: WebApp, lead: Lead, shape: str, **edits: Any) -> str:
    """Finish a lead as the app does: add its report, then delete it. Gives the report's id."""
    report_id = app.add_report(SHAPES[shape](lead, {**lead, **edits}))
    app.delete(lead["_id"])
    return report_id


def old_lead(lead: Lead) -> Lead:
    """The same lead as the old system would have inserted it: under a random id."""
    return {**lead, "_id": str(ObjectId())}


def bring_back(app: WebApp, lead: Lead, at: datetime) -> str:
    """Store a lead as the app's own scheduler does, which looks for it in `leads` only. Gives its id."""
    return app.insert({**lead, "_id": f"{int(at.timestamp()):08x}{uuid.uuid4().hex[:16]}"})


class MongoApp:
    """The web app on MongoDB."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
        self._database = self._client.get_default_database()

    def close(self) -> None:
        self._client.close()

    def leads(self) -> list[Lead]:
        return [{**lead, "_id": str(lead["_id"])} for lead in self._database.leads.find()]

    def insert(self, lead: Lead) -> str:
        document = {**lead, "_id": ObjectId(lead["_id"])} if "_id" in lead else dict(lead)
        return str(self._database.leads.insert_one(document).inserted_id)

    def edit(self, lead_id: str, **changes: Any) -> None:
        changed = {"updatedAt": datetime.now(UTC).replace(microsecond=0), **changes}
        done = self._database.leads.update_one({"_id": ObjectId(lead_id)}, {"$set": changed})
        assert done.matched_count == 1

    def delete(self, lead_id: str) -> None:
        assert self._database.leads.delete_one({"_id": ObjectId(lead_id)}).deleted_count == 1

    def add_report(self, report: dict[str, Any]) -> str:
        return str(self._database.reports.insert_one(dict(report)).inserted_id)

    def remove_report(self, report_id: str) -> None:
        assert self._database.reports.delete_one({"_id": ObjectId(report_id)}).deleted_count == 1

    def log_sync(self, sync_type: str, at: datetime) -> None:
        entry = {"syncType": sync_type, "trigger": "auto", "lastSyncAt": at, "lastSyncCount": 4}
        rest = {"status": "success", "errorMessage": None, "createdAt": at, "updatedAt": at, "__v": 0}
        self._database.synclogs.insert_one(entry | rest)

    def all(self, collection: str) -> list[dict[str, Any]]:
        return list(self._database[collection].find())


class SqliteApp:
    """The same on SQLite, where the columns are named as the fields."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row

    def close(self) -> None:
        self._database.close()

    def leads(self) -> list[Lead]:
        return [self._lead(dict(row)) for row in self._database.execute("SELECT * FROM leads")]

    @staticmethod
    def _lead(row: dict[str, Any]) -> Lead:
        lead = {field: value for field, value in row.items() if value is not None}
        for field, value in lead.items():
            if field.endswith(("Date", "At")):
                lead[field] = datetime.fromisoformat(value)
        return {**lead, "followUpFlag": bool(lead["followUpFlag"]), "assignedTo": lead.get("assignedTo")}

    @staticmethod
    def _stored(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return value

    def insert(self, lead: Lead) -> str:
        document = {"_id": uuid.uuid4().hex[:24], **lead}
        names = ", ".join(document)
        marks = ", ".join("?" * len(document))
        values = [self._stored(value) for value in document.values()]
        self._database.execute(f"INSERT INTO leads ({names}) VALUES ({marks})", values)  # noqa: S608
        return str(document["_id"])

    def edit(self, lead_id: str, **changes: Any) -> None:
        changed = {"updatedAt": datetime.now(UTC).replace(microsecond=0), **changes}
        names = ", ".join(f"{name} = ?" for name in changed)
        values = [*map(self._stored, changed.values()), lead_id]
        done = self._database.execute(f"UPDATE leads SET {names} WHERE _id = ?", values)  # noqa: S608
        assert done.rowcount == 1

    def delete(self, lead_id: str) -> None:
        assert self._database.execute("DELETE FROM leads WHERE _id = ?", (lead_id,)).rowcount == 1

    def add_report(self, report: dict[str, Any]) -> str:
        report_id = uuid.uuid4().hex[:24]
        document = json.dumps(report, default=self._stored)
        self._database.execute("INSERT INTO reports VALUES (?, ?)", (report_id, document))
        return report_id

    def remove_report(self, report_id: str) -> None:
        assert self._database.execute("DELETE FROM reports WHERE _id = ?", (report_id,)).rowcount == 1

    def log_sync(self, sync_type: str, at: datetime) -> None:
        moment = self._stored(at)
        self._database.execute(
            'INSERT INTO synclogs (syncType, "trigger", lastSyncAt, lastSyncCount, status, createdAt,'
            " updatedAt) VALUES (?, 'auto', ?, 4, 'success', ?, ?)",
            (sync_type, moment, moment, moment),
        )

    def all(self, collection: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._database.execute(f"SELECT * FROM {collection}")]  # noqa: S608


def open_app(url: str) -> MongoApp | SqliteApp:
    """The web app on the database of a DATABASE_URL."""
    return SqliteApp(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else MongoApp(url)
