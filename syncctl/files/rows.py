"""The records of a table made into rows: headers, titles, blank rows passed over; cells by their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from syncctl.files.cells import EPOCH_1900, UNREADABLE, Cell, Record, as_text, date_of_serial, whole_number
from syncctl.files.headers import (
    BEYOND,
    CANNOT_BE_READ,
    DATE_COLUMNS,
    MOVED,
    NAME,
    PHONE,
    Layout,
    Several,
    column_letters,
    one_or_several,
)

SURELY_A_NUMBER = 7
"""Digits: no column's title consists of so many."""

_TITLE = re.compile(r"loss\s+of\s+sale|walk-?\s?in\s+report", re.IGNORECASE)
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_FOOTER = re.compile(
    r"\W*(?:(?:grand|sub|sum|net|over\s?all)?[\s-]*totals?\b|(?:grand\s+)?sum\b\s*[:=]|page\s*(?:no\b\W*)?\d"
    r"|(?:(?:report|list|data|file|document)\s+)?(?:print(?:ed)?|generated|exported|created|downloaded|prepared"
    r"|produced|checked|verified|approved|authori[sz]ed|signed|entered|submitted|powered|run)\s*"
    r"(?:(?:on|by|at|from|via|using|date|time)\b|:)"
    r"|(?:end\s+of|this\s+is)\s+(?:the\s+|a\s+)?(?:computer|system|report|list|data|file|document|table|records?)\b"
    r"|(?:report|print)\s+(?:date|time)\b|(?:for\s+)?(?:authori[sz]ed|store\s+manager|manager|in-?charge)\s*[:_.]"
    r"|(?:no|number|count|total)\.?\s+(?:of\s+)?(?:customers|records|rows|entries|walk-?\s?ins|visits|leads)\b"
    r"|\d+\s+(?:customers|records|rows|entries|walk-?\s?ins|visits)\b|\N{COPYRIGHT SIGN}|copyright\b|note\s*:"
    r"|computer\s+generated|system\s+generated)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(?:[\w'.]+\s+){0,3}(?:signature|signatory)[\W_]*|(?:authori[sz]ed|customer|staff|manager)\s+sign[\W_]*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[\W_]{3,}")
_MONTH_TITLE = re.compile(
    rf"(?:month\s+of\s+)?(?:{_MONTHS})(?:\s+month)?[\s'.,/-]*(?:[0-9]{{2}}|[0-9]{{4}})?", re.IGNORECASE
)


class FileRow(NamedTuple):  # made for every row: a frozen dataclass takes three times as long
    """A row of a sheet that may be a customer.

    `number`: as a spreadsheet shows it, from 1 (in a CSV file the record's). `cells`: every column that the
    header in force is recognised to have, by the names in `headers`, in the order of the sheet; None where
    empty, several where several columns of that name are filled. `written`: all cells as they stand under the
    header's `titles`.
    """

    number: int
    cells: dict[str, Several]
    written: list[Cell]
    titles: tuple[str, ...]

    @property
    def raw(self) -> dict[str, str]:
        """The column's title as written -> the cell as text, of all cells that are not empty: what a person
        must see to correct the row."""
        raw = {
            title: as_text(cell)
            for title, cell in zip(self.titles, self.written, strict=False)
            if cell is not None and cell != UNREADABLE
        }
        for position in range(len(self.titles), len(self.written)):
            if self.written[position] is not None:
                raw[f"{BEYOND} ({column_letters(position)})"] = as_text(self.written[position])
        if unreadable := self.cells.get(CANNOT_BE_READ):
            raw[CANNOT_BE_READ] = str(unreadable)
        return raw


def not_blank(records: Iterable[Record]) -> Iterator[Record]:
    """Those of the records in which anything is written."""
    for record in records:
        if any(cell is not None for cell in record[1]):
            yield record


def file_rows(records: Iterable[Record], epoch: date) -> Iterator[FileRow]:
    """The rows of a table from its header on. `epoch`: the day that its serial numbers of days count from.

    A further header row, whatever its columns, is in force from there on. Titles of months, rows in which
    nothing but a running number is filled in, and lines that a program prints below the table are passed over
    (contract/files.md).
    """
    layout: Layout | None = None
    for number, cells in not_blank(records):
        if not (layout and _has_number(cells, layout)):
            if header := Layout.recognise(cells):
                layout = header
                continue
            if layout is None or _is_no_customer(cells, layout) or _is_footer(cells, layout):
                continue
        yield FileRow(number, _columns(cells, layout, epoch), cells, layout.titles)


def _has_number(cells: list[Cell], layout: Layout) -> bool:
    """Whether a number stands in the phone column: the quick way to know a customer's row."""
    position = layout.columns[PHONE]
    phone = cells[position] if position < len(cells) else None
    return (isinstance(phone, int) and phone >= 10 ** (SURELY_A_NUMBER - 1)) or (
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
    of_customer = [
        *layout.several.get(NAME, [layout.columns[NAME]]),
        *layout.several.get(PHONE, [layout.columns[PHONE]]),
    ]
    if position not in of_customer:
        return True
    # April and June are names of people too: a month counts only where it is all that is written.
    return isinstance(cell, str) and bool(_TITLE.search(cell) or _MONTH_TITLE.fullmatch(cell))


def _is_footer(cells: list[Cell], layout: Layout) -> bool:
    """Whether a program, or who signs the list, has put these lines below the table: a row without a phone
    number whose first words say so."""
    phones = [cells[at] for at in layout.several.get(PHONE, [layout.columns[PHONE]]) if at < len(cells)]
    if any(sum(map(str.isdecimal, as_text(phone))) >= SURELY_A_NUMBER for phone in phones):
        return False
    words = [cell for cell in cells if isinstance(cell, str)]
    return bool(words) and (
        _FOOTER.match(words[0]) is not None
        or any(map(_SIGNATURE.fullmatch, words))
        or all(map(_RULE.fullmatch, words))
    )


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return cell.replace(".", "", 1).isdecimal()
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _columns(cells: list[Cell], layout: Layout, epoch: date) -> dict[str, Several]:
    width = len(cells)
    named: dict[str, Cell] = {
        column: cells[position] if position < width else None for column, position in layout.columns.items()
    }
    moved: dict[str, Several] = {}
    for column in DATE_COLUMNS:
        if column in named:
            written = named[column]
            named[column] = date_of_serial(written, epoch)
            if epoch != EPOCH_1900 and named[column] is not written:
                cells[layout.columns[column]] = named[column]  # who sees the raw row knows of no other epoch
                moved[MOVED] = (epoch - EPOCH_1900).days
    named[PHONE] = whole_number(named[PHONE])
    several = {
        column: one_or_several([_read(column, cells[at], epoch) for at in positions if at < width])
        for column, positions in layout.several.items()
    }
    faults: dict[str, Several] = {}
    titled = len(layout.titles)
    if width > titled and (beyond := [at for at in range(titled, width) if cells[at] is not None]):
        faults[BEYOND] = ", ".join(map(column_letters, beyond))
    if UNREADABLE in cells:
        faults[CANNOT_BE_READ] = ", ".join(
            column_letters(at) for at in range(width) if cells[at] == UNREADABLE
        )
    return {**named, **several, **moved, **faults}


def _read(column: str, cell: Cell, epoch: date) -> Cell:
    """A cell as its column wants it."""
    if column in DATE_COLUMNS:
        return date_of_serial(cell, epoch)
    return whole_number(cell) if column == PHONE else cell
