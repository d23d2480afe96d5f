"""The fields of a lead, each said once: what the sources call it, how it is stored, compared and merged.

A further field is one more line here (docs/decisions/0016-a-table-of-lead-fields.md). The process that reads
workbooks imports it too: nothing that takes time to load stands here.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from syncctl.domain.sources import StepName

IN_KEY = ("phone", "store")
"""The columns that are read where a record's key is made."""


def columns_of(kind: StepName, field: LeadField) -> tuple[str, ...]:
    """The columns that a field is made of in files of this kind."""
    return field.loss_columns if field.loss_columns and kind is StepName.LOSS_OF_SALE else field.columns


def file_columns(kind: StepName) -> tuple[str, ...]:
    """The columns that leads are made of in files of this kind: what a title can stand for."""
    every = [column for field in SOURCE_FIELDS for column in columns_of(kind, field)]
    return tuple(dict.fromkeys((*every, *IN_KEY)))


def fields_of(kind: StepName, column: str) -> tuple[str, ...]:
    """The fields of a lead that a column has a part in."""
    return tuple(
        field.name
        for field in SOURCE_FIELDS
        if column in columns_of(kind, field) or (column in IN_KEY and column == field.name)
    )


NOT_CALLED = "Not Called"
NO_STATUS = "No Status"

COMMENTS = ("comments", "other comments", "other walk in", "follow up", "reason from store")
"""Comment columns of the loss-of-sale workbooks, which vary from sheet to sheet."""


class LeadField(NamedTuple):
    """A field of the `leads` collection (contract/database.md)."""

    name: str
    value_type: type = str
    """What it is stored as: text, a date or a number; `object`: whatever the web app writes."""
    api: tuple[str, ...] = ()
    """What rows of every report call it; the first that is filled counts. What only one report has is said
    in `domain/sources.py`."""
    columns: tuple[str, ...] = ()
    """The columns of the stores' files (`files/headers.py`), for text and dates; the first that is filled
    counts. A column that has no titles there is known by its own name. A file that has none of the columns
    says nothing of the field."""
    loss_columns: tuple[str, ...] = ()
    """The columns in loss-of-sale files, where they are others."""
    joined_by: str = ""
    """What stands between the texts of all filled columns; empty: only the first counts."""
    only_losses: bool = False
    """Whether a file's row has it only if it is of a lost sale."""
    edited: bool = False
    """Whether telecallers edit it, in the web app or in the database."""
    compared: bool = True
    """Whether a lead that holds another value than its source is shown to differ."""
    default: str | int | None = None
    """What a lead has that nobody gave a value; None: no such field, or null."""


# The order is that in which a person wants to read differences.
SOURCE_FIELDS = (
    LeadField("leadType", compared=False),
    LeadField("source", compared=False),
    LeadField("name", api=("customerName", "name", "Name", "CustomerName"), columns=("name",), edited=True),
    # The columns of phone and store are read where the key is made: a file changes neither in a known lead.
    LeadField(
        "phone",
        api=("phoneNo", "phone", "Phone", "mobile", "Mobile", "customerPhone", "contact", "Contact"),
        edited=True,
    ),
    LeadField("store", edited=True),
    LeadField("bookingNo", api=("bookingNo", "bookingNumber", "BookingNo"), edited=True),
    LeadField(
        "functionDate",
        datetime,
        api=("functionDate", "eventDate", "deliveryDate", "trialDate"),
        columns=("function date",),
        edited=True,
    ),
    LeadField("returnDate", datetime),
    LeadField("enquiryDate", datetime, api=("enquiryDate", "date"), columns=("date",)),
    # The web app's list of losses shows it.
    LeadField("visitDate", datetime, columns=("date",), only_losses=True),
    # The source's own date of the record, which is not edited. A return's is its returnDate.
    LeadField("createdAt", datetime, columns=("date",), compared=False),
    LeadField("securityAmount", float),
    LeadField(
        "enquiryType",
        api=("enquiryType", "type", "category", "subCategory"),
        columns=("category", "sub category"),
        joined_by=" - ",
    ),
    LeadField("closingStatus", columns=("status",), edited=True),
    LeadField(
        "reason",
        columns=("category", "sub category", "remarks"),
        loss_columns=("reason", "category"),
        only_losses=True,
    ),
    LeadField(
        "reasonCollectedFromStore",
        columns=("category", "sub category", "remarks"),
        loss_columns=("reason", "category"),
        only_losses=True,
        edited=True,
    ),
    LeadField("attendedBy", columns=("staff",)),
    LeadField(
        "remarks",
        api=("remarks", "feedback", "notes"),
        columns=("remarks", "notes", "comments"),
        loss_columns=(*COMMENTS, "remarks", "notes"),
        edited=True,
        default="",
    ),
)
"""What a source says of a lead."""

APP_FIELDS = (
    LeadField("_id", compared=False),
    LeadField("updatedAt", datetime, compared=False),
    LeadField("callStatus", edited=True, compared=False, default=NOT_CALLED),
    LeadField("leadStatus", edited=True, compared=False, default=NO_STATUS),
    LeadField("followUpFlag", bool, edited=True, compared=False, default=False),
    LeadField("followUpDate", datetime, edited=True, compared=False),
    LeadField("callDate", datetime, edited=True, compared=False),
    LeadField("rating", object, edited=True, compared=False),
    LeadField("assignedTo", edited=True, compared=False),
    LeadField("assignedAt", datetime, edited=True, compared=False),
    LeadField("__v", int, compared=False, default=0),
)
"""What the database and the web app add to it."""

LEAD_FIELDS = {field.name: field for field in (*SOURCE_FIELDS, *APP_FIELDS)}
"""All of them by name."""

EDITED_SOURCE_FIELDS = frozenset(field.name for field in SOURCE_FIELDS if field.edited)
"""What a source says and telecallers edit nevertheless."""

DATE_FIELDS = frozenset(field.name for field in LEAD_FIELDS.values() if field.value_type is datetime)

DATE_COLUMNS = frozenset(
    column for field in SOURCE_FIELDS if field.value_type is datetime for column in field.columns
)
"""The columns of the stores' files that hold dates."""
