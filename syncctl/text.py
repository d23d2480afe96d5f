"""Texts compared, so that what reads the same is equal (contract/files.md, "What people write"),
and numbers in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_ZERO_WIDTH_JOINER = "\u200d"
# Since Unicode 5.1 a chillu is one letter; before, it was a consonant, the virama and a joiner.
_CHILLUS = {
    f"{consonant}\u0d4d{_ZERO_WIDTH_JOINER}": chillu
    for consonant, chillu in zip(
        "\u0d23\u0d28\u0d30\u0d31\u0d32\u0d33\u0d15\u0d2e\u0d2f\u0d34",
        "\u0d7a\u0d7b\u0d7c\u0d7c\u0d7d\u0d7e\u0d7f\u0d54\u0d55\u0d56",
        strict=True,
    )
}
_OLD_CHILLU = re.compile("|".join(_CHILLUS))
_SHOWING_NOTHING = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers of Hangul and the empty pattern of Braille, which Unicode holds for letters and symbols."""

_VARIATION_SELECTORS = frozenset(map(chr, (0x34F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


def is_visible(text: str) -> bool:
    """Whether any character of a text shows: blanks, marks and format characters alone do not."""
    return any(
        unicodedata.category(character) not in _SHOWING_NOTHING and character not in _BLANK_LETTERS
        for character in text
    )


def normalize_unicode(text: str) -> str:
    """Normalize what looks the same: Unicode NFC, no format characters (zero-width characters, direction
    marks, soft hyphens), old chillu letters as the new ones (contract/files.md)."""
    if text.isascii():
        return text
    shown = "".join(
        character
        for character in unicodedata.normalize("NFC", text)
        if character == _ZERO_WIDTH_JOINER
        or not (unicodedata.category(character) == "Cf" or character in _VARIATION_SELECTORS)
    )
    modern = _OLD_CHILLU.sub(lambda found: _CHILLUS[found[0]], shown).replace(_ZERO_WIDTH_JOINER, "")
    return unicodedata.normalize("NFC", modern)


_FORMULA_TEXT = re.compile(r'=\s*"([^"]*)"')


def normalize_text(text: str) -> str:
    """Normalize text for comparison: `normalize_unicode`, ignoring case and spacing; ="text" is text."""
    if text.startswith("=") and (formula := _FORMULA_TEXT.fullmatch(text)):
        text = formula[1]
    if text.isascii():
        return " ".join(text.split()).casefold()
    folded = normalize_unicode(text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def plural(count: int, noun: str, several: str = "") -> str:
    """The noun in the form that goes with the number. `several`: the plural, where it is not made by an s."""
    return noun if count == 1 else several or f"{noun}s"


Number = Callable[[int], str]
"""Shows a count: `grouped` on a terminal, plain digits in a pipe."""


def grouped(number: int) -> str:
    """`2,000`: as people read numbers."""
    return f"{number:,}"


def quantity(count: int, noun: str, several: str = "", shown: Number = grouped) -> str:
    """`1 row`, `2,000 rows`. `several`: as for `plural`; `shown`: makes a text of the number."""
    return f"{shown(count)} {plural(count, noun, several)}"


def duration(seconds: float) -> str:
    """A length of time in its most useful unit, rounded down: `40 s`, `95 min`, `26 h`, `3 days`."""
    whole = max(0, int(seconds))
    if whole < 2 * 60:
        return f"{whole} s"
    if whole < 2 * 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" if whole < 48 * 3600 else f"{whole // 86_400:,} days"


def time_ago(seconds: float) -> str:
    """`just now`, `95 s ago`, `95 min ago`, `3 h ago`, `2 days ago`; `in 5 min` for what is to come
    (negative)."""
    whole = round(seconds)
    if abs(whole) < 60:
        return "just now" if whole >= 0 else "in under a minute"
    return f"{duration(whole)} ago" if whole > 0 else f"in {duration(-whole)}"


def did_you_mean(names: Sequence[str]) -> str:
    """The question behind a message about a name that is not known; "" without one."""
    return f" Did you mean {' or '.join(names)}?" if names else ""


def near_names(written: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names with a word that begins like what was typed, else those that are spelt nearly so."""
    from difflib import get_close_matches

    words = {name: normalize_text(name) for name in sorted(names)}
    typed = normalize_text(written)
    begun = [name for name, folded in words.items() if typed and f" {typed}" in f" {folded}"]
    by_end = {folded.rpartition(" - ")[2]: name for name, folded in words.items()} | {
        folded: name for name, folded in words.items()
    }
    near = begun or [by_end[end] for end in get_close_matches(typed, by_end, most, 0.65)]
    return list(dict.fromkeys(near))[:most]


def mapping_entry(key: str, value: str) -> str:
    """A line of the mapping file (docs/reference/mapping.md), as TOML has it."""
    import json

    quoted = (json.dumps(text.replace("\x7f", ""), ensure_ascii=False) for text in (key, value))
    return " = ".join(quoted)


def mapping_line(table: str, key: str, value: str) -> str:
    """What to do about something unknown: the line to add to the mapping file."""
    return f"add to MAPPING_FILE: [{table}] {mapping_entry(key, value)}"


def and_more(count: int) -> str:
    """` and 3 more`, behind the first of many; "" where there are no more."""
    return f" and {count} more" if count > 0 else ""


_LONGEST_WORD = 16


def shortened(text: str, most: int) -> str:
    """On one line, and not longer than so many characters; cut between words, where one ends near."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    whole = line.rfind(" ", max(0, most - _LONGEST_WORD), most)
    return f"{line[: whole if whole > 0 else most - 1].rstrip()}…"


def to_text(value: Any) -> str:
    """An id, or another scalar that should be text, as text: a number without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
