"""Single values of a source row made into text, days and numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime, time, timedelta

from syncctl.errors import InvalidRowError

LONGEST_TEXT = 10_000
"""Characters; no remark is longer, and a document of MongoDB must stay under 16 MB."""

INDIAN_MIDNIGHT = time(18, 30)
"""In UTC."""

LARGEST_EXACT = 2**53
"""Beyond it a JavaScript number, which is what the web app reads, is no longer exact."""

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
