"""The telecallers' web app, as far as tests need it: edits, finishes, deletes and adds leads."""

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from bson import ObjectId
from pymongo import MongoClient

Lead = dict[str, Any]
Report = dict[str, Any]
Shape = Callable[[Lead, Lead, datetime], Report]

TELECALLER = ObjectId("65f000000000000000000001")
"""Who finishes leads (`editedBy`), a made-up document of `users`."""

IDENTITY = ("phone", "name", "store", "bookingNo")
"""Fields that no page can edit; people edit them in the database, and reports show no trace of it."""

REPORT_NAMES = {"name": "lead_name", "phone": "phone_number", "bookingNo": "booking_number", "__v": "_v"}
"""What a flat report calls a lead's field, where that is not just the same in snake case."""

DEFAULTS: Lead = {
    "callStatus": "Not Called",
    "leadStatus": "No Status",
    "functionDate": None,
    "enquiryDate": None,
    "visitDate": None,
    "returnDate": None,
    "createdAt": None,
    "assignedTo": None,
    "attendedBy": "",
    "bookingNo": None,
    "securityAmount": None,
    "remarks": "",
    "reasonCollectedFromStore": "",
    "source": None,
    "followUpFlag": False,
    "__v": 0,
}
"""Values that every page writes for missing fields."""


@dataclass(frozen=True)
class Page:
    """A page of the app on which leads are finished."""

    lead_types: frozenset[str]
    """The types it shows."""

    becomes: str | None = None
    """The type it changes them to."""

    notes_type: bool = False
    """Whether it always records the type before and after."""


PAGES = {
    "booking page": Page(frozenset({"bookingConfirmation"})),
    "return page": Page(frozenset({"return"})),
    "loss of sale page": Page(frozenset({"lossOfSale", "general"}), becomes="lossOfSale"),
    "general page": Page(frozenset({"general"}), notes_type=True),
    "just dial page": Page(frozenset({"justDial"})),
    "any lead page": Page(frozenset({"bookingConfirmation", "return", "lossOfSale", "general", "justDial"})),
}


def pages_for(lead: Lead) -> list[str]:
    """The pages on which this lead can be finished, its own first."""
    own_first = sorted(PAGES, key=lambda name: len(PAGES[name].lead_types))
    return [name for name in own_first if lead["leadType"] in PAGES[name].lead_types]


def any_shape(lead: Lead, shape: str) -> str:
    """This shape, or that of the "any lead" page if its page does not show the lead."""
    return shape if shape not in PAGES or shape in pages_for(lead) else "any lead page"


def report_name(field: str) -> str:
    """A lead field's name in a flat report."""
    return REPORT_NAMES.get(field) or re.sub(r"[A-Z]", lambda letter: f"_{letter.group().lower()}", field)


def page_report(page: str, before: Lead, after: Lead, now: datetime) -> Report:
    """What a page of today's app writes (docs/contract/reports has one of each): the lead as it is
    now, without its id, and before and after of what the page changed."""
    shown = PAGES[page]
    assert before["leadType"] in shown.lead_types, f"the {page} shows no {before['leadType']}"
    before, after = DEFAULTS | before, {**DEFAULTS, **after, "updatedAt": now}
    after["leadType"] = shown.becomes or after["leadType"]
    after.pop("_id", None)
    changed = [
        field
        for field in after
        if field not in (*IDENTITY, "updatedAt") and before.get(field) != after[field]
    ]
    if shown.notes_type and "leadType" not in changed:
        changed.append("leadType")
    report_id = ObjectId()
    report: Report = {"_id": report_id, "editedBy": TELECALLER, "editedAt": now, "note": after["remarks"]}
    report |= {
        report_name(field): value for field, value in after.items() if value is not None or field in DEFAULTS
    }
    for field in changed:
        was = before.get(field)
        report[f"{report_name(field)}_before"] = "" if was is None else was
        report[f"{report_name(field)}_after"] = after[field]
    return {**report, "createdAt": now, "updatedAt": now, "__v": 0, "report_id": str(report_id)}


