"""Reads the phone number that a cell or field of a source means (contract/files.md, "What people write")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC
from itertools import islice

from syncctl.parsing.dates import read_date
from syncctl.parsing.values import other_content, text
from syncctl.safe_output.redact import plain_text
from syncctl.text import normalize_unicode

PHONE_DIGITS = 10
DIGITS_WITHOUT_ZERO = 9
"""Digits of a number whose leading 0 a spreadsheet ate."""

_NOT_DIGIT = re.compile(r"[^0-9]")
_POINT_ZERO = re.compile(r"\.0+$")
_ROUNDED = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
# As a reject's export shows it too. A text alone (="9876543210") keeps a spreadsheet from rounding a number.
FORMULA = re.compile(r"'?=(?!\s*\"[^\"]*\"$)")
# More digits after the point may be a second number.
_FRACTION = re.compile(r"-?[0-9]{9,}\.[0-9]{1,8}")

# As most are typed, known at a glance: a mobile's ten digits in up to three groups. These are too few for a
# date with a time, and ten digits are too many for a date. "9198765432-10" may be a number and the next one.
_USUAL = re.compile(r"(?:\+?91[ -]|(?:\+?91|0)(?=[0-9]{10}$))?([6-9][0-9]{1,9}(?:[ -][0-9]{1,8}){0,2})")

_DATE_MARK = "\0"
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_DATE = re.compile(
    rf"(?<![0-9])(?<![0-9][-./])(?:{_DAY}([-./]){_MONTH}\1{_YEAR}|{_YEAR}([-./]){_MONTH}\2{_DAY})"
    r"(?![-./]?[0-9])"
)
_HOUR, _MINUTES = "(?:[01]?[0-9]|2[0-3])", "[0-5][0-9]"
_TIME = rf"{_HOUR}[-:.\s]?{_MINUTES}(?:[-:.\s]?{_MINUTES})?"
# Dates with a time, which together may have the ten digits of a number.
_DATE_AND_TIME = re.compile(
    rf"""(?<![0-9])(?<![0-9][-./\s])
    (?: {_DAY}(?P<a>[-./]|\s+){_MONTH}(?P=a)(?:{_YEAR}|[0-9]{{2}}) [\s,T._-]+ {_TIME}
      | {_TIME} [\s,._-]+ {_DAY}(?P<b>[-./]|\s+){_MONTH}(?P=b)(?:{_YEAR}|[0-9]{{2}})
      | {_TIME} [\s,._-]+ {_YEAR}(?P<e>[-./]|\s+){_MONTH}(?P=e){_DAY}
      | {_DAY}(?P<c>[-./]|\s+){_MONTH}(?P=c){_YEAR} [\s,T._-]+ {_HOUR}
      | {_YEAR}(?P<d>[-./]|\s+){_MONTH}(?P=d){_DAY} [\s,T._-]+ (?:{_TIME}|{_HOUR})
      | (?:{_YEAR}[01][0-9][0-3][0-9]|[0-3][0-9][01][0-9]{_YEAR}) [\s,]+ {_HOUR}:{_MINUTES}(?::{_MINUTES})?
    )(?![-./:]?[0-9])""",
    re.VERBOSE,
)
# What each of them has, which few cells do.
_MAY_BE_DATE_AND_TIME = re.compile(r"(?:[0-9]+[^0-9]+){3}[0-9]|:")
_BETWEEN_NUMBERS = re.compile(r"[/\\,;&|]|\b(?:or|and)\b", re.IGNORECASE)
_CHAIN = re.compile(r"(?P<plus>\+[\s(]*)?(?P<digits>[0-9]+(?:[\s.()\[\]{}<>-]+[0-9]+)*)")
_GROUP = re.compile(r"[0-9]+")
_BRACKET = re.compile(r"[()\[\]{}<>]")
_NUMBERING = re.compile(r"\.\s+|\s*[)\]}>]\s*")
"""What stands behind the number of an item in a list: "1) " or "1. "."""
_MARK = re.compile(r"(?P<mark>[^\W\d_]+|[*?]+)(?P<after>[0-9]+)")

_NUMBER = re.compile(r"[0-9]{10}|(?:0{0,2}91)?0?[1-9][0-9]{9}")
_NUMBER_AFTER_PLUS = re.compile(r"(?:0{0,2}910?|0)[1-9][0-9]{9}")
_LONGEST_NUMBER = 15
_MOST_GROUPS = 32
"""Of digits in a row, in which a number is looked for: no two numbers have more."""
_FIRST_OF_MOBILES = "6789"
_LIKE_A_NUMBER = 7
"""Digits from which on a number is one that somebody can be called by."""

_UNUSABLE = ""


def phone_number(value: object) -> str | None:
    """The ten digits of the first phone number in a cell or field; None where there is none that can be
    called: the row is a reject then, for nobody can say whose number a guess would be. Raises
    InvalidRowError: the text is too long to be a value."""
    written = value if type(value) is str else text(value)
    if len(written) == PHONE_DIGITS and written.isascii() and written.isdigit():
        return written
    if (usual := _usual_number(written)) is not None:
        return usual
    written = normalize_unicode(text(written))
    if not written or _ROUNDED.fullmatch(written) or _is_computed(value, written):
        return None
    written = _POINT_ZERO.sub("", written)
    plain = "/".join(plain_text(line)[0] for line in written.splitlines()).strip()
    if len(plain) == DIGITS_WITHOUT_ZERO and plain.isdigit():
        return "0" + plain
    if _MAY_BE_DATE_AND_TIME.search(plain):
        plain = _DATE_AND_TIME.sub(_DATE_MARK, plain)
    for part in _BETWEEN_NUMBERS.split(_DATE.sub(_DATE_MARK, plain)):
        found = _first_in(part)
        if found is not None:
            return found or None
    return None


def _usual_number(written: str) -> str | None:
    """The number in a text that is written as most are; None for any other text."""
    if not (usual := _USUAL.fullmatch(written)):
        return None
    digits = usual[1].replace(" ", "").replace("-", "")
    return digits if len(digits) == PHONE_DIGITS else None


def why_no_phone(value: object) -> str:
    """Why `phone_number` reads none, without the customer's data."""
    if other := other_content(value):
        return f"{other} where the phone number should be"
    written = normalize_unicode(text(value))
    if not written:
        return "no phone number"
    if holds_date(written):
        return "a date where the phone number should be"
    if _is_computed(value, written):
        return "the phone number is a formula, or has a fraction"
    if len(_NOT_DIGIT.sub("", plain_text(written)[0])) < DIGITS_WITHOUT_ZERO:
        return "too few digits in the phone number"
    return "the phone number can't be read: it needs ten digits, alone or behind +91, 91 or 0"


