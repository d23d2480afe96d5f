"""The expected leads, computed from the raw rows by the contract alone, without syncctl's code."""

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

Row = dict[str, Any]
Key = tuple[str, ...]

ALIASES = {
    "name": ("customerName", "name", "Name", "CustomerName"),
    "phone": ("phoneNo", "phone", "Phone", "mobile", "Mobile", "customerPhone", "contact", "Contact"),
    "bookingNo": ("bookingNo", "bookingNumber", "BookingNo"),
    "bookingDate": ("bookingDate", "booking_date", "BookingDate"),
    "returnDate": ("returnDate", "return_date", "ReturnDate"),
    "functionDate": ("functionDate", "eventDate", "deliveryDate", "trialDate"),
    "securityAmount": ("price", "securityAmount", "security", "deposit"),
    "attendedBy": ("attendedBy", "attended_by", "staff", "bookingBy", "handledBy"),
    "enquiryType": ("enquiryType", "type", "category", "subCategory"),
    "remarks": ("remarks", "feedback", "notes"),
}


NO_DAY = re.compile("(0001|1900)-01-01")


def is_empty(field: str, value: Any) -> bool:
    """By rental-api.md: an empty text, a date of 0001-01-01 or 1900-01-01, a price of 0."""
    written = str("" if value is None else value).strip()
    if field.endswith("Date"):
        return not written or NO_DAY.match(written) is not None
    return not written or (field == "securityAmount" and re.fullmatch(r"0+(\.0*)?", written) is not None)


def source_value(row: Row, field: str) -> Any:
    return next((row[name] for name in ALIASES[field] if not is_empty(field, row.get(name))), None)


def as_date(value: Any) -> datetime | None:
    return None if value is None else _read_date(str(value))


@cache
def _read_date(written: str) -> datetime:
    return datetime.strptime(written, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)


def key_and_lead(report: str, row: Row, store: str) -> tuple[Key, Row] | str:
    """A row's key and lead, or "ignored", or "invalid", also for a row that is not an object."""
    if not isinstance(row, dict):
        return "invalid"
    if source_value(row, f"{report}Date") is None:
        return "ignored"
    name, written = source_value(row, "name"), source_value(row, "phone")
    digits = re.sub(r"\D", "", str(written or ""))
    if not name or len(digits) < 9:
        return "invalid"
    phone = digits[-10:] if len(digits) >= 10 else "0" + digits
    lead_type = "bookingConfirmation" if report == "booking" else "return"
    created = as_date(source_value(row, f"{report}Date"))
    number = str(source_value(row, "bookingNo") or "").strip()
    remarks = source_value(row, "remarks")
    lead = {
        "leadType": lead_type,
        "source": "Booking" if report == "booking" else "Return",
        "name": str(name).strip(),
        "phone": phone,
        "store": store,
        "bookingNo": number or None,
        "functionDate": as_date(source_value(row, "functionDate")),
        "securityAmount": source_value(row, "securityAmount") if report == "booking" else None,
        "returnDate": created if report == "return" else None,
        "attendedBy": source_value(row, "attendedBy") if report == "return" else None,
        "enquiryType": source_value(row, "enquiryType"),
        "remarks": "" if remarks is None else str(remarks).strip(),
        "createdAt": created,
        "updatedAt": created,
        "callStatus": "Not Called",
        "leadStatus": "No Status",
        "followUpFlag": False,
        "__v": 0,
    }
    wanted = {field: value for field, value in lead.items() if value is not None} | {"assignedTo": None}
    if number:
        return (lead_type, number, phone), wanted
    return (lead_type, "", phone, " ".join(lead["name"].lower().split()), store), wanted


def key_of(lead: Row) -> Key:
    number = lead.get("bookingNo") or ""
    if number:
        return (lead["leadType"], number, lead["phone"])
    return (lead["leadType"], "", lead["phone"], " ".join(lead["name"].lower().split()), lead["store"])


class Expectation:
    """What a first sync of these reports must store."""

    def __init__(self) -> None:
        self.leads: dict[Key, Row] = {}
        self.counts = {report: {"rows": 0, "invalid": 0, "ignored": 0} for report in ("booking", "return")}

    def add(self, report: str, store: str, rows: list[Row]) -> None:
        """Add one location's rows; the first row of a key determines the lead."""
        counts = self.counts[report]
        for row in rows:
            counts["rows"] += 1
            outcome = key_and_lead(report, row, store)
            if isinstance(outcome, str):
                counts[outcome] += 1
            else:
                self.leads.setdefault(outcome[0], outcome[1])