def _flat(before: Lead, after: Lead, now: datetime) -> Report:
    """Today's, of the page for this type of lead."""
    return page_report(pages_for(before)[0], before, after, now)


def _flat_with_id(before: Lead, after: Lead, _now: datetime) -> Report:
    """Of an older version: fewer fields, the lead's id, and before and after of any edit."""
    report = {
        "id": str(before["_id"]),
        "lead_name": after["name"],
        "phone_number": after["phone"],
        "store": after["store"],
        "lead_type": after["leadType"],
        "booking_number": after.get("bookingNo"),
    }
    for field in IDENTITY:
        ours = "booking_no" if field == "bookingNo" else field
        if before.get(field) != after.get(field):
            report[f"{ours}_before"], report[f"{ours}_after"] = before.get(field), after.get(field)
    return report


def _without_id(lead: Lead) -> Lead:
    return {field: value for field, value in lead.items() if field != "_id"}


SHAPES: dict[str, Shape] = {
    "flat": _flat,
    "flat with id": _flat_with_id,
    "leadData": lambda before, _after, _now: {
        "leadData": {
            "phone_number": before["phone"],
            "booking_number": before.get("bookingNo"),
            "lead_name": before["name"],
            "lead_type": before["leadType"],
            "store": before["store"],
        }
    },
    "leadSnapshot": lambda before, _after, _now: {"leadSnapshot": _without_id(before)},
    "beforeSnapshot": lambda before, after, _now: {
        "beforeSnapshot": _without_id(before),
        "leadSnapshot": _without_id(after),
    },
}
"""Every shape of report that a database may hold (contract/database.md), for any type of lead."""

MOSTLY_CURRENT_SHAPES = (*PAGES, *SHAPES)
"""Shapes for telecallers of a random history: mostly today's."""


def report_of(
    lead: Lead, shape: str, edits: Mapping[str, Any] | None = None, at: datetime | None = None
) -> Report:
    """The report of a lead finished with these edits. `shape`: one of SHAPES or PAGES. Pages leave no
    trace of an edited phone, name, store or booking number, and neither does this."""
    now = at or datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    after = {**lead, **(edits or {})}
    return page_report(shape, lead, after, now) if shape in PAGES else SHAPES[shape](lead, after, now)


class WebApp(Protocol):
    """One database as the web app uses it; ids are texts."""

    def leads(self, **fields: str) -> list[Lead]: ...
    def insert(self, lead: Lead) -> str: ...
    def edit(self, lead_id: str, **changes: Any) -> None: ...
    def delete(self, lead_id: str) -> None: ...
    def add_report(self, report: Report) -> str: ...
    def reports(self) -> list[Report]: ...
    def remove_report(self, report_id: str) -> None: ...
    def add(self, collection: str, document: dict[str, Any]) -> None: ...
    def log_sync(self, sync_type: str, at: datetime) -> None: ...
    def all(self, collection: str) -> list[dict[str, Any]]: ...


def finish(app: WebApp, lead: Lead, shape: str, **edits: Any) -> str:
    """Finish a lead as the app does: add its report, then delete it. Returns the report's id."""
    return finish_at(app, datetime.now(UTC), lead, shape, edits)


def finish_at(app: WebApp, now: datetime, lead: Lead, shape: str, edits: Mapping[str, Any]) -> str:
    """The same at a given instant."""
    report_id = app.add_report(report_of(lead, shape, edits, now))
    app.delete(lead["_id"])
    return report_id


def old_lead(lead: Lead) -> Lead:
    """The lead as inserted by the old system: under a random id."""
    return {**lead, "_id": str(ObjectId())}


def bring_back(app: WebApp, lead: Lead, at: datetime) -> str:
    """Store a lead like the app's own scheduler, which only looks in `leads`. Returns its id."""
    return app.insert({**lead, "_id": f"{int(at.timestamp()):08x}{uuid.uuid4().hex[:16]}"})


