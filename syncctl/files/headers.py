"""Recognizes the header row and its columns, however the titles are spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, Self, TypeAlias

from syncctl.domain.lead_fields import SOURCE_FIELDS
from syncctl.domain.row_decisions import TITLES as PREVIEW_TITLES
from syncctl.files.cells import Cell, Record, as_text

Several: TypeAlias = Cell | tuple[Cell, ...]
"""A column's cell in a row; if the column occurs more than once, all filled cells."""

SHORTEST_LIKELY, LONGEST_LIKELY = 3, 30
"""Characters of a title that is likely to mean something."""

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

_OF_PHONES = tuple(
    f"{what}{number}"
    for what in ("Contact", "Phone", "Mobile", "Ph", "Mob", "Cell", "Tel", "Telephone")
    for number in ("", " No", " Number")
)
_FIRST_PHONES, _SECOND_PHONES = ([f"{title} {number}" for title in _OF_PHONES] for number in (1, 2))

TITLES: dict[str, tuple[str, ...]] = {
    DATE: (
        *("Date", "Walk-in Date", "Enquiry Date", "Visit Date", "Date of Visit", "Date of Enquiry"),
        *("Dt", "Walk-in Dt", "Enquiry Dt", "Visit Dt"),
    ),
    NAME: ("Customer Name", "Name", "Customer", "Cust Name", "Name of Customer", "Customer's Name"),
    PHONE: ("Number", *_OF_PHONES, *_FIRST_PHONES, *_SECOND_PHONES),
    FUNCTION_DATE: ("Function Date", "Event Date", "Date of Function", "Function Dt", "Fn Date", "Event Dt"),
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
"""The known titles of each column (contract/files.md, layouts A and B)."""

TITLES |= {
    column: (column,)
    for field in SOURCE_FIELDS
    for column in (*field.columns, *field.loss_columns)
    if column not in TITLES
}

BEYOND = "beyond the header"
"""The pseudo-column for cells right of the last title."""

CANNOT_BE_READ = "cells that can't be read"

MOVED = "days from 1904"
"""The pseudo-column for how many days a row's dates were shifted because its workbook counts from 1904."""

AMBIGUOUS_TITLES = (
    (
        *("Walk-in Date", "Enquiry Date", "Visit Date", "Event Date", "Date of Function", "Attended By"),
        *("Name", "Remark", "Comment", "Store Name", "Branch", "Location", *_FIRST_PHONES),
        *("Date of Visit", "Date of Enquiry", "Dt", "Walk-in Dt", "Enquiry Dt", "Visit Dt", "Cust Name"),
        *("Name of Customer", "Customer's Name", "Function Dt", "Fn Date", "Event Dt"),
    ),
    tuple(_SECOND_PHONES),
    ("Customer", "Number"),
)
"""Titles that only count if no other title matches, most ambiguous last: "Customer" may be a number, and
"Number" anything."""

HEADER_SEARCH_ROWS = 50
"""The header must be within this many non-blank rows."""

_LETTERS = 26


def normalize_title(written: str) -> str:
    """A title reduced to its letters and digits, case-folded, for comparison."""
    return "".join(filter(str.isalnum, written.casefold()))


_COLUMN_OF = {normalize_title(title): column for column, titles in TITLES.items() for title in titles}
_RANK = {
    normalize_title(title): rank for rank, titles in enumerate(AMBIGUOUS_TITLES, start=1) for title in titles
}
_FORMAT_WORD = (
    "[dmyhs]{1,8}|[0-9]+|digits?|nos?|numbers?|only|text|format|day|month|year|first|optional|mandatory"
    "|required|compulsory|ist|inr|rs|with|without|country|code|std|eg|e|g"
)
_FORMAT = re.compile(
    rf"\s*[(\[{{<]\W*(?:(?:{_FORMAT_WORD})(?:\W+|(?=[)\]}}>])))+[)\]}}>]?\W*$"
    r"|\W+d{1,2}\W?m{2,3}\W?y{2,4}\W*$",
    re.IGNORECASE,
)
"""A unit or a format behind a title: "Date (DD-MM-YYYY)"."""

_MAY_HAVE_FORMAT = re.compile(r"[(\[{<]|yy", re.IGNORECASE)
_LONGEST_TITLE = 60
_PROBLEM_TITLES = {normalize_title(fault): fault for fault in (BEYOND, CANNOT_BE_READ)}
_MADE_UNIQUE = re.compile(r"(.*) \([A-Z]{1,3}\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Titles:
    """What each title means: those of this module, and those that a mapping file adds for a kind of file."""

    table: str = ""
    """The table of the mapping file that has this kind's titles; "" where the kind is unknown."""

    added: Mapping[str, str] = field(default_factory=dict)
    """A further title, normalized -> its column."""

    def is_title(self, written: str) -> bool:
        """Whether a text is a column's title, however it is written."""
        return self._known(written) is not None

    def columns_of(self, titles: Iterable[object]) -> dict[str, list[int]]:
        """The columns of these titles in order, with their positions (from 0), exact titles before ambiguous
        ones."""
        found: dict[str, list[tuple[tuple[int, bool], int]]] = {}
        for position, title in enumerate(titles):
            if (known := self._known(title)) is not None:
                found.setdefault(known[0], []).append((known[1], position))
        return {column: [position for _, position in sorted(places)] for column, places in found.items()}

    def _known(self, title: object) -> tuple[str, tuple[int, bool]] | None:
        """The column that a title stands for, and how vague it is; one with a format is vaguer than
        without."""
        if not isinstance(title, str) or len(title) > _LONGEST_TITLE:
            return None
        with_format = _MAY_HAVE_FORMAT.search(title)  # the quick look first: few have
        for written in (title, _FORMAT.sub("", title)) if with_format else (title,):
            folded = normalize_title(written)
            column = _COLUMN_OF.get(folded) or self.added.get(folded)
            if column is not None:
                return column, (_RANK.get(folded, 0), written is not title)
        return None


PACKAGED = Titles()
"""Without a mapping file."""


def one_or_several(cells: Sequence[Cell]) -> Several:
    """A column's value in a row, from its cells in order of precedence."""
    filled = tuple(cell for cell in cells if cell is not None)
    if len(filled) > 1:
        return filled
    return filled[0] if filled else None


def cells_of(row: Mapping[str, Cell], known: Titles = PACKAGED) -> dict[str, Several]:
    """The cells of a row by column name, from the output of `FileRow.raw` alone."""
    titles = [unique[1] if (unique := _MADE_UNIQUE.fullmatch(title)) else title for title in row]
    values = [None if value == "" else value for value in row.values()]
    cells = {
        column: one_or_several([values[position] for position in positions])
        for column, positions in known.columns_of(titles).items()
    }
    faults = {
        fault: value
        for title, value in zip(titles, values, strict=True)
        if (fault := _PROBLEM_TITLES.get(normalize_title(title)))
    }
    return cells | faults


class Layout(NamedTuple):
    """The columns of a header row."""

    titles: tuple[str, ...]
    """Each column's title as written, made unique, up to the last one."""

    columns: dict[str, int]
    """The recognized columns with their positions (from 0), in sheet order."""

    several: dict[str, list[int]]
    """For columns that occur more than once: all positions, in order of precedence."""

    known: Titles
    """What its titles were recognized by."""

    @classmethod
    def recognise(cls, cells: Sequence[Cell], known: Titles = PACKAGED) -> Self | None:
        """The layout if this row is a header, else None; a header has a name, a phone and at least one
        more known column."""
        if tuple(cells[: len(PREVIEW_TITLES)]) == PREVIEW_TITLES:
            return None  # it would be imported as customers
        columns = known.columns_of(cells)
        if NAME not in columns or PHONE not in columns or len(columns) < 3:
            return None
        return cls.of(cells, columns, known)

    @classmethod
    def of(cls, cells: Sequence[Cell], columns: Mapping[str, list[int]], known: Titles) -> Self:
        """The layout of a row with these columns, header or not."""
        width = max(position for position, cell in enumerate(cells) if cell is not None) + 1
        titles: dict[str, None] = {}
        for position, cell in enumerate(cells[:width]):
            title = as_text(cell) or untitled(position)
            titles[title if title not in titles else f"{title} ({column_letters(position)})"] = None
        return cls(
            tuple(titles),
            {column: positions[0] for column, positions in columns.items()},
            {column: positions for column, positions in columns.items() if len(positions) > 1},
            known,
        )

    def left_over(self) -> list[int]:
        """The positions of titles that stand for no column."""
        taken = {*self.columns.values(), *chain.from_iterable(self.several.values())}
        return [at for at, title in enumerate(self.titles) if at not in taken and title != untitled(at)]


def find_header(records: Iterable[Record], known: Titles) -> tuple[int, Layout] | None:
    """The row and layout of the first header among the records, or None."""
    found = ((row, Layout.recognise(cells, known)) for row, cells in records)
    return next(((row, layout) for row, layout in found if layout), None)


def nearest_header(records: Iterable[Record], known: Titles) -> tuple[int, Layout] | None:
    """The row and layout of what is most like a header, where there is none: the row with the most known
    titles, and of those with equally many the first; None if no row has any."""
    rows = [(row, cells, known.columns_of(cells)) for row, cells in records]
    row, cells, columns = max(rows, key=lambda each: len(each[2]), default=(0, [], {}))
    return (row, Layout.of(cells, columns, known)) if columns else None


def likely_title(titles: Iterable[str]) -> str | None:
    """The first that is likely to mean something: no `#` and no sentence."""
    return next((title for title in titles if SHORTEST_LIKELY <= len(title) <= LONGEST_LIKELY), None)


def untitled(position: int) -> str:
    """The name for a column without a title."""
    return f"column {column_letters(position)}"


def column_letters(position: int) -> str:
    """A column's letters as a spreadsheet shows them: 0 is A, 26 is AA."""
    letters = ""
    rest = position + 1
    while rest:
        rest, letter = divmod(rest - 1, _LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters
