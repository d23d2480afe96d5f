"""A lead's document: a new one as the web app's own code would have filled it, and what an edit shows by."""

from __future__ import annotations

from datetime import datetime

from syncctl.domain.lead_values import Document
from syncctl.domain.records import SourceRecord

NOT_CALLED = "Not Called"
NO_STATUS = "No Status"


def new_lead(record: SourceRecord, first_seen_at: datetime) -> Document:
    """The document to insert, with Mongoose's defaults (contract/database.md).

    `first_seen_at` (wall clock marked as UTC) stands in where the source gives no date of its own.
    """
    created_at = record.values.get("createdAt", first_seen_at)
    return {
        "_id": record.lead_id,
        "remarks": "",
        **record.values,
        "callStatus": NOT_CALLED,
        "leadStatus": NO_STATUS,
        "followUpFlag": False,
        "assignedTo": None,
        "createdAt": created_at,
        "updatedAt": created_at,
        "__v": 0,
    }


TELECALLERS_OWN = ("followUpFlag", "followUpDate", "callDate", "rating", "assignedTo", "assignedAt")
"""Fields that no source tells: only a telecaller, or who assigns the leads, fills them."""


def is_touched(lead: Document) -> bool:
    """Whether a telecaller has worked on a lead: `updatedAt` has moved, a status is not the default, or a
    field of their own is filled. What is not there tells nothing."""
    return (
        lead.get("updatedAt") not in (None, lead.get("createdAt"))
        or (lead.get("callStatus") or NOT_CALLED) != NOT_CALLED
        or (lead.get("leadStatus") or NO_STATUS) != NO_STATUS
        or any(lead.get(field) for field in TELECALLERS_OWN)
    )
