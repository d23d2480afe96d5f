"""Secrets and customers' phone numbers made unreadable: the last line of defence of logs and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"

_SHORTEST_SECRET = 4
_CREDENTIALS = re.compile(r"""(?<=://)[^\s/?#"']*@""")
_BEARER = re.compile(r"""\b(bearer\s+)[^\s"',;]+""", re.IGNORECASE)

# What looks like a phone number but is none is matched first, and so passed over. The digits are ASCII's.
_PHONE = re.compile(
    r"""
    (?P<other>
        (?<![0-9A-Za-z])
        (?: [0-9a-fA-F]{8} (?:-[0-9a-fA-F]{4}){3} - [0-9a-fA-F]{12}     # a UUID
          | [0-9a-fA-F]{24} | [0-9a-fA-F]{32} | [0-9a-fA-F]{40} | [0-9a-fA-F]{64}   # an id, a hash
        )
        (?![0-9A-Za-z])
      | (?<![0-9]) (?!0091) [0-9]{13,}                                  # a booking number, a timestamp
      | (?<![0-9]) (?: [0-9]{4}-[0-9]{2}-[0-9]{2} | [0-9]{2}-[0-9]{2}-[0-9]{4} ) (?![0-9-])   # a date
    )
  | (?<![0-9])
    (?:
        (?: \+ | 00 ) \s? 91 [\s.()-]{0,3} [0-9] (?: [\s.()-]{0,3} [0-9] ){9}
      | (?: 91 | 0 ) (?! [ -] [0-9]{4}-[0-9]{2}-[0-9]{2} (?![0-9]) )     # a count, then a date
        [ -]? [0-9]{2} (?: [ -]? [0-9] ){8}
      | [0-9]{5} [ -]? [0-9]{5}
      | [0-9]{10}
    )
    (?! [0-9] )
    """,
    re.VERBOSE,
)


def mask_phone(phone: str) -> str:
    """`phone` with only its first and last two digits readable: 90xxxxxx11.

    Of more than ten digits the last ten count (contract/database.md); of fewer than eight none is shown.
    """
    digits = "".join(character for character in phone if "0" <= character <= "9")[-10:]
    if len(digits) < 8:
        return "x" * len(digits)
    return f"{digits[:2]}{'x' * (len(digits) - 4)}{digits[-2:]}"


class Redactor:
    """Text -> the same text without `secrets`, credentials in URLs, bearer tokens and phone numbers.

    Secrets shorter than four characters are left alone: replacing them would garble every line.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _forms(secret)}
        # Longest first, so that of a secret that contains another one no rest is left.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._secrets = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(MASK, text)
        if "@" in text:
            text = _CREDENTIALS.sub(f"{MASK}@", text)
        text = _BEARER.sub(rf"\1{MASK}", text)
        return _PHONE.sub(_mask_match, text)


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, percent-encoded, and inside a Python or JSON string."""
    encoded = {
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    return {secret, *encoded, repr(secret)[1:-1], json.dumps(secret)[1:-1]}


def _mask_match(match: re.Match[str]) -> str:
    return match[0] if match["other"] is not None else mask_phone(match[0])
