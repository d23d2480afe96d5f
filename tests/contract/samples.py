"""Made-up leads, records, rejects and the like, told apart by a number."""

from datetime import UTC, datetime, timedelta
from typing import Any

from syncctl.domain.dialects import Dialect, Mode, Trial, Verdict
from syncctl.domain.lead_values import Document, LeadValues
from syncctl.domain.records import Correction, CorrectionOutcome, Reject, SyncRecord
from syncctl.domain.requests import BodyForm
from syncctl.domain.sources import LeadType, StepName

MOMENT = datetime(2025, 2, 1, 8, 59, 27, 123000, tzinfo=UTC)

HOSTILE_TEXTS = (
    "$where",
    "$a",
    "a.b",
    ".",
    "",
    '{"$gt": ""}',
    "'; DROP TABLE leads; --",
    'say "hi"',
    "two\nlines\tand a tab",
    "\\",
    "%_*?",
    "😀 അനഘ",
    "x" * 5000,
)


def text_id(number: int) -> str:
    return f"{number:024x}"


def phone(number: int) -> str:
    return f"9{number:09}"


def lead(number: int, **changes: Any) -> Document:
    """A whole lead as a sync stores it."""
    return {
        "_id": text_id(number),
        "leadType": LeadType.BOOKING,
        "source": "Booking",
        "name": f"Customer {number}",
        "phone": phone(number),
        "store": "Suitor Guy - Calicut",
        "bookingNo": f"2025{number:09}",
        "functionDate": datetime(2025, 3, 1, 0, 0, tzinfo=UTC),
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
        "securityAmount": 1500.5,
        "remarks": "",
        "callStatus": "Not Called",
        "leadStatus": "No Status",
        "followUpFlag": False,
        "assignedTo": None,
        "__v": 0,
        **changes,
    }


def record(number: int, **changes: Any) -> SyncRecord:
    """The record of `lead(number)`."""
    values: LeadValues = {
        "leadType": LeadType.BOOKING,
        "name": f"Customer {number}",
        "phone": phone(number),
        "createdAt": MOMENT,
        "securityAmount": 1500.5,
    }
    fields: dict[str, Any] = {
        "record_id": text_id(number),
        "key": f"booking {number}",
        "lead_id": text_id(number),
        "source": "booking",
        "location": "7",
        "values": values,
        "fingerprint": f"print {number}",
        "first_seen_at": MOMENT,
        "first_run_id": "run 1",
    }
    return SyncRecord(**{**fields, **changes})


CORRECTION = Correction(MOMENT, phone(1), CorrectionOutcome.TAKEN, "run 2")


def reject(number: int, **changes: Any) -> Reject:
    fields: dict[str, Any] = {
        "reject_id": text_id(number),
        "source": "booking",
        "location": "7",
        "store": "Suitor Guy - Calicut",
        "position": f"row {number}",
        "reason": "no phone number",
        "row": '{"customerName": "Customer"}',
        "run_id": "run 1",
        "rejected_at": MOMENT,
    }
    return Reject(**{**fields, **changes})


DIALECT = Dialect(
    report=StepName.RETURN,
    mode=Mode.MONTHS,
    months=3,
    form=BodyForm.WITHOUT_EMPTY,
    whole_form=BodyForm.ALL_KEYS,
    since=MOMENT - timedelta(days=40),
    measured_at=MOMENT + timedelta(microseconds=1),
    trials=(
        Trial(
            MOMENT, "7", "2025-01-24 to 2025-02-02", BodyForm.ALL_KEYS, Verdict.FAILED, 900, 20, 0, 0, "no\n"
        ),
        Trial(MOMENT, "$a.b", "3 months", BodyForm.WITHOUT_EMPTY, Verdict.AGREES, 900, 60, 60, 2),
    ),
    lost_by="location 7, asked for 1 month, left out 3 of 60 rows",
)
"""A report's dialect with a value in every field."""
