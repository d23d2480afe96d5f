"""How to tell which lead a report, or an edited lead, belongs to: contract/database.md, implemented again
for the tests, without syncctl's code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Any

from tests.support.webapp import Lead, Report

MIDNIGHT_IN_INDIA = time(18, 30)
"""Midnight in India, in UTC: what the old program stored for a file's day when it ran there."""

SNAPSHOT_FIELDS = ("leadData", "leadSnapshot", "beforeSnapshot")
NAMES = {
    "leadType": ("leadType", "lead_type"),
    "bookingNo": ("bookingNo", "booking_number", "booking_no"),
    "phone": ("phone", "phone_number"),
    "name": ("name", "lead_name"),
    "store": ("store",),
}
"""Names of a lead's field in reports."""

CREATED, VISITED = ("createdAt", "created_at"), ("enquiryDate", "enquiry_date", "visitDate", "visit_date")


class Level(IntEnum):
    """How strongly a report and a record match, weakest first."""

    NOT = 0
    NO_NUMBER_NO_DATES = 1
    DAY = 2
    INSTANT = 3
    BOOKING = 4
    ID = 5


@dataclass
class Facts:
    """Everything that a document says about its lead, before and after edits."""

    ids: set[str] = field(default_factory=set)
    said: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in NAMES})
    instants: set[datetime] = field(default_factory=set)
    days: set[date] = field(default_factory=set)

    def agree(self, other: "Facts", name: str) -> bool:
        """Whether both have a value of a field in common."""
        return bool(self.said[name] & other.said[name])


def of_report(report: Report) -> Facts:
    """The facts in a report of any shape; dates may be text, as in SQLite."""
    facts = Facts(ids={str(report["id"])} if report.get("id") else set())
    for part in [report, *(report[name] for name in SNAPSHOT_FIELDS if isinstance(report.get(name), dict))]:
        _take_in(facts, part)
    return facts


def of_lead(lead: Lead) -> Facts:
    """The facts in a lead, or in a source's values."""
    facts = Facts(ids={str(lead["_id"])} if lead.get("_id") else set())
    _take_in(facts, lead)
    return facts


def level(known: Facts, record: Facts) -> Level:
    """How well a report, or an edited lead, matches this record on its own: another may match better."""
    if known.ids and record.ids:
        return Level.ID if known.ids & record.ids else Level.NOT
    if not known.agree(record, "leadType"):
        return Level.NOT
    phone, name, store = (known.agree(record, field) for field in ("phone", "name", "store"))
    undated = not (known.instants or known.days or known.said["bookingNo"])
    levels = {
        Level.BOOKING: known.agree(record, "bookingNo"),
        Level.INSTANT: known.instants & record.instants and (phone or name or store),
        Level.DAY: known.days & record.days and (phone or (name and store)),
        Level.NO_NUMBER_NO_DATES: undated and phone and name and store,
    }
    return max((which for which, holds in levels.items() if holds), default=Level.NOT)


def agreeing(known: Facts, record: Facts) -> int:
    """How many identifying fields agree: within a level, the most win."""
    return sum(known.agree(record, name) for name in ("phone", "name", "store"))


def day_of(moment: datetime) -> date:
    """The day meant by a file's date: the next one if it is midnight in India."""
    if moment.time() == MIDNIGHT_IN_INDIA:
        return (moment + timedelta(days=1)).date()
    return moment.date()


def has_time_of_day(moment: datetime) -> bool:
    """Whether it is more than a file's day."""
    return moment.time() not in (time(), MIDNIGHT_IN_INDIA)


def _take_in(facts: Facts, part: Mapping[str, Any]) -> None:
    for name, titles in NAMES.items():
        for title in titles:
            for key in (title, f"{title}_before", f"{title}_after"):
                if part.get(key):
                    facts.said[name].add(_folded(str(part[key])))
    for key in CREATED:
        if moment := _moment(part.get(key)):
            # A flat report's createdAt is its own, not the lead's.
            if key == "createdAt" and "report_id" in part:
                continue
            if has_time_of_day(moment):
                facts.instants.add(moment.replace(microsecond=0))
            else:
                facts.days.add(day_of(moment))
    facts.days |= {day_of(moment) for key in VISITED if (moment := _moment(part.get(key)))}


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else None
