"""Single garbage values: known troublemakers, and a pool of two thousand of every kind."""

import struct
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.oracle import ALIASES

NASTY_TEXTS: tuple[str, ...] = (
    *("", " ", "\0", "\ud800", "\udfff\ud800", "\x1f", "a\x1fb", "$where", "a.b", "$ne", "null", "NaN"),
    *("9" * 5000, "x" * 20_000, "\0" * 300, "😀" * 3000, "=1+1", "-", "İ", "ß", "\u202e"),
    *("+91 94000 00001", "94000 00001/94000 00002", "٩٤٠٠٠٠٠٠٠١", "9400000001.0", "9.4E+09", "12"),
    *("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "2026-02-30", "1900-01-01", "20260311"),
    *("2026-03-11T10:00:00+14:00", "0001-01-01T00:00:00+14:00", "2026-W11-3", "0000-00-00", "1e999"),
)
NASTY_NUMBERS: tuple[float, ...] = (
    *(0, -1, 2**53 + 1, 2**63, 2**64, 10**400, -0.0, 1e308, 5e-324, 9400000001, 9400000001.0),
)
OPERATORS: tuple[Any, ...] = (
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$in": ["1001"]},
    {"$where": "1"},
    ["1001"],
)
KEYS: tuple[str, ...] = (
    *(name for names in ALIASES.values() for name in names),
    *("itemCode", "locCode", "locName", "city", "status"),
    *("$ne", "$where", "a.b", "", "_id", "__proto__", "\0"),
)

SOUND_TEXTS = ("9400000002", "+91 94000 00001", "2026-03-01T10:00:00", "Anagha S", "1500.5", "09-10-2025")
"""What the fields of a row look like: garbage that is nearly right."""

POOL = 2000
_STRANGE = "\0\t\n\r\x0b\x1b\x1c\x1f\x85\u00a0\u0661\u200f\u2028\ufeff\uffff\ud800\udfff😀'\"\\;,$.{}[]<>%"
_CODE_POINTS = ((0x20, 0x7E), (0, 0x1F), (0x80, 0x24F), (0x600, 0x9FF), (0xD800, 0xDFFF), (0x1F300, 0x1FAFF))
_DEEPEST = 3


def any_text(rng: Random) -> str:
    """A short text of any Unicode characters, including lone surrogates and NUL."""
    return "".join(chr(rng.randint(*rng.choice(_CODE_POINTS))) for _ in range(rng.randint(0, 12)))


def mangled(text: str, rng: Random) -> str:
    """A text with one to three characters removed, doubled, swapped, or followed by strange ones."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        before, here, after = text[:at], text[at : at + 1], text[at + 1 :]
        other = rng.choice((rng.choice(_STRANGE), chr(rng.randint(0x30, 0x39)), ""))
        text = before + rng.choice((other, here + here, here + other)) + after
    return text


def a_text(rng: Random) -> str:
    """A known troublemaker, a nearly valid text, or any text."""
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(NASTY_TEXTS)
    return mangled(rng.choice(SOUND_TEXTS), rng) if kind < 0.65 else any_text(rng)


def a_number(rng: Random) -> float:
    """An integer of any size, or a float of any bits, including NaN and infinity."""
    makers: tuple[Callable[[], float], ...] = (
        lambda: rng.choice(NASTY_NUMBERS),
        lambda: rng.randint(-(10 ** rng.randint(1, 30)), 10 ** rng.randint(1, 30)),
        lambda: float(struct.unpack("d", rng.randbytes(8))[0]),
        lambda: rng.randint(10**8, 10**12) / rng.choice((1, 1, 2)),
    )
    return rng.choice(makers)()


def a_value(rng: Random, depth: int = 0) -> Any:
    """Anything that JSON can say, and what Python's JSON says beyond it."""
    kind = rng.random()
    if kind < 0.5:
        return a_text(rng)
    if kind < 0.72:
        return a_number(rng)
    if kind < 0.8:
        return rng.choice((None, True, False, *OPERATORS))
    if depth == _DEEPEST:
        return []
    inner = [a_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    if kind < 0.9:
        return inner
    return {rng.choice((rng.choice(KEYS), any_text(rng))): value for value in inner}


def pool(rng: Random) -> list[Any]:
    """Two thousand values, including the known troublemakers."""
    known = [*NASTY_TEXTS, *NASTY_NUMBERS, *OPERATORS]
    return known + [a_value(rng) for _ in range(POOL - len(known))]


def text_pool(rng: Random) -> list[str]:
    """Two thousand texts, likewise."""
    return [*NASTY_TEXTS, *(a_text(rng) for _ in range(POOL - len(NASTY_TEXTS)))]
