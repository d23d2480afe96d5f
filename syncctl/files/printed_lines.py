"""Which lines of a table aren't customers: titles, totals, repeated headers, what programs print below it."""

from __future__ import annotations

import re
from datetime import UTC, date

from syncctl.errors import InvalidRowError
from syncctl.files.cells import EPOCH_1900, Cell, as_text, date_of_serial
from syncctl.files.headers import DATE, FUNCTION_DATE, NAME, PHONE, Layout, normalize_title
from syncctl.parsing.dates import read_date
from syncctl.parsing.phones import holds_date, phone_number
from syncctl.parsing.values import is_error
from syncctl.text import normalize_unicode

MIN_NUMBER_DIGITS = 7
"""Digits: no column's title consists of so many."""

_LONGEST_COUNT = 4
_LOOKED_AT = 200
"""Characters of a text: what is printed below a table is short, and a remark may be very long."""

_TITLE = re.compile(
    r"loss\s*of\s*sales?|walk\W?\s?ins?\W+(?:report|register|list|details|data|entry|entries|summary|sheet)"
    r"|(?:daily|weekly|monthly|loss|sales?|customer|enquiry)\s+(?:report|register|summary)\b",
    re.IGNORECASE,
)
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_MONTH_TITLE = re.compile(
    rf"(?:month\s+of\s+)?(?:{_MONTHS})(?:\s+month)?[\s'.,/-]*(?:[0-9]{{2}}|[0-9]{{4}})?", re.IGNORECASE
)
_SHOP = re.compile(r"suitor\s?guy\b|zorr?uc+i\b|zuroc+i\b", re.IGNORECASE)

