"""Single values of a source row made into text, phone numbers, days and numbers."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta

from syncctl.errors import InvalidRowError

LONGEST_TEXT = 10_000
"""Characters; no remark is longer, and a document of MongoDB must stay under 16 MB."""

INDIAN_MIDNIGHT = time(18, 30)
"""In UTC."""

LARGEST_EXACT = 2**53
"""Beyond it a JavaScript number, which is what the web app reads, is no longer exact."""

_NOT_DIGIT = re.compile(r"[^0-9]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def text(value: object) -> str:
    """A value as stripped text; "" for null, nested values and truth values.

    An integral float is a number that a spreadsheet or JSON writer spelt with ".0". NUL and lone surrogates,
    which databases refuse, become U+FFFD.

    Raises:
        InvalidRowError: the text is longer than LONGEST_TEXT.
    """
    if isinstance(value, str):
        stripped = value.strip()
        if len(stripped) > LONGEST_TEXT:
            raise InvalidRowError(f"a value is longer than {LONGEST_TEXT} characters")
        if stripped.isascii() and "\0" not in stripped:
            return stripped
        return _UNSTORABLE.sub("\ufffd", stripped)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    return ""


def phone_number(written: str) -> str | None:
    """Ten digits, or None where there are too few (contract/database.md: digits only; more than 10: the last
    10; 9: the leading 0 that a spreadsheet ate is put back; fewer: invalid)."""
    digits = written if written.isascii() and written.isdigit() else _NOT_DIGIT.sub("", written)
    if len(digits) >= 10:
        return digits[-10:]
    return "0" + digits if len(digits) == 9 else None


def file_day(moment: datetime) -> date:
    """The day that a date of a stored file lead means.

    18:30:00Z is the next day: midnight in India, where the old system's import read the file's day in the
    local zone (contract/database.md, "What is already wrong in such a database").
    """
    day = moment.date()
    return day + timedelta(days=1) if moment.time() == INDIAN_MIDNIGHT and day < date.max else day


def number(value: object) -> float | None:
    """A finite number, whole ones as int as JavaScript would store them; None where it is none."""
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
