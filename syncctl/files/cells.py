"""Single cells: what counts as empty, what a number is, and which numbers are dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from math import isnan
from typing import Any, TypeAlias

from syncctl.text import is_visible, normalize_unicode

Cell: TypeAlias = str | int | float | bool | date | datetime | None
"""A cell's value; None where it is empty. Text is stripped and shows something."""

Record: TypeAlias = tuple[int, list[Cell]]
"""A row of a table as a spreadsheet numbers it (from 1), and its cells."""

EPOCH_1900 = date(1899, 12, 30)
"""Day 0 of Excel's serial numbers from March 1900 on (Excel holds 1900 for a leap year)."""

EPOCH_1904 = date(1904, 1, 1)
"""Day 0 in workbooks with `date1904` set (ECMA-376 part 1, 18.2.28), as Excel for Mac made them."""

DASHES = ("-", "\N{HYPHEN}", "\N{NON-BREAKING HYPHEN}", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")
"""contract/files.md: "-" means empty. Excel's autocorrection makes the longer ones of it."""

UNREADABLE = "\0"
"""Stands in a cell that the workbook library can't read; no text of a file has it."""

EMPTY = frozenset(("", *DASHES))
"""Texts, stripped, that say nothing."""

OLDEST_SERIAL, NEWEST_SERIAL = 20_000, 80_000
"""October 1954 to January 2119: another number in a date column is something else (a year, a slip)."""

LARGEST_EXACT = 2**53
"""Beyond it a spreadsheet's number is no longer exact to the unit: it stays a float."""

_LONGEST_CODE = 50
"""Characters of a dash or a serial number, with format characters among them."""

_SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_TEXT_FORMULA = re.compile(r''''?=\s*"((?:[^"]|"")*)"''')
_WHOLE = re.compile(r"([0-9]+)\.0+")


def clean(value: object) -> Cell:
    """A value as the workbook library gives it, made a Cell: text stripped, 9876543210.0 an int, a midnight
    a date, a time of day or a duration text."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        if isnan(value):
            return UNREADABLE
        return int(value) if value.is_integer() and abs(value) <= LARGEST_EXACT else value
    if isinstance(value, datetime):
        return value.date() if value.time() == time.min else value
    if value is None or isinstance(value, bool | int | date):
        return value
    return str(value)


def clean_text(written: str) -> str | None:
    """Text as it is meant: stripped, and without the `="…"` that keeps spreadsheets from taking it for a
    number; None where it says nothing, such as a zero-width space alone."""
    stripped = written.strip()
    if stripped[-1:] == '"' and (quoted := _TEXT_FORMULA.fullmatch(stripped)):
        stripped = quoted[1].replace('""', '"').strip()
    if stripped in EMPTY:
        return None
    if stripped == UNREADABLE or (stripped[0] > " " and stripped.isascii()):
        return stripped
    if not is_visible(stripped):
        return None
    is_dash = len(stripped) <= _LONGEST_CODE and normalize_unicode(stripped).strip() in EMPTY
    return None if is_dash else stripped


def clean_row(values: Sequence[Any]) -> list[Cell]:
    """All values of a row as `clean` makes them."""
    texts = "".join([value for value in values if type(value) is str])
    if not (texts.isascii() and texts.isprintable()) or '"' in texts:
        return [clean(value) for value in values]
    return [  # as most rows are, whose texts need only be stripped
        clean(value) if type(value) is not str else None if (cell := value.strip()) in EMPTY else cell
        for value in values
    ]


def as_text(cell: Cell) -> str:
    """A cell as a person reads it: dates as in ISO 8601, truth values as in Excel, "" for an empty one."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(cell)


def date_of_serial(cell: Cell, epoch: date) -> Cell:
    """Excel's serial number of a day, as a number or as text, made a date, or a datetime where it has a
    fraction; any other cell as it is. `epoch`: the day that the workbook counts from."""
    if isinstance(cell, str):
        written = cell if cell.isascii() or len(cell) > _LONGEST_CODE else normalize_unicode(cell)
        if not written[:5].isdecimal() or not _SERIAL.fullmatch(written):  # the quick look first: few are
            return cell
        days = float(written)
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        days = cell
    else:
        return cell
    if not OLDEST_SERIAL <= days <= NEWEST_SERIAL:
        return cell
    return clean(datetime.combine(epoch, time.min) + timedelta(seconds=round(days * 86_400)))


def whole_number(cell: Cell) -> Cell:
    """The text "9876543210.0", as programs write a number that they took for a float, without its ".0", which
    would count as a further digit of a phone number; any other cell as it is."""
    if isinstance(cell, str) and "." in cell and (whole := _WHOLE.fullmatch(cell)):
        return whole[1]
    return cell
