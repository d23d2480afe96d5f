"""The records of a table made into rows: headers, titles, blank rows passed over; cells by their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from syncctl.files.cells import Cell, Record, as_text, date_of_serial, whole_number
from syncctl.files.headers import DATE_COLUMNS, NAME, PHONE, Layout, untitled

SURELY_A_NUMBER = 7
"""Digits: no column's title consists of so many."""

_TITLE = re.compile(r"loss\s+of\s+sale|walk-?\s?in\s+report", re.IGNORECASE)
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_MONTH_TITLE = re.compile(
    rf"(?:month\s+of\s+)?(?:{_MONTHS})(?:\s+month)?[\s'.,/-]*(?:[0-9]{{2}}|[0-9]{{4}})?", re.IGNORECASE
)


class FileRow(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """A row of a sheet that may be a customer.

    `number`: as a spreadsheet shows it, from 1 (in a CSV file the record's). `cells`: every column that the
    header in force is recognised to have, by the names in `headers`, in the order of the sheet; None where
    empty. `written`: all cells as they stand under the header's `titles`.
    """

    number: int
    cells: dict[str, Cell]
    written: list[Cell]
    titles: tuple[str, ...]

    @property
    def raw(self) -> dict[str, str]:
        """The column's title as written -> the cell as text, of all cells that are not empty: what a person
        must see to correct the row."""
        raw = {
            title: as_text(cell)
            for title, cell in zip(self.titles, self.written, strict=False)
            if cell is not None
        }
        for position in range(len(self.titles), len(self.written)):
            if self.written[position] is not None:
                raw[untitled(position)] = as_text(self.written[position])
        return raw


def not_blank(records: Iterable[Record]) -> Iterator[Record]:
    """Those of the records in which anything is written."""
    for record in records:
        if any(cell is not None for cell in record[1]):
            yield record


def file_rows(records: Iterable[Record], epoch: date) -> Iterator[FileRow]:
    """The rows of a table from its header on. `epoch`: the day that its serial numbers of days count from.

    A further header row, whatever its columns, is in force from there on. Titles of months, and rows in which
    nothing but a running number is filled in, are passed over (contract/files.md, layout B).
    """
    layout: Layout | None = None
    for number, cells in not_blank(records):
        if not (layout and _has_number(cells, layout)):
            if header := Layout.recognise(cells):
                layout = header
                continue
            if layout is None or _is_no_customer(cells, layout):
                continue
        yield FileRow(number, _columns(cells, layout, epoch), cells, layout.titles)


def _has_number(cells: list[Cell], layout: Layout) -> bool:
    """Whether a number stands in the phone column: the quick way to know a customer's row."""
    position = layout.columns[PHONE]
    phone = cells[position] if position < len(cells) else None
    return isinstance(phone, int) or (
        isinstance(phone, str) and len(phone) >= SURELY_A_NUMBER and phone.isdecimal()
    )


def _is_no_customer(cells: list[Cell], layout: Layout) -> bool:
    filled = [(position, cell) for position, cell in enumerate(cells) if cell is not None]
    recognised = layout.columns.values()
    if all(position not in recognised and _is_number(cell) for position, cell in filled):
        return True
    if len(filled) > 1:
        return False
    position, cell = filled[0]
    if position not in (layout.columns[NAME], layout.columns[PHONE]):
        return True
    # April and June are names of people too: a month counts only where it is all that is written.
    return isinstance(cell, str) and bool(_TITLE.search(cell) or _MONTH_TITLE.fullmatch(cell))


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return cell.replace(".", "", 1).isdecimal()
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _columns(cells: list[Cell], layout: Layout, epoch: date) -> dict[str, Cell]:
    width = len(cells)
    named = {
        column: cells[position] if position < width else None for column, position in layout.columns.items()
    }
    for column in DATE_COLUMNS:
        if column in named:
            named[column] = date_of_serial(named[column], epoch)
    named[PHONE] = whole_number(named[PHONE])
    return named
