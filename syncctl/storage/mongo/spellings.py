"""Which leads may have a number in another spelling, by indexes in whose order digits count as numbers.

In that order what begins with fewer than ten digits stands before all phone numbers of ten digits, and what
begins with more, or with a letter, behind them: the few that are written in another way are next to each
other, and found without a look at the others. At strength 1, case, accents and what doesn't show (a space of
no width) make no difference, but that a number ends there; the digits of all scripts are alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from bson import Decimal128
from pymongo import ASCENDING, IndexModel
from pymongo.collation import Collation

from syncctl.domain.lead_values import Document
from syncctl.ports.admin import AskedNumber

SPELLINGS = Collation("en", strength=1, numericOrdering=True, normalization=True)

SPELLED_FIELDS = ("phone", "bookingNo")

SPELLING_INDEXES = [
    IndexModel([(field, ASCENDING)], name=f"syncctl_{field}", collation=SPELLINGS) for field in SPELLED_FIELDS
]
"""Indexes of one field each, which refuse nothing."""

PHONE_DIGITS = 10
_FEWEST, _MOST = "1" + "0" * (PHONE_DIGITS - 1), "9" * PHONE_DIGITS
_BEHIND_ALL = "\uffff"
"""Sorts behind all other characters: what begins with a text sorts before that text with this behind it."""
_FIRST_VISIBLE = "_"
"""Sorts before all characters but blanks."""

_LEADING_DIGITS = re.compile("[0-9]*")
_WHOLE_NUMBER = re.compile("-?[0-9]{1,34}")
"""With as many digits as a decimal of the database has."""


_SIMPLE = Collation("simple")
_TOO_SHORT_FROM_ABROAD: Document = {"phone": {"$gte": "0091", "$lt": "0092"}}
"""With eight digits behind it this sorts among the phone numbers of ten, and is none: another may follow."""

LONGEST_TEXT = 60
"""Characters of a number that is looked up by these indexes: a longer one makes too long a query."""


def may_have(number: AskedNumber) -> list[tuple[Document, Collation]]:
    """The queries that find them, for an ASCII text, each with its collation."""
    as_number = {"$in": [*_numbers(number)]}
    phone = [
        {"$gt": "", "$lt": _FEWEST},
        {"$gt": _MOST + _BEHIND_ALL},
        *map(_beginning_with, _ten_digits(number)),
        as_number,
    ]
    booking_no = [
        {"$gt": "", "$lt": "0"},
        *map(_beginning_with, sorted(set(_beginnings(number)))),
        {"$gte": number.text, "$lt": number.text + _FIRST_VISIBLE},
        as_number,
    ]
    spelled = [
        ({"$or": [{field: condition} for condition in conditions]}, SPELLINGS)
        for field, conditions in zip(SPELLED_FIELDS, (phone, booking_no), strict=True)
    ]
    return [*spelled, (_TOO_SHORT_FROM_ABROAD, _SIMPLE)]


def _beginnings(number: AskedNumber) -> Iterator[str]:
    """What a booking number may begin with, up to a character within its digits that isn't one."""
    for digits in _significant(number):
        yield "0"
        yield from (digits[:count] for count in range(1, len(digits) + 1))
    text = number.text
    yield from (text[:count] for count in range(1, len(text)) if text[count - 1 : count + 1].isdigit())


def _beginning_with(digits: str) -> Document:
    return {"$gte": digits, "$lte": digits + _BEHIND_ALL}


def _significant(number: AskedNumber) -> set[str]:
    """Without leading zeros, which make no difference to the indexes."""
    return {digits.lstrip("0") for digits in number.digits}


def _ten_digits(number: AskedNumber) -> set[str]:
    """What a value may begin with whose first digits, read as a number, are ten."""
    leading = _LEADING_DIGITS.match(number.text)
    texts = {*_significant(number), leading[0].lstrip("0") if leading else ""}
    return {text[:PHONE_DIGITS] for text in texts if len(text) >= PHONE_DIGITS}


def _numbers(number: AskedNumber) -> Iterator[Any]:
    """What is equal to it if it is stored as a number, of whatever type."""
    texts: Iterable[str] = chain(number.digits, [number.text])
    for text in texts:
        if _WHOLE_NUMBER.fullmatch(text):
            yield Decimal128(text)
    try:
        exact = float(number.text)
    except ValueError:
        return
    if math.isfinite(exact):
        yield exact
