"""Converts single values of a source row to text, days and numbers."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta

from syncctl.errors import InvalidRowError
from syncctl.text import is_visible, normalize_unicode

LONGEST_TEXT = 10_000
"""Characters; no remark is longer, and a MongoDB document must stay below 16 MB."""

INDIAN_MIDNIGHT = time(18, 30)
"""In UTC."""

LARGEST_EXACT = 2**53
"""Beyond this, JavaScript numbers, which the web app uses, are no longer exact."""

TRUTH_VALUES = frozenset(("TRUE", "FALSE"))

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# ECMA-376 part 1, 18.17.3; Excel's later ones; those of LibreOffice and Google; a column that is too narrow.
_LONGEST_ERROR = 100
_ERROR = re.compile(
    r"#(?:N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|GETTING_DATA|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!"
    r"|EXTERNAL!|PYTHON!|UNKNOWN!|BUSY!|ERROR!)|#{3,}|Err:[0-9]{3}",
    re.IGNORECASE,
)


def text(value: object) -> str:
    """A value as stripped text; "" for null, nested values, booleans and invisible text, such as a lone
    zero-width space.

    Integral floats are written without the ".0" that spreadsheets and JSON writers add. NUL and lone
    surrogates, which databases refuse, become U+FFFD. Raises InvalidRowError: the text is longer than
    LONGEST_TEXT.
    """
    if isinstance(value, str):
        stripped = value.strip()
        if len(stripped) > LONGEST_TEXT:
            raise InvalidRowError(f"a value is longer than {LONGEST_TEXT} characters")
        if stripped.isascii() and "\0" not in stripped and "!" <= stripped[:1] <= "~":
            return stripped
        return _UNSTORABLE.sub("\ufffd", stripped) if is_visible(stripped) else ""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    return ""


def may_be_error(written: str) -> bool:
    """A quick look at a text, or at several joined: whether any may be an error. Few are."""
    return "#" in written or "rr:" in written


def is_error(value: object) -> bool:
    """Whether a cell shows that its formula failed (`#N/A`), or `####` for a value too long for its column:
    it holds something that can't be read."""
    if not isinstance(value, str) or not may_be_error(value):
        return False
    return len(value) <= _LONGEST_ERROR and _ERROR.fullmatch(normalize_unicode(value).strip()) is not None


def other_content(value: object) -> str | None:
    """What is in a cell where a name or a number should be: an error, a truth value or a date, in words for
    people and without the customer's data. None for anything else."""
    if isinstance(value, date):
        return "a date"
    shown = str(value).upper() if isinstance(value, bool) else normalize_unicode(text(value))
    if is_error(shown):
        return f"the error {shown}"
    return shown if shown in TRUTH_VALUES else None


def file_day(moment: datetime) -> date:
    """The day meant by the stored date of a file lead.

    18:30:00Z means the next day: it is midnight in India, where the old system's import read the file's day
    in local time (contract/database.md, "What is already wrong in such a database").
    """
    day = moment.date()
    return day + timedelta(days=1) if moment.time() == INDIAN_MIDNIGHT and day < date.max else day


def number(value: object) -> float | None:
    """A finite number, integral ones as int, as JavaScript would store them; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value.replace(",", ""))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    if not math.isfinite(amount):
        return None
    return int(amount) if amount.is_integer() and abs(amount) <= LARGEST_EXACT else amount
