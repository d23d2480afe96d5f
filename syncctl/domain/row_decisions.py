"""What an import does to each row of a file, as data: a preview shows it, an import applies it."""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

TITLES = ("file", "sheet", "row number", "action", "reason", "name", "phone", "store", "lead id")
"""The first columns of a preview's file; by them it is not taken for a store's."""


class RowAction(StrEnum):
    """What happens to a row."""

    CREATE = "create"
    """It becomes a new lead."""

    UPDATE = "update"
    """Its news go into its lead."""

    KEEP = "keep"
    """Its lead stays as it is, or stays deleted."""

    FINISHED = "finished"
    """A telecaller has finished its lead."""

    MERGE = "merge"
    """A later row of the same record counts instead."""

    REJECT = "reject"
    """It can't become a lead."""


class Reason(StrEnum):
    """Why; a rejected row has a sentence of its own instead."""

    NEW = "new"
    NEWS = "the file has something new"
    GAPS = "the file fills empty fields"
    SAME = "nothing new"
    TELECALLER = "a telecaller's value stays"
    DELETED = "a person deleted the lead: it stays away"
    FINISHED = "a telecaller has finished the lead"
    LATER_ROW = "a later row for the same customer and day counts"

    EDITED_MEANWHILE = "a person edited the lead during the import: the next one merges it"
    GONE_MEANWHILE = "the lead was deleted or finished during the import"
    STORED_MEANWHILE = "another run stored it during the import"


class FieldDecision(NamedTuple):
    """A field of a lead; None stands for no value."""

    field: str

    now: Any
    """What the lead has."""

    file: Any
    """What the file says."""

    becomes: Any
    """What the lead will have."""

    is_conflict: bool = False
    """Whether the file and a telecaller have both changed it: the telecaller's value stays."""

    @property
    def is_change(self) -> bool:
        """Whether the lead gets another value."""
        return bool(self.becomes != self.now)


class RowDecision(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """What an import does to a row, and why."""

    file: str
    """What logs call the file."""

    sheet: str
    """"" for a CSV."""

    row: int
    """As a spreadsheet shows it."""

    action: RowAction

    reason: str
    """A Reason, or why the row is rejected."""

    name: str
    """As in the file; "" where it has none."""

    phone: str
    """Ten digits; of a rejected row what its cell holds."""

    store: str
    """Canonical; "" where it is unknown."""

    lead_id: str | None
    """The lead, also one that is to be created; None: the row alone has none."""

    fields: tuple[FieldDecision, ...] = ()
    """What the file says of the lead, field by field; of a rejected row nothing."""

    @property
    def changes(self) -> list[FieldDecision]:
        """The fields that get another value, and those where a telecaller's value stays."""
        return [field for field in self.fields if field.is_change or field.is_conflict]


def shown_value(value: Any) -> str | None:
    """A field's value as text: a day, or a day with its time; None where there is none."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        return str(value)
    if value.time() == time():
        return value.date().isoformat()
    return value.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