class MongoApp:
    """The web app on MongoDB."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
        self._database = self._client.get_default_database()

    def close(self) -> None:
        self._client.close()

    def leads(self, **fields: str) -> list[Lead]:
        return [{**lead, "_id": str(lead["_id"])} for lead in self._database.leads.find(fields)]

    def insert(self, lead: Lead) -> str:
        document = {**lead, "_id": ObjectId(lead["_id"])} if "_id" in lead else dict(lead)
        return str(self._database.leads.insert_one(document).inserted_id)

    def edit(self, lead_id: str, **changes: Any) -> None:
        changed = {"updatedAt": datetime.now(UTC).replace(microsecond=0), **changes}
        done = self._database.leads.update_one({"_id": ObjectId(lead_id)}, {"$set": changed})
        assert done.matched_count == 1

    def delete(self, lead_id: str) -> None:
        assert self._database.leads.delete_one({"_id": ObjectId(lead_id)}).deleted_count == 1

    def add_report(self, report: Report) -> str:
        return str(self._database.reports.insert_one(dict(report)).inserted_id)

    def reports(self) -> list[Report]:
        return [{**report, "_id": str(report["_id"])} for report in self._database.reports.find()]

    def remove_report(self, report_id: str) -> None:
        assert self._database.reports.delete_one({"_id": ObjectId(report_id)}).deleted_count == 1

    def add(self, collection: str, document: dict[str, Any]) -> None:
        self._database[collection].insert_one(dict(document))

    def log_sync(self, sync_type: str, at: datetime) -> None:
        entry = {"syncType": sync_type, "trigger": "auto", "lastSyncAt": at, "lastSyncCount": 4}
        rest = {"status": "success", "errorMessage": None, "createdAt": at, "updatedAt": at, "__v": 0}
        self._database.synclogs.insert_one(entry | rest)

    def all(self, collection: str) -> list[dict[str, Any]]:
        return list(self._database[collection].find())


class SqliteApp:
    """The same on SQLite, where columns are named like the fields."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.row_factory = sqlite3.Row

    def close(self) -> None:
        self._database.close()

    def leads(self, **fields: str) -> list[Lead]:
        wanted = "".join(f" AND {name} = ?" for name in fields)
        query = f"SELECT * FROM leads WHERE true{wanted}"  # noqa: S608
        return [self._lead(dict(row)) for row in self._database.execute(query, [*fields.values()])]

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
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return str(value) if isinstance(value, ObjectId) else value

    def insert(self, lead: Lead) -> str:
        document = {"_id": uuid.uuid4().hex[:24], **lead}
        self.add("leads", document)
        return str(document["_id"])

    def add(self, collection: str, document: dict[str, Any]) -> None:
        names = ", ".join(f'"{name}"' for name in document)
        marks = ", ".join("?" * len(document))
        values = [self._stored(value) for value in document.values()]
        self._database.execute(f"INSERT INTO {collection} ({names}) VALUES ({marks})", values)  # noqa: S608

    def edit(self, lead_id: str, **changes: Any) -> None:
        changed = {"updatedAt": datetime.now(UTC).replace(microsecond=0), **changes}
        names = ", ".join(f"{name} = ?" for name in changed)
        values = [*map(self._stored, changed.values()), lead_id]
        done = self._database.execute(f"UPDATE leads SET {names} WHERE _id = ?", values)  # noqa: S608
        assert done.rowcount == 1

    def delete(self, lead_id: str) -> None:
        assert self._database.execute("DELETE FROM leads WHERE _id = ?", (lead_id,)).rowcount == 1

    def add_report(self, report: Report) -> str:
        report_id = str(report.get("_id", uuid.uuid4().hex[:24]))
        document = json.dumps(_without_id(report), default=self._stored)
        self._database.execute("INSERT INTO reports VALUES (?, ?)", (report_id, document))
        return report_id

    def reports(self) -> list[Report]:
        return [{**json.loads(row["document"]), "_id": row["_id"]} for row in self.all("reports")]

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
