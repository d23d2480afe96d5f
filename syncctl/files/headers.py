"""Which columns a table has: the header row recognised, however its titles are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from syncctl.files.cells import Cell, Record, as_text

DATE = "date"
NAME = "name"
PHONE = "phone"
FUNCTION_DATE = "function date"
STAFF = "staff"
STATUS = "status"
CATEGORY = "category"
SUB_CATEGORY = "sub category"
REMARKS = "remarks"
NOTES = "notes"
COMMENTS = "comments"
OTHER_COMMENTS = "other comments"
OTHER_WALK_IN = "other walk in"
FOLLOW_UP = "follow up"
REASON_FROM_STORE = "reason from store"
REASON = "reason"
STORE = "store"

TITLES: dict[str, tuple[str, ...]] = {
    DATE: ("Date", "Walk-in Date", "Enquiry Date", "Visit Date"),
    NAME: ("Customer Name", "Name", "Customer"),
    PHONE: (
        *("Contact", "Contact No", "Contact Number", "Number", "Phone", "Phone No", "Phone Number"),
        *("Mobile", "Mobile No", "Mobile Number"),
    ),
    FUNCTION_DATE: ("Function Date", "Event Date", "Date of Function"),
    STAFF: ("Staff", "Staff Name", "Attended By"),
    STATUS: ("Status",),
    CATEGORY: ("Category",),
    SUB_CATEGORY: ("Sub Category",),
    REMARKS: ("Remarks", "Remark"),
    NOTES: ("Notes",),
    COMMENTS: ("Comments", "Comment"),
    OTHER_COMMENTS: ("Other Comments",),
    OTHER_WALK_IN: ("Other Walk In",),
    FOLLOW_UP: ("Follow Up",),
    REASON_FROM_STORE: ("Reason from store/followup", "Reason from store"),
    REASON: ("Reason", "Reason from Telecaller"),
    STORE: ("Store", "Store Name", "Branch", "Location"),
}
"""The titles that each column is known by (contract/files.md, layouts A and B)."""

DATE_COLUMNS = (DATE, FUNCTION_DATE)
"""Where a number may be Excel's serial number of a day."""

HEADER_WITHIN = 50
"""The header stands in the first so many rows of a sheet that are not blank."""

_LETTERS = 26


def fold(written: str) -> str:
    """Text for comparing: its letters and digits only, whatever their case."""
    return "".join(filter(str.isalnum, written.casefold()))


_COLUMN_OF = {fold(title): column for column, titles in TITLES.items() for title in titles}


def column_of(title: str) -> str | None:
    """The column that a title stands for, None where it stands for none that is known."""
    return _COLUMN_OF.get(fold(title))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a header row.

    `titles`: each column's title as written, made unique. `columns`: the recognised columns and where each
    stands (from 0), in the order of the sheet.
    """

    titles: tuple[str, ...]
    columns: dict[str, int]

    @classmethod
    def recognise(cls, cells: Sequence[Cell]) -> Self | None:
        """The layout that this row is the header of; None where it is no header, which has to have a name, a
        phone and at least one more column that is known. Of two columns of one name the first counts."""
        columns: dict[str, int] = {}
        for position, cell in enumerate(cells):
            column = column_of(cell) if isinstance(cell, str) else None
            if column is not None:
                columns.setdefault(column, position)
        if NAME not in columns or PHONE not in columns or len(columns) < 3:
            return None
        titles: dict[str, None] = {}
        for position, cell in enumerate(cells):
            title = as_text(cell) or untitled(position)
            titles[title if title not in titles else f"{title} ({column_letters(position)})"] = None
        return cls(tuple(titles), columns)


def find_header(records: Iterable[Record]) -> Layout | None:
    """The layout that the first header among the records gives; None where there is no header."""
    return next((layout for _, cells in records if (layout := Layout.recognise(cells))), None)


def untitled(position: int) -> str:
    """What a column without a title is called."""
    return f"column {column_letters(position)}"


def column_letters(position: int) -> str:
    """A column's letters as a spreadsheet shows them: 0 is A, 26 is AA."""
    letters = ""
    rest = position + 1
    while rest:
        rest, letter = divmod(rest - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters
