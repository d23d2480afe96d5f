"""The Node program that syncctl replaces, as described by contract/database.md and its logs. The web app's
own scheduler does the same API sync every ten minutes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from syncctl.sandbox import Sandbox
from tests.support.duplicates import object_id
from tests.support.oracle import key_and_lead
from tests.support.webapp import Lead, MongoApp, SqliteApp

REPORTS = {"booking": "bookingConfirmation", "return": "return"}
SNAPSHOT_FIELDS = ("leadData", "leadSnapshot", "beforeSnapshot")
DEFAULT_STORE = "Default Store"
INDIA = ZoneInfo("Asia/Kolkata")


@dataclass
class OldSystem:
    """The old system keeps no records of what it did."""

    app: MongoApp | SqliteApp
    rng: Random

    stores: Mapping[str, str]
    """The locations that it asks, with their store names."""

    zone: tzinfo = UTC
    """The machine's time zone, in which it reads a file's days."""

    def sync_api(self, sandbox: Sandbox, now: datetime, trigger: str = "manual") -> list[Lead]:
        """Save every item row whose booking number, phone and type no lead had at the start, so that a
        booking's rows become as many copies. It recognizes finished leads only by the older report shapes,
        and deleted ones not at all. Returns the saved leads."""
        saved: list[Lead] = []
        for report, lead_type in REPORTS.items():
            there = {_number_and_phone(lead) for lead in self.app.leads(leadType=lead_type)}
            there |= self._finished(lead_type)
            rows = [
                lead
                for location, store in self.stores.items()
                for row in sandbox.rows(report, location)
                if not isinstance(outcome := key_and_lead(report, row, store), str)
                for lead in [outcome[1]]
            ]
            new = [lead for lead in rows if _number_and_phone(lead) not in there]
            saved += [self._insert(lead, now) for lead in new]
            self._log(report, trigger, now, len(new))
        return saved

    def import_file(
        self, kind: str, store: str, rows: Iterable[Mapping[str, str]], now: datetime
    ) -> list[Lead | None]:
        """Save the rows that match no lead by phone, name, type, store and date; None for the others.
        `store`: as it derived it from the file's name, misspelled or `Default Store`."""
        saved: list[Lead | None] = []
        for row in rows:
            lead = self._lead_of_row(kind, store, row)
            there = map(_visit, self.app.leads(phone=lead["phone"]))
            saved.append(None if _visit(lead) in there else self._insert(lead, now))
        self._log(kind, "manual", now, len([lead for lead in saved if lead]))
        return saved

    def _lead_of_row(self, kind: str, store: str, row: Mapping[str, str]) -> Lead:
        is_loss = kind == "lossofsale" or "Loss" in row["Status"]
        day = self._day(row["Date"])
        lead: Lead = {
            "leadType": "lossOfSale" if is_loss else "general",
            "source": "Loss of Sale" if is_loss else "Walk-in",
            "name": row["Customer Name"],
            "phone": row["Contact"],
            "store": store,
            "enquiryDate": day,
            "visitDate": day if kind == "lossofsale" else None,
            "functionDate": self._day(row["Function Date"]),
            "attendedBy": row["Staff"],
            "closingStatus": row["Status"],
            "enquiryType": row["Category"],
            "reason": row["Category"] if is_loss else None,
            "reasonCollectedFromStore": row["Category"] if is_loss else None,
            "remarks": row["Remarks"],
            "createdAt": day,
            "updatedAt": day,
            "callStatus": "Not Called",
            "leadStatus": "No Status",
            "followUpFlag": False,
            "__v": 0,
        }
        return {name: value for name, value in lead.items() if value is not None} | {"assignedTo": None}

    def _day(self, written: str) -> datetime | None:
        """A file's day as JavaScript's Date reads it: midnight in the machine's time zone."""
        if not written:
            return None
        day = date(*map(int, reversed(written.split("-"))))
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def _finished(self, lead_type: str) -> set[tuple[str, str]]:
        """Booking numbers and phones in the report shapes it knows."""
        parts: list[dict[str, Any]] = [
            report[name] for report in self.app.reports() for name in SNAPSHOT_FIELDS if name in report
        ]
        return {
            (
                part.get("bookingNo") or part.get("booking_number") or "",
                part.get("phone") or part.get("phone_number") or "",
            )
            for part in parts
            if lead_type in (part.get("leadType"), part.get("lead_type"))
        }

    def _insert(self, lead: Lead, now: datetime) -> Lead:
        lead = {"_id": object_id(self.rng, now), **lead}
        self.app.insert(lead)
        return lead

    def _log(self, sync_type: str, trigger: str, now: datetime, count: int) -> None:
        self.app.add(
            "synclogs",
            {
                "syncType": sync_type,
                "trigger": trigger,
                "lastSyncAt": now,
                "lastSyncCount": count,
                "status": "success",
                "errorMessage": None,
                "createdAt": now,
                "updatedAt": now,
                "__v": 0,
            },
        )


def _number_and_phone(lead: Lead) -> tuple[str, str]:
    return lead.get("bookingNo") or "", lead["phone"]


def _visit(lead: Lead) -> tuple[Any, ...]:
    return tuple(lead.get(name) for name in ("phone", "name", "leadType", "store", "createdAt"))
