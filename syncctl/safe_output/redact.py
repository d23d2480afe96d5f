"""Redacts secrets and customers' phone numbers: the last line of defence for logs and errors."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

_NATIONAL = 10
_SHORTEST_ABROAD, _LONGEST_ABROAD = 8, 15  # E.164 allows fifteen digits with the country's
_SHORTEST_MISTYPED, _LONGEST_MISTYPED = 8, 13
_LONGEST_WRITTEN = 17  # 00 before the longest
_WITH_PREFIX = re.compile(r"(?:0|0?91|0091)[0-9]{10}|00[1-9][0-9]{8,12}")
_FIRST_OF_MOBILES = "6789"
_USUAL_GROUPS = {(10,), (5, 5), (3, 3, 4), (2, 3, 5), (3, 4, 3), (4, 3, 3), (2, 4, 4), (1, 3, 3, 3)}
"""How ten digits are grouped where nothing else says that they are a phone number."""

_BETWEEN = re.compile(r"[\s.()-]{1,4}")
_PLUS = re.compile(r"\+[\s(]{0,3}\Z")
_MANY_DIGITS = re.compile(r"(?:[0-9][^0-9]{0,4}){7}[0-9]")

_DAY, _MONTH, _YEAR = "(?:0[1-9]|[12][0-9]|3[01])", "(?:0[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_TOKEN = re.compile(
    rf"""
    (?P<other>
        (?<![0-9A-Za-z])
        (?: [0-9a-fA-F]{{8}} (?:-[0-9a-fA-F]{{4}}){{3}} - [0-9a-fA-F]{{12}}     # a UUID
          | [0-9a-fA-F]{{24}} | [0-9a-fA-F]{{32}} | [0-9a-fA-F]{{40}} | [0-9a-fA-F]{{64}}   # an id, a hash
        )
        (?![0-9A-Za-z])
      | (?<![0-9]) (?: {_YEAR}-{_MONTH}-{_DAY} | {_DAY}(?P<dash>[-.]){_MONTH}(?P=dash){_YEAR} )
        (?! [0-9] | [-.][0-9] )                                          # a date
      | (?<![0-9]) [0-9]{{1,2}} : [0-5][0-9] (?: :[0-5][0-9] (?:[.,][0-9]+)? )? (?![0-9])    # a time of day
      | (?<![0-9.]) 0\.[0-9]+ (?! [0-9] | \.[0-9] )                        # a fraction
      | (?<![0-9.]) (?: [0-9]{{1,3}}\. ){{3}} [0-9]{{1,3}} (?! [0-9] | \.[0-9] )             # an IP address
      | (?<![0-9]) (?<!\+) (?<!\+[\s(]) (?! 0{{1,2}}[1-9][0-9]{{10,12}}(?![0-9]) ) [0-9]{{13,}}
        # a booking number, a timestamp
    )
  | (?P<digits> [0-9]+ )
    """,
    re.VERBOSE,
)
_LOOKALIKES = str.maketrans({"\u2212": "-", "\u00b7": ".", "\u2022": ".", "\u2024": "."})


class PhoneNumber(NamedTuple):
    """Where a number stands in a text, and its digits as 0 to 9."""

    start: int
    end: int
    digits: str


def ascii_digits(text: str) -> str:
    """The digits of `text`, of any script, as 0 to 9."""
    return "".join(character for character in plain_text(text)[0] if "0" <= character <= "9")


def find_phone_numbers(text: str, *, mistyped: bool = False) -> Iterator[PhoneNumber]:
    """The phone numbers in `text`, in its order.

    `mistyped`: it is a customer's record, where any eight to thirteen digits may be meant for a number.
    """
    plain, places = plain_text(text)
    if not _MANY_DIGITS.search(plain):
        return
    for chain in _chains(plain):
        for start, end, digits in _in_chain(plain, chain, mistyped=mistyped):
            yield PhoneNumber(places[start], places[end - 1] + 1, digits)


def plain_text(text: str) -> tuple[str, Sequence[int]]:
    """`text` with digits, spaces and hyphens of all scripts as ASCII's, without what shows nothing: and where
    each of its characters stands in `text`."""
    if text.isascii() and text.isprintable():
        return text, range(len(text))
    plain, places = [], []
    for place, character in enumerate(text):
        seen = character if character.isascii() and character.isprintable() else _seen(character)
        if seen:
            plain.append(seen)
            places.append(place)
    return "".join(plain), places


def _seen(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Mn", "Me"):
        return ""
    if category == "Pd":
        return "-"
    narrow = unicodedata.normalize("NFKC", character).translate(_LOOKALIKES)
    return narrow if len(narrow) == 1 else character


def _chains(plain: str) -> Iterator[list[re.Match[str]]]:
    """Groups of digits with nothing between them but what may stand inside of a phone number."""
    chain: list[re.Match[str]] = []
    for token in _TOKEN.finditer(plain):
        is_digits = token["digits"] is not None
        if chain and not (is_digits and _BETWEEN.fullmatch(plain, chain[-1].end(), token.start())):
            yield chain
            chain = []
        if is_digits:
            chain.append(token)
    if chain:
        yield chain


def _in_chain(plain: str, chain: list[re.Match[str]], *, mistyped: bool) -> Iterator[tuple[int, int, str]]:
    first = 0
    while first < len(chain):
        start = chain[first].start()
        plus = _PLUS.search(plain, max(0, start - 4), start)
        count = _groups_of_number(plain, chain[first : first + _LONGEST_WRITTEN], plus is not None, mistyped)
        if not count:
            first += 1
            continue
        number = chain[first : first + count]
        end = number[-1].end()
        start = plus.start() if plus else start
        if plain[max(0, start - 1) : start] == "(" and ")" in plain[start:end]:
            start -= 1
        yield start, end, "".join(group[0] for group in number)
        first += count


def _groups_of_number(plain: str, groups: list[re.Match[str]], plus: bool, mistyped: bool) -> int:
    """How many of `groups`, from the first on, are a phone number: of several possible ones the longest, but
    a whole Indian number rather than one with what stands behind it. 0: they are none."""
    found, digits = 0, ""
    for count, group in enumerate(groups, 1):
        digits += group[0]
        gap = plain[groups[count - 2].end() : group.start()] if count > 1 else ""
        if len(digits) > _LONGEST_WRITTEN or (found and gap == "." and len(group[0]) <= 2):
            break
        if plus and re.fullmatch("91[0-9]{10}", digits):
            return count
        if _is_number(plain, groups[:count], digits, plus, mistyped):
            found = count
    return found


def _is_number(plain: str, groups: list[re.Match[str]], digits: str, plus: bool, mistyped: bool) -> bool:
    length = len(digits)
    if plus:
        if digits[0] == "0" or not _SHORTEST_ABROAD <= length <= _LONGEST_ABROAD:
            return False
        return _fraction(plain, groups) not in (1, 2)
    if digits[0] in "09" and _WITH_PREFIX.fullmatch(digits):
        return any(len(group[0]) > 1 for group in groups)
    if length == _NATIONAL:
        usual = digits[0] in _FIRST_OF_MOBILES or tuple(len(group[0]) for group in groups) in _USUAL_GROUPS
    else:
        usual = False
    if not usual and not (mistyped and _SHORTEST_MISTYPED <= length <= _LONGEST_MISTYPED):
        return False
    fraction = _fraction(plain, groups)
    return fraction in (0, 5) or (fraction > 2 and len(groups) > 2)


def _fraction(plain: str, groups: list[re.Match[str]]) -> int:
    """How many digits stand behind its only point, if they end it: what looks like an amount or a measure."""
    gaps = [plain[before.end() : after.start()] for before, after in pairwise(groups)]
    return len(groups[-1][0]) if gaps[-1:] == ["."] and gaps.count(".") == 1 else 0


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