def holds_date(written: str) -> bool:
    """Whether a text holds a date, or is one, rather than a number of digits alone."""
    plain = plain_text(written)[0]
    if _DATE.search(plain) or _DATE_AND_TIME.search(plain):
        return True
    try:
        return not plain.isdigit() and read_date(plain, UTC) is not None
    except ValueError:
        return False


def former_phones(value: object, phone: str) -> tuple[str, ...]:
    """The numbers other than `phone`, which is read from it now, that a cell or field was taken for before:
    by syncctl under its first key rules (in files the first of two numbers), and by the system before it (all
    digits, the last ten of more, a 0 before nine). Leads and records of that time have these."""
    written = text(value)
    if written == phone or _usual_number(written) is not None:
        return ()
    readings = (_first_of_two(value, written), _last_ten(written))
    return tuple(dict.fromkeys(reading for reading in readings if reading and reading != phone))


def _is_computed(value: object, written: str) -> bool:
    """Whether a formula stands in the cell, or a number with a fraction."""
    if isinstance(value, float):
        return not value.is_integer()
    written = _POINT_ZERO.sub("", written)
    return bool(FORMULA.match(written) or _FRACTION.fullmatch(written))


def _first_in(part: str) -> str | None:
    """The first number in a part of a cell that holds no separator; None where none begins in it, and
    _UNUSABLE where something stands first that looks like a number and is none that can be called."""
    for chain in _CHAIN.finditer(part):
        if _DATE_MARK in part[: chain.start()]:
            return _UNUSABLE
        groups = list(islice(_GROUP.finditer(part, chain.start("digits"), chain.end()), _MOST_GROUPS))
        plus = chain["plus"] is not None
        mark = _MARK.match(part, chain.end())
        digits = _digits(groups)
        if not plus and _is_foreign(digits, plus=False):
            return _UNUSABLE
        found = _number(part, groups, plus=plus)
        if found is not None:
            number, end = found
            # A word behind a number is none of it, "ext12" neither; a single letter may stand for a digit.
            is_word = mark is None or (len(mark["mark"]) > 1 and mark["mark"].isalpha())
            return number if is_word or end < chain.end() else _UNUSABLE
        if _is_foreign(digits, plus=plus):
            return _UNUSABLE
        if mark is not None and len(digits) + len(mark["after"]) >= _LIKE_A_NUMBER:
            return _UNUSABLE
    return _UNUSABLE if _DATE_MARK in part else None


