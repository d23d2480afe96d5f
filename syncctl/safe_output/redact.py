"""Redacts secrets and customers' phone numbers: the last line of defence for logs and errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, quote_plus

from syncctl.safe_output.phone_numbers import ascii_digits, find_phone_numbers

MASK = "***"

_SHORTEST_SECRET = 4
_CREDENTIALS = re.compile(r"""(?<=://)[^\s/?#"']*@""")
_BEARER = re.compile(r"""\b(bearer\s+)[^\s"',;]+""", re.IGNORECASE)


def mask_phone(phone: str) -> str:
    """`phone` with only its first and last two digits readable: 90xxxxxx11.

    Of more than ten digits the last ten count (contract/database.md); of fewer than eight none is shown.
    """
    digits = ascii_digits(phone)[-10:]
    if len(digits) < 8:
        return "x" * len(digits)
    return f"{digits[:2]}{'x' * (len(digits) - 4)}{digits[-2:]}"


def mask_phones(text: str, *, mistyped: bool = False, known: Mapping[str, str] = MappingProxyType({})) -> str:
    """`text` with each phone number in it masked. `mistyped`: as in find_phone_numbers. `known`: digits, or
    the last ten of more -> what is written instead of them."""
    parts, done = [], 0
    for number in find_phone_numbers(text, mistyped=mistyped):
        shown = known.get(number.digits) or known.get(number.digits[-10:]) or mask_phone(number.digits)
        parts += [text[done : number.start], shown]
        done = number.end
    return "".join([*parts, text[done:]]) if parts else text


class Redactor:
    """Text -> the same text without `secrets`, credentials in URLs, bearer tokens and phone numbers.

    Secrets shorter than four characters are left alone: replacing them would garble every line.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        # Longest first: of a secret that contains another one, nothing may remain.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        return mask_phones(self.without_secrets(text))

    def without_secrets(self, text: str) -> str:
        """The text as it is but for secrets, for who has asked to see phone numbers."""
        if self._secrets:
            text = self._secrets.sub(MASK, text)
        if "@" in text:
            text = _CREDENTIALS.sub(f"{MASK}@", text)
        return _BEARER.sub(rf"\1{MASK}", text)


def _forms(secret: str) -> set[str]:
    """How a secret may appear: as it is, percent-encoded, or escaped in a Python or JSON string."""
    encoded = {
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return {secret, *encoded, repr(secret)[1:-1], json.dumps(secret)[1:-1]}


def redacted(value: Any, redact: Callable[[str], str], *, numbers: bool = False) -> Any:
    """JSON-like data with every text redacted, including field names, which may come from leads.

    `numbers`: it is raw data of a source, in which a number may be a phone number; NaN and infinity, which
    JSON lacks, become texts.
    """
    match value:
        case str():
            return redact(value)
        case Mapping():
            return _with_names(
                (redact(str(name)), redacted(item, redact, numbers=numbers)) for name, item in value.items()
            )
        case list() | tuple():
            return [redacted(item, redact, numbers=numbers) for item in value]
        case int() | float() if numbers and not isinstance(value, bool):
            written = str(value)
            shown = redact(written)
            finite = isinstance(value, int) or math.isfinite(value)
            return value if finite and shown == written else shown
        case _:
            return value


def _with_names(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dict of all `items`: names made equal by redaction are numbered, so that no value is lost."""
    named: dict[str, Any] = {}
    for name, value in items:
        unused, number = name, 1
        while unused in named:
            number += 1
            unused = f"{name} ({number})"
        named[unused] = value
    return named
