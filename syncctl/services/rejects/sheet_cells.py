"""Cells of the exported sheet, and what spreadsheets have made of them when it comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Context, Decimal

from syncctl.parsing.dates import read_date
from syncctl.parsing.values import is_error
from syncctl.safe_output.printable import formula_safe, without_guard
from syncctl.text import is_visible

CleanText = Callable[[str], str | None]
"""Cleans a text as the reader of files cleans each cell (`files.cells.clean_text`)."""

JOINED_BY = " | "
"""Between the different values that the item rows of one booking have in a column."""

_MOST_LINES = 10
"""Of a cell; more are put on one line, as the reader of CSV files holds a row of 100 for a mistake."""

_LONGEST_NUMBER = 60
_LEAST_CUT = 32_000
"""Characters: a cell of Excel holds 32,767 and loses the rest."""

_EXCELS_DIGITS = 15
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_NUMBERED_DATE = re.compile(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{2,4})(?=[ T]|$)")
_NOT_SHOWN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def exported_text(value: object) -> str:
    """A value of a raw row as its cell in the sheet has it, formulas made safe."""
    return formula_safe(plain_text(value))


def plain_text(value: object) -> str:
    """A value of a raw row as text; "" for none, and for what shows nothing: of a lone line end only the
    apostrophe that makes it safe would come back."""
    if value is None:
        return ""
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if not is_visible(written):
        return ""
    if written.count("\n") >= _MOST_LINES:
        written = " ".join(written.split("\n"))
    return written.encode("utf-8", "replace").decode("utf-8")


def typed_text(cell: object) -> str:
    """What a person has put into a cell, as text, without the apostrophe that made it safe; "" for an empty
    cell, and for one that a spreadsheet can't show any more.

    A number in scientific notation is written out where it has all its digits.
    """
    if cell is None or is_error(cell) or cell == "\0":
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, date):
        return str(cell)
    written = without_guard(str(cell)).strip()
    if "e" in written.casefold() and len(written) <= _LONGEST_NUMBER and _NUMBER.fullmatch(written):
        number = Decimal(written)
        return f"{number:f}" if number.as_tuple().exponent == 0 else written
    return written


def shown_text(written: str, clean: CleanText) -> str:
    """What a cell still shows of a text when it comes back: a workbook holds no control characters."""
    return " ".join(_NOT_SHOWN.sub("", clean(written) or "").split())


def is_as_exported(cell: object, value: object, clean: CleanText) -> bool:
    """Whether a cell that came back still says what the raw row's value said when it was exported.

    Spreadsheets take dates for dates, drop leading zeros, round long numbers and write them in scientific
    notation, by themselves. What only they have changed isn't a correction: the row keeps its own value.
    """
    if is_error(cell) or cell == "\0":
        return True
    written, now = plain_text(value), typed_text(cell)
    before = shown_text(without_guard(exported_text(value)), clean)
    shown = shown_text(now, clean)
    if shown == before or (len(now) >= _LEAST_CUT and without_guard(written).startswith(now)):
        return True
    if isinstance(cell, bool) or before in ("true", "false"):
        return shown.casefold() == before.casefold()
    return _is_same_number(shown, before) or _is_same_day(cell, shown, before)


def _is_same_number(shown: str, before: str) -> bool:
    if max(len(shown), len(before)) > _LONGEST_NUMBER:
        return False
    if not (_NUMBER.fullmatch(shown) and _NUMBER.fullmatch(before)):
        return False
    now = Decimal(shown)
    is_rounded = "e" in shown.casefold()
    digits = len(now.as_tuple().digits) if is_rounded else _EXCELS_DIGITS
    return Context(prec=digits).create_decimal(before) == Context(prec=digits).create_decimal(shown)


def _is_same_day(cell: object, shown: str, before: str) -> bool:
    """Day first or month first, as the spreadsheet's own country has it."""
    if before.isdecimal() or len(before) > _LONGEST_NUMBER or len(shown) > _LONGEST_NUMBER:
        return False
    now = {cell.date() if isinstance(cell, datetime) else cell} if isinstance(cell, date) else _days(shown)
    return not now.isdisjoint(_days(before))


def _days(written: str) -> set[date]:
    days = set()
    for text, month_first in ((written, False), (_NUMBERED_DATE.sub(r"\1/\2/\3", written), True)):
        try:
            found = read_date(text, UTC, month_first=month_first)
        except ValueError:
            continue
        if found is not None:
            days.add(found.date())
    return days
