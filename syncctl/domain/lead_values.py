"""A lead's fields: as its source gives them, as the database holds them, and as a change sets them.

Dates of leads are the source's wall-clock time marked as UTC, as `contract/database.md` wants them; every
other instant is true UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

Document = dict[str, Any]
"""A database document by its field names; `_id` is a string (24 hex digits for an ObjectId)."""


class LeadValues(TypedDict, total=False):
    """What the source says of a lead, by the field names of the `leads` collection; absent ones left out.

    The fields that the code names; all that there are stand in `lead_fields.SOURCE_FIELDS`."""

    leadType: str
    source: str
    name: str
    phone: str
    store: str
    bookingNo: str
    enquiryDate: datetime
    visitDate: datetime
    functionDate: datetime
    returnDate: datetime
    createdAt: datetime
    securityAmount: float
    enquiryType: str
    closingStatus: str
    reason: str
    reasonCollectedFromStore: str
    attendedBy: str
    remarks: str


class LeadChange(NamedTuple):
    """Fields of one lead to set; None stands for a field that is null or not there."""

    lead_id: str

    expected: Mapping[str, Any]
    """What the fields were read as."""

    values: Mapping[str, Any]
    """What to set them to."""
