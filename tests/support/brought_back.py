"""Finished or deleted leads that exist again, as the web app's own scheduler creates them."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from syncctl.domain.identity import derived_id, fingerprint
from syncctl.domain.lead_values import LeadValues
from syncctl.domain.records import SyncRecord
from syncctl.locations import load_locations
from syncctl.services.cleanup.duplicates import cleanup_key
from tests.support.duplicates import object_id
from tests.support.webapp import Lead, MongoApp, SqliteApp

TELECALLER = "65f0000000000000000000aa"
FINISHED_AT = datetime(2026, 3, 1, 20, 30, 7, tzinfo=UTC)
"""In Kolkata it is the 2nd."""

FIRST_SEEN = datetime(2026, 1, 5, 9, 30, 0, 250000, tzinfo=UTC)

NAMES = {
    "name": "lead_name",
    "phone": "phone_number",
    "store": "store",
    "leadType": "lead_type",
    "bookingNo": "booking_number",
    "functionDate": "function_date",
    "enquiryDate": "enquiry_date",
    "visitDate": "visit_date",
    "returnDate": "return_date",
    "createdAt": "created_at",
    "source": "source",
    "securityAmount": "security_amount",
    "assignedTo": "assigned_to",
}
"""What the app's pages call a lead's fields in a report (contract/reports)."""


def app_report(lead: Lead, at: datetime = FINISHED_AT, **edited: Any) -> dict[str, Any]:
    """The report that today's app writes for a lead that was `edited` in the database; it lacks the lead's
    id."""
    current = {**lead, **edited}
    return {
        "editedBy": TELECALLER,
        "editedAt": at,
        "note": "will come",
        **{ours: current.get(field) for field, ours in NAMES.items()},
        "call_status": "Connected",
        "lead_status": "Confirmed",
        "call_status_before": "Not Called",
        "call_status_after": "Connected",
        "lead_status_before": "No Status",
        "lead_status_after": "Confirmed",
        "createdAt": at,
        "updatedAt": at,
        "__v": 0,
    }


def add_telecaller(app: MongoApp | SqliteApp, name: str) -> None:
    """Let the app know TELECALLER by name."""
    if isinstance(app, SqliteApp):
        app._database.execute("INSERT INTO users VALUES (?, ?)", (TELECALLER, name))
    else:
        app._database.users.insert_one({"_id": TELECALLER, "name": name})


def known(lead: Lead, **changes: Any) -> SyncRecord:
    """The record of a lead that the sync has seen as it is."""
    key = cleanup_key(lead, load_locations())
    assert key is not None
    values = LeadValues(
        **{  # type: ignore[typeddict-item]
            field: value for field, value in lead.items() if field in LeadValues.__annotations__
        }
    )
    fields: dict[str, Any] = {
        "record_id": derived_id(key),
        "key": key,
        "lead_id": lead["_id"],
        "source": "booking",
        "location": "7",
        "values": values,
        "fingerprint": fingerprint(values),
        "first_seen_at": FIRST_SEEN,
        "first_run_id": "run 1",
    }
    return SyncRecord(**{**fields, **changes})


def brought_back(lead: Lead, rng: Random, at: datetime = FIRST_SEEN + timedelta(days=60)) -> Lead:
    """The lead as another program stores it again at that time."""
    return {**lead, "_id": object_id(rng, at)}
