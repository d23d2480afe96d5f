"""A lead's document: a new one as the web app's own code would create it, and how to tell that it was
edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from syncctl.domain.lead_fields import APP_FIELDS, NO_STATUS, NOT_CALLED, SOURCE_FIELDS
from syncctl.domain.lead_values import Document
from syncctl.domain.records import SourceRecord, Write

STATUS_DEFAULTS = {"callStatus": NOT_CALLED, "leadStatus": NO_STATUS}

TELECALLER_FIELDS = tuple(
    field.name for field in APP_FIELDS if field.edited and field.name not in STATUS_DEFAULTS
)
"""Fields that no source provides: only telecallers, or whoever assigns the leads, fill them."""

_SOURCE_DEFAULTS = {field.name: field.default for field in SOURCE_FIELDS if field.default is not None}


def new_lead(record: SourceRecord, first_seen_at: datetime) -> Document:
    """The document to insert, with Mongoose's defaults (contract/database.md).

    `first_seen_at` (wall clock marked as UTC) is used where the source has no date of its own.
    """
    created_at = record.values.get("createdAt", first_seen_at)
    return {
        "_id": record.lead_id,
        **_SOURCE_DEFAULTS,
        **record.values,
        **STATUS_DEFAULTS,
        "followUpFlag": False,
        "assignedTo": None,
        "createdAt": created_at,
        "updatedAt": created_at,
        "__v": 0,
    }


UPDATED_AT = "updatedAt"
PREVIOUS_UPDATED_AT = "previousUpdatedAt"
"""Noted beside `updatedAt`: what that was before. Killed between the note and the write, the lead still has
it."""

NOTHING_WRITTEN: Mapping[str, Write] = MappingProxyType({})


def own_update(lead: Document, written: Mapping[str, Write], at: datetime) -> dict[str, Any]:
    """What is to be noted before syncctl changes a lead and sets its `updatedAt` to `at`. Nothing where a
    person has worked on it: that must show by `updatedAt` afterwards as well. `written`: as noted so far."""
    if is_touched(lead, written):
        return {}
    return {UPDATED_AT: at, PREVIOUS_UPDATED_AT: lead.get(UPDATED_AT)}


def edited_at(lead: Document, written: Mapping[str, Write] = NOTHING_WRITTEN) -> Any:
    """The lead's `updatedAt`, if the web app has moved it. `written`: as for `is_touched`."""
    moved = lead.get(UPDATED_AT)
    return None if moved in (None, lead.get("createdAt"), *_own_updates(written)) else moved


def is_touched(lead: Document, written: Mapping[str, Write] = NOTHING_WRITTEN) -> bool:
    """Whether a telecaller has worked on a lead: `updatedAt` has moved, a status is not the default, or a
    field of their own is filled. What is not there says nothing. `written`: what syncctl has noted of its
    own writes into the lead, by which `updatedAt` moves too."""
    return (
        edited_at(lead, written) is not None
        or (lead.get("callStatus") or NOT_CALLED) != NOT_CALLED
        or (lead.get("leadStatus") or NO_STATUS) != NO_STATUS
        or any(lead.get(field) for field in TELECALLER_FIELDS)
    )


def _own_updates(written: Mapping[str, Write]) -> Iterator[Any]:
    return (written[field].value for field in (UPDATED_AT, PREVIOUS_UPDATED_AT) if field in written)
