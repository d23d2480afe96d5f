"""Turns a table's records into rows: skips headers, titles and blank rows, and maps cells to columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from syncctl.domain.lead_fields import DATE_COLUMNS
from syncctl.files.cells import EPOCH_1900, UNREADABLE, Cell, Record, as_text, date_of_serial, whole_number
from syncctl.files.headers import (
    BEYOND,
    CANNOT_BE_READ,
    MOVED,
    PACKAGED,
    PHONE,
    Layout,
    Several,
    Titles,
    column_letters,
    one_or_several,
)
from syncctl.files.printed_lines import MIN_NUMBER_DIGITS, is_no_customer, is_part_of_layout
from syncctl.parsing.values import is_error


class FileRow(NamedTuple):  # created for every row: a frozen dataclass takes three times as long
    """A sheet row that may be a customer."""

    number: int
    """As a spreadsheet shows it, from 1 (in a CSV file, the record's number)."""

    cells: dict[str, Several]
    """Each recognized column of the current header, by the names in `headers`, in sheet order; None if
    empty, several if several columns of that name are filled."""

    written: list[Cell]
    """All cells as written, matching `titles`."""

    layout: Layout
    """The header in force."""

    @property
    def titles(self) -> tuple[str, ...]:
        """The header's titles."""
        return self.layout.titles

    @property
    def raw(self) -> dict[str, str]:
        """Column title as written -> cell as text, for all non-empty cells: what a person needs to correct
        the row."""
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
    """The records with any content."""
    for record in records:
        if record[1].count(None) < len(record[1]):
            yield record


def file_rows(
    records: Iterable[Record],
    epoch: date,
    ignore: Callable[[FileRow], None] = lambda _: None,
    known: Titles = PACKAGED,
) -> Iterator[FileRow]:
    """The rows of a table from its header on. `epoch`: the day that its serial numbers of days count from.
    `known`: what its titles are recognized by.

    A further header row, whatever its columns, is in force from there on; it, titles of months and rows in
    which nothing but a running number is filled in are the layout's own. `ignore` is called with totals and
    other lines that aren't customers (contract/files.md).
    """
    layout: Layout | None = None
    columns: _Columns | None = None
    for number, cells in not_blank(records):
        if not (layout and columns and _has_number(cells, columns.phone)):
            if header := Layout.recognise(cells, known):
                layout, columns = header, _Columns(header, epoch)
                continue
            if layout is None or columns is None or is_part_of_layout(cells, layout):
                continue
            if is_no_customer(cells, layout):
                ignore(FileRow(number, columns.of(cells), cells, layout))
                continue
        yield FileRow(number, columns.of(cells), cells, layout)


def _has_number(cells: list[Cell], position: int) -> bool:
    """Whether the phone column holds a number: a quick test for a customer's row."""
    phone = cells[position] if position < len(cells) else None
    if type(phone) is str:
        return len(phone) >= MIN_NUMBER_DIGITS and phone.isdecimal()
    return isinstance(phone, int) and phone >= 10 ** (MIN_NUMBER_DIGITS - 1)


class _Columns:
    """Names the cells of the rows below one header."""

    def __init__(self, layout: Layout, epoch: date) -> None:
        self._epoch = epoch
        self._names = tuple(layout.columns)
        self._positions = tuple(layout.columns.values())
        self._width = max(self._positions) + 1
        self._take = itemgetter(*self._positions)  # a header has three columns at least
        self._dates = [(name, at) for name, at in layout.columns.items() if name in DATE_COLUMNS]
        self._several = layout.several
        self._titled = len(layout.titles)
        self.phone = layout.columns[PHONE]

    def of(self, cells: list[Cell]) -> dict[str, Several]:
        """Each column's cell; what is wrong with the row, under names of its own behind them."""
        width = len(cells)
        padded = cells if width >= self._width else [*cells, *[None] * (self._width - width)]
        named: dict[str, Several] = dict(zip(self._names, self._take(padded), strict=True))
        others: dict[str, Several] = {}
        for column, at in self._dates:
            if (written := padded[at]) is None:
                continue
            named[column] = day = date_of_serial(written, self._epoch)
            if day is not written and self._epoch != EPOCH_1900:
                cells[at] = day  # readers of the raw row assume the 1900 epoch
                others[MOVED] = (self._epoch - EPOCH_1900).days
        named[PHONE] = whole_number(padded[self.phone])
        for column, positions in self._several.items():
            filled = [_read(column, cells[at], self._epoch) for at in positions if at < width]
            others[column] = one_or_several(filled)
        if width > self._titled and (beyond := _beyond(cells, self._titled)):
            others[BEYOND] = ", ".join(map(column_letters, beyond))
        if UNREADABLE in cells:
            others[CANNOT_BE_READ] = ", ".join(
                column_letters(at) for at in range(width) if cells[at] == UNREADABLE
            )
        return named | others if others else named


def _beyond(cells: list[Cell], titled: int) -> list[int]:
    """Where cells beyond the header are filled; a formula that failed there holds nothing of a customer."""
    return [at for at in range(titled, len(cells)) if cells[at] is not None and not is_error(cells[at])]


def _read(column: str, cell: Cell, epoch: date) -> Cell:
    """A cell converted as its column requires."""
    if column in DATE_COLUMNS:
        return date_of_serial(cell, epoch)
    return whole_number(cell) if column == PHONE else cell
