"""The phone or booking number that is to be explained, and what names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncctl.domain.lead_traits import readable_text
from syncctl.domain.lead_values import Document
from syncctl.errors import UsageError
from syncctl.parsing.phones import phone_number
from syncctl.ports.admin import AskedNumber
from syncctl.safe_output.redact import ascii_digits, find_phone_numbers, mask_phone, plain_text
from syncctl.text import normalize_unicode

FEWEST_DIGITS = 7
"""A number with fewer digits isn't a phone number."""

PREFIXES = ("", "0", "91", "091", "0091", "910", "0910", "00910")
"""What may stand before the ten digits of a phone number."""

_DIGITS_AND_SIGNS = re.compile(r"[\s0-9()+./-]*")
_NOT_DIGIT = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True)
class CustomerQuery:
    """The phone or booking number asked about."""

    phone: str | None
    """Ten digits, if it can be parsed as a phone number."""

    digits: str
    """The digits of a phone number that can't be parsed; "": too few."""

    booking_no: str
    """It as a booking number."""

    typed: Mapping[str, str] = field(default_factory=dict)
    """Its digits -> the number as it was typed; empty if it isn't a phone number."""

    @classmethod
    def from_text(cls, asked: str) -> CustomerQuery:
        """Raises UsageError if it can be neither."""
        written = readable_text(asked)
        if not any(character.isalnum() for character in written):
            raise UsageError("Name a phone number, written in any way, or a booking number.")
        phone = phone_number(written)
        is_word = any(map(str.isalpha, written))
        digits = "" if phone or is_word else ascii_digits(written)
        if len(digits) < FEWEST_DIGITS:
            digits = ""
        number = phone or digits
        typed = {number: _as_typed(written, number)} if number else {}
        return cls(phone, digits, _booking_no(written), typed)

    def is_named_by(self, value: object) -> bool:
        """Whether a value of a lead or row is this phone or booking number, however it is written."""
        written = readable_text(value)
        if _booking_no(written) == self.booking_no:
            return True
        if self.phone is not None:
            return phone_number(written) == self.phone
        return bool(self.digits) and ascii_digits(written) == self.digits

    def may_be_in(self, raw: str) -> bool:
        """A quick look at the JSON text of a row: False only where none of its values is named so."""
        if not raw.isascii() or "\\" in raw or "e+" in raw:
            return True  # escapes and large numbers have to be read first
        number = self.phone or self.digits
        # Where a number is written without the 0 before it, that isn't there.
        return self.booking_no in raw or (number != "" and number[1:] in _NOT_DIGIT.sub("", raw))

    def is_of(self, lead: Document) -> bool:
        """Whether a lead has it as its phone number, or alone in the place of its booking number."""
        if self.is_named_by(lead.get("phone")):
            return True
        written = readable_text(lead.get("bookingNo"))
        if normalize_unicode(written) == self.booking_no:
            return True
        plain = plain_text(written)[0]
        is_number = _DIGITS_AND_SIGNS.fullmatch(plain)
        return bool(is_number) and ascii_digits(plain) in self.number.digits

    @property
    def number(self) -> AskedNumber:
        """What the database is asked for."""
        written = {prefix + self.phone for prefix in PREFIXES} if self.phone else {self.digits} - {""}
        return AskedNumber(self.booking_no, frozenset(written))

    @property
    def phones(self) -> frozenset[str]:
        return frozenset(filter(None, [self.phone]))

    def __str__(self) -> str:
        return mask_phone(self.phone) if self.phone else self.booking_no


def _booking_no(written: str) -> str:
    return normalize_unicode(written).strip()


def _as_typed(written: str, number: str) -> str:
    """The part of a text that is the number with these digits: other numbers may stand beside it."""
    found = list(find_phone_numbers(written))
    for each in found:
        if each.digits.endswith(number):
            return written[each.start : each.end]
    return number if found else written