_COUNTED = (
    r"revisit|loss(?:es)?|lost|booked|bookings?|rent\s?outs?|returns?|trials?|reissues?|walk\W?\s?ins?|new"
    r"|customers?|records?|rows?|entries|visits?|leads?|enquiries|amount|sales?|cash|card|upi|qty|quantity"
    r"|pages?|count|nos?|number|conversions?|average|today|day|month|for|the|of|and|in"
)
_TOTAL = (
    r"\W*(?:(?:grand|sub|sum|net|over\s?all)?[\s-]*totals?\b|(?:grand\s+)?sum\b\s*(?:[:=]|$)|count\b\s*(?:[:=]|$)"
    r"|(?:opening|closing|cash|net)\s+(?:balance|stock|cash)\b|balance\s*(?:[:=]|$|[bc]\W?f\b)"
    r"|(?:carried|brought)\s+(?:forward|over|down)\b|page\s*(?:no\b\W*)?\d"
    r"|(?:no|number|count|total)\.?\s+(?:of\s+)?(?:customers|records|rows|entries|walk-?\s?ins|visits|leads)\b"
    r"|\d+\s+(?:customers|records|rows|entries|walk-?\s?ins|visits)\b)"
)
_BEGINS_AS_TOTAL = re.compile(_TOTAL, re.IGNORECASE)
_IS_TOTAL = re.compile(rf"{_TOTAL}(?:[\W\d_]|\b(?:{_COUNTED})\b)*", re.IGNORECASE)
_PRINTED = re.compile(
    r"\W*(?:(?:(?:report|list|data|file|document)\s+)?(?:print(?:ed)?|generated|exported|created|downloaded"
    r"|prepared|produced|checked|verified|approved|authori[sz]ed|signed|entered|submitted|powered|run)\s*"
    r"(?:(?:on|by|at|from|via|using|date|time)\b|:)"
    r"|(?:end\s+of|this\s+is)\s+(?:the\s+|a\s+)?(?:computer|system|report|list|data|file|document|table|records?)\b"
    r"|(?:report|print)\s+(?:date|time)\b|(?:for\s+)?(?:authori[sz]ed|store\s+manager|manager|in-?charge)\s*[:_.]"
    r"|\N{COPYRIGHT SIGN}|copyright\b|note\s*:|computer\s+generated|system\s+generated|e\W*o\W*e\W*$"
    r"|thank(?:s|\s+you)\b\W*(?:and\s+regards\W*)?$)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"(?:[\w'.]+\s+){0,3}(?:signature|signatory)[\W_]*|(?:authori[sz]ed|customer|staff|manager)\s+sign[\W_]*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[\W_]{3,}")
_COUNT = re.compile(rf"(?:[\W\d_]|\b(?:totals?|{_COUNTED})\b)+", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\W*(?:(?:rs|inr)\W*)?(?:(?:[0-9],?){1,8}\.[0-9]{2}|[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3})\W*", re.IGNORECASE
)


def is_part_of_layout(cells: list[Cell], layout: Layout) -> bool:
    """Whether a row that is not blank has nothing but a running number, as of lists numbered in advance, or
    the title of the month that follows, alone in the first column (contract/files.md, layout B)."""
    recognised = layout.columns.values()
    filled = {position: cell for position, cell in enumerate(cells) if cell is not None}
    if all(position not in recognised and _is_number(cell) for position, cell in filled.items()):
        return True
    (first, cell), *more = filled.items()
    return (
        not more and first == 0 and isinstance(cell, str) and _is_title(normalize_unicode(cell[:_LOOKED_AT]))
    )


def is_no_customer(cells: list[Cell], layout: Layout) -> bool:
    """Whether a row, by its words and by what it lacks, is none of a customer. One with a phone number that
    can be read always may be; so may one with a date, a name and some digits."""
    phones = [cells[at] for at in _places(layout, PHONE) if at < len(cells)]
    return not any(map(_is_readable, phones)) and _Line(cells, layout).is_no_customer()


class _Line:
    """A row without a phone number that can be read. `words`: its texts that have letters and are
    no dates, by position."""

    def __init__(self, cells: list[Cell], layout: Layout) -> None:
        self.filled = {at: cell for at, cell in enumerate(cells) if cell is not None}
        self.texts = {
            at: normalize_unicode(cell[:_LOOKED_AT]).strip()
            for at, cell in self.filled.items()
            if isinstance(cell, str)
        }
        self.words = {
            at: text for at, text in self.texts.items() if any(map(str.isalpha, text)) and not _is_date(text)
        }
        self.layout = layout
        self.names, self.phones = _places(layout, NAME), _places(layout, PHONE)
        self.is_dated = any(map(self._holds_date, _places(layout, DATE)))
        # Elsewhere, such as under Status, words of totals are a customer's own.
        of_customer = {*self.names, *self.phones, *_places(layout, DATE), *_places(layout, FUNCTION_DATE)}
        first_name = min(self.names)
        self.head = {
            at
            for at in self.filled
            if at in of_customer or (at < first_name and at not in layout.columns.values())
        }

    def is_no_customer(self) -> bool:
        phones = [self.filled[at] for at in self.phones if at in self.filled]
        if self._is_nothing_but_errors():
            return True
        if len(self.filled) == 1 and self._is_alone():
            return True
        first = next((text for at, text in self.words.items() if not self.is_dated or at in self.head), "")
        if _IS_TOTAL.fullmatch(first):
            return True
        if any(map(_may_be_phone, phones)):
            return False
        return (
            self._is_printed(first)
            or self._is_named_like_a_title()
            or self._is_header_again()
            or (not any(map(_may_be_phone, self.filled.values())) and self._is_count())
        )

    def _holds_date(self, at: int) -> bool:
        cell = date_of_serial(self.filled.get(at), EPOCH_1900)
        return isinstance(cell, date) or (isinstance(cell, str) and _is_date(cell[:_LOOKED_AT]))

    def _is_nothing_but_errors(self) -> bool:
        """Formulas that were filled down below the table; not where one stands for a name or a number."""
        errors = {at for at, cell in self.filled.items() if is_error(cell)}
        rest = {at: cell for at, cell in self.filled.items() if at not in errors}
        if not errors or errors.intersection((*self.names, *self.phones)):
            return False
        return all(at not in self.layout.columns.values() and _is_number(cell) for at, cell in rest.items())

    def _is_alone(self) -> bool:
        """Whether the only cell is none of a customer."""
        (at,) = self.filled
        if at not in self.names and at not in self.phones:
            return True
        return _is_title(self.texts.get(at, ""))

    def _is_printed(self, first: str) -> bool:
        if _PRINTED.match(first):
            return True
        if self.is_dated:
            return False
        return (
            _BEGINS_AS_TOTAL.match(first) is not None
            or any(map(_SIGNATURE.fullmatch, self.texts.values()))
            or (bool(self.texts) and all(map(_RULE.fullmatch, self.texts.values())))
        )

    def _is_named_like_a_title(self) -> bool:
        return any(_TITLE.search(self.words[at]) for at in self.names if at in self.words)

    def _is_header_again(self) -> bool:
        """Whether it repeats titles, too few of them to be known as a header."""
        titles = self.layout.titles
        return (
            not self.words.keys().isdisjoint(self.head)
            and len(self.words) == len(self.filled)
            and all(
                self.layout.known.is_title(text)
                or (at < len(titles) and normalize_title(text) == normalize_title(titles[at]))
                for at, text in self.words.items()
            )
        )

    def _is_count(self) -> bool:
        """Whether it says how many there are of something, as `Loss | 5 | Booked | 3`."""
        if self.words.keys().isdisjoint(self.head):
            return False
        if all(self._is_of_count(text) for text in self.words.values()):
            return True
        order = sorted(self.filled)
        are_pairs = all((at in self.words) == (place % 2 == 0) for place, at in enumerate(order))
        names = [self.filled[at] for at in self.names if at in self.filled]
        return (
            are_pairs
            and not self.is_dated
            and bool(names)
            and all(map(_is_number, names))
            and all(len(as_text(self.filled[at])) <= _LONGEST_COUNT for at in order[1::2])
            and order == [*range(order[0], order[-1] + 1)]
            and len(order) % 2 == 0
        )

    def _is_of_count(self, text: str) -> bool:
        if _COUNT.fullmatch(text) or _TITLE.search(text):
            return True
        return not self.is_dated and _MONTH_TITLE.fullmatch(text) is not None


def _places(layout: Layout, column: str) -> list[int]:
    return layout.several.get(column) or [at for at in (layout.columns.get(column),) if at is not None]


def _is_title(text: str) -> bool:
    # April and June are names of people too: a month counts only where it is all that is written.
    return bool(_TITLE.search(text) or _MONTH_TITLE.fullmatch(text) or _SHOP.match(text))


def _is_date(written: str) -> bool:
    try:
        return read_date(written, UTC) is not None
    except ValueError:
        return False


def _is_readable(phone: Cell) -> bool:
    try:
        return phone_number(phone) is not None
    except InvalidRowError:  # too long for a value: the row's reject will say so
        return True


def _may_be_phone(cell: Cell) -> bool:
    """Whether a cell has the digits of a phone number, right or wrong, and isn't a date or an amount."""
    if isinstance(cell, date | bool):
        return False
    written = as_text(cell)[:_LOOKED_AT]
    if sum(map(str.isdecimal, written)) < MIN_NUMBER_DIGITS:
        return False
    return not _AMOUNT.fullmatch(written) and not holds_date(written)


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return cell.replace(".", "", 1).isdecimal()
    return isinstance(cell, int | float) and not isinstance(cell, bool)
