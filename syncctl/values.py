"""Single values of a source row made into text, dates and numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta

from syncctl.errors import InvalidRowError

LONGEST_TEXT = 10_000
"""Characters; no remark is longer, and a document of MongoDB must stay under 16 MB."""

OLDEST_YEAR, NEWEST_YEAR = 1901, 9998
"""Dates of other years can't be read."""

NO_DAY = frozenset((date(1, 1, 1), date(1900, 1, 1)))
"""How the source says "none" (contract/rental-api.md): .NET's MinValue, and what SQL Server makes of ''."""

NO_YEAR = 9999
"""Any day of it says "none" as well: .NET's MaxValue."""

INDIAN_MIDNIGHT = time(18, 30)
"""In UTC."""

LARGEST_EXACT = 2**53
"""Beyond it a JavaScript number, which is what the web app reads, is no longer exact."""

_OTHER_FORMS_OF_NO_DAY = re.compile(
    r"0?1[-/.]0?1[-/.](?:0001|1900)(?:[ T].*)?"
    # .NET's old form in JSON, from a server in UTC or in India.
    r"|/Date\(-(?:62135596800000|2208988800000|2209008600000)(?:[+-]\d{4})?\)/"
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWING_NOTHING = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers of Hangul and the empty pattern of Braille, which Unicode holds for letters and symbols."""


def text(value: object) -> str:
    """A value as stripped text; "" for null, nested values, truth values and text that shows nothing, such as
    a zero-width space alone.

    An integral float is a number that a spreadsheet or JSON writer spelt with ".0". NUL and lone surrogates,
    which databases refuse, become U+FFFD.

    Raises:
        InvalidRowError: the text is longer than LONGEST_TEXT.
    """
    if isinstance(value, str):
        stripped = value.strip()
        if len(stripped) > LONGEST_TEXT:
            raise InvalidRowError(f"a value is longer than {LONGEST_TEXT} characters")
        if stripped.isascii() and "\0" not in stripped and "!" <= stripped[:1] <= "~":
            return stripped
        return _UNSTORABLE.sub("\ufffd", stripped) if any(map(_is_visible, stripped)) else ""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    return ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _SHOWING_NOTHING and character not in _BLANK_LETTERS


def wall_clock(written: str) -> datetime | None:
    """A source's local date and time, marked as UTC and cut to milliseconds (what a BSON date keeps).

    None where the date is the source's way to say "none". An offset, which the source does not send, would be
    dropped: the wall clock is what counts (contract/database.md).

    Raises:
        ValueError: it is no ISO 8601 date, or its year can't be meant.
    """
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        if _OTHER_FORMS_OF_NO_DAY.fullmatch(written):
            return None
        raise
    if not OLDEST_YEAR <= parsed.year <= NEWEST_YEAR:
        if parsed.year == NO_YEAR or parsed.date() in NO_DAY:
            return None
        raise ValueError("out of range")
    if parsed.microsecond:
        parsed = parsed.replace(microsecond=parsed.microsecond // 1000 * 1000)
    return datetime.combine(parsed, parsed.time(), UTC)  # a fifth of what `replace` takes


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
