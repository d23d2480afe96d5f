"""Where the four shapes of `reports` keep what identifies the lead (contract/database.md)."""

from collections.abc import Iterable
from datetime import datetime

SNAPSHOT_FIELDS = ("leadData", "leadSnapshot", "beforeSnapshot")

LEAD_ID_PATHS = (
    "id",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOT_FIELDS for name in ("_id", "id")),
)

PHONE_PATHS = (
    "phone",
    "phone_before",
    "phone_after",
    "phone_number",
    "phone_number_before",
    "phone_number_after",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOT_FIELDS for name in ("phone", "phone_number")),
)

BOOKING_PATHS = (
    *(
        f"{name}{suffix}"
        for name in ("bookingNo", "booking_no", "booking_number")
        for suffix in ("", "_before", "_after")
    ),
    *(
        f"{snapshot}.{name}"
        for snapshot in SNAPSHOT_FIELDS
        for name in ("bookingNo", "booking_no", "booking_number")
    ),
)

NAME_PATHS = (
    "lead_name",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOT_FIELDS for name in ("name", "lead_name")),
)

CREATED_PATHS = (
    "created_at",
    *(f"{snapshot}.{name}" for snapshot in SNAPSHOT_FIELDS for name in ("createdAt", "created_at")),
)

VISIT_PATHS = (
    *CREATED_PATHS,
    "enquiry_date",
    "visit_date",
    *(
        f"{snapshot}.{name}"
        for snapshot in SNAPSHOT_FIELDS
        for name in ("enquiryDate", "enquiry_date", "visitDate", "visit_date")
    ),
)

EXACT_DIGITS = 18
"""Longer numbers don't fit into 64 bits."""


def as_stored(numbers: Iterable[str]) -> list[str | int]:
    """Phone or booking numbers as a report or lead may hold them: as text, or as a number, which has lost a
    leading 0. A number stands for any type of the same value, which the database compares as one."""
    texts = list(numbers)
    whole = (text for text in texts if text.isascii() and text.isdigit() and len(text) <= EXACT_DIGITS)
    return [*texts, *map(int, whole)]


def moments_as_stored(moments: Iterable[datetime]) -> list[datetime | str]:
    """Dates as a report may hold them: as dates, or as the text that JSON makes of them."""
    dates = list(moments)
    texts = (f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z" for moment in dates)
    return [*dates, *texts]