def _is_foreign(digits: str, *, plus: bool) -> bool:
    """Whether they begin with another country's code."""
    if plus:
        return not digits.lstrip("0").startswith("91") and digits[0] != "0"
    return digits.startswith("00") and not digits.startswith("0091") and len(digits) > PHONE_DIGITS


_Groups = Sequence[re.Match[str]]


def _number(part: str, groups: _Groups, *, plus: bool) -> tuple[str, int] | None:
    """The number that these groups of digits begin with, and where it ends; None if they begin with none."""
    may_be_item = not plus and len(groups) > 1 and len(groups[0][0]) <= 2
    is_item = may_be_item and _NUMBERING.fullmatch(part, groups[0].end(), groups[1].start())
    if is_item and (found := _number(part, groups[1:], plus=False)) is not None:
        return found
    if counts := _possible_counts(groups, plus=plus):
        best = min(counts, key=lambda count: _doubt(part, groups, count, plus=plus))
        return _digits(groups[:best])[-PHONE_DIGITS:], groups[best - 1].end()
    if may_be_item and 1 in _possible_counts(groups[1:], plus=False):
        return _number(part, groups[1:], plus=False)
    return None


def _digits(groups: _Groups) -> str:
    return "".join(group[0] for group in groups)


def _possible_counts(groups: _Groups, *, plus: bool) -> list[int]:
    """How many of the groups, from the first on, may be a whole number."""
    counts, digits = [], ""
    for count, group in enumerate(groups, 1):
        digits += group[0]
        if len(digits) > _LONGEST_NUMBER:
            break
        if (_NUMBER_AFTER_PLUS if plus else _NUMBER).fullmatch(digits):
            counts.append(count)
    return counts


def _doubt(part: str, groups: _Groups, count: int, *, plus: bool) -> tuple[int, int]:
    """How doubtful it is that so many groups are the number, and no more or fewer; the least is the best."""
    digits, rest = _digits(groups[:count]), groups[count:]
    is_bare = len(digits) == PHONE_DIGITS
    if is_bare and digits[0] == "0":
        return 4, count  # rather a trunk 0 before ten digits
    if count == 1 or (rest and _BRACKET.search(part[groups[count - 1].end() : rest[0].start()])):
        return 0, count
    if rest and _possible_counts(rest, plus=False):
        return 1, count
    if digits[-PHONE_DIGITS] in _FIRST_OF_MOBILES:
        return (3 if is_bare else 2), count
    return 3 + (not is_bare), count


def _last_ten(written: str) -> str | None:
    digits = _NOT_DIGIT.sub("", written)
    if len(digits) >= PHONE_DIGITS:
        return digits[-PHONE_DIGITS:]
    return "0" + digits if len(digits) == DIGITS_WITHOUT_ZERO else None


_TWO_NUMBERS = {20: 0, 22: 1, 24: 2}
"""Digits of two numbers in one cell -> digits of the prefix that the first was taken to have."""
_FORMER_SEPARATORS = re.compile(r"[/,;|&\n]|\bor\b", re.IGNORECASE)


def _first_of_two(cell: object, written: str) -> str | None:
    if _ROUNDED.fullmatch(written) or _is_computed(cell, written):
        return None
    written = _POINT_ZERO.sub("", written)
    digits = _NOT_DIGIT.sub("", written)
    if (skipped := _TWO_NUMBERS.get(len(digits))) is not None:
        return digits[skipped : skipped + PHONE_DIGITS]
    parts = map(_last_ten, _FORMER_SEPARATORS.split(written))
    return next(filter(None, parts), None) or _last_ten(written)
