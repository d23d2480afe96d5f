"""Removes personal data from outside texts, so that they can be sent to strangers."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from syncctl.domain.sources import REPORT_STEPS
from syncctl.mapping.api_rows import BOOKING_NO, NAME, OWN_DATES, OWN_TEXTS, PHONE, REMARKS

LONGEST = 200
SHORTEST_VALUE = 3
"""Characters: shorter values of rows are parts of many words."""

OTHER_KEY = "(another key)"

_PERSONAL = (*NAME, *PHONE, *BOOKING_NO, *OWN_TEXTS, *REMARKS)
_FIELDS = frozenset((*_PERSONAL, *(name for names in OWN_DATES for name in names)))
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}", re.ASCII)
_DIGITS = re.compile(r"(?P<day>(?<!\d)\d{4}-\d\d-\d\d(?![\d-]))|\d\dx{4,}\d\d|\+?\d(?:[ ().-]{0,3}\d){4,}")
"""Also numbers that are masked except for four digits; dates are matched too, so that they are skipped."""

_WORD = re.compile(
    r"\[(?:value|quoted|number)\]|(?:[A-Za-z]|[^\x00-\x7f])(?:[\w.'-]|[^\x00-\x7f])*(?<![.'-])", re.ASCII
)
_TECHNICAL = re.compile(
    r"(?:System|Microsoft)(?:\.[A-Z][A-Za-z]+)+"
    rf"|(?:API|{'|'.join(step.name for step in REPORT_STEPS)}|STORE|REQUESTS|DATABASE)(?:_[A-Z]+)+",
    re.ASCII,
)
"""Names of server errors and of settings."""

_SEVERAL_WORDS = re.compile(r"\[word\](?:[ ,.@-]*\[word\])+")
_LETTER = re.compile(r"[^\W\d_]")
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|“[^”]*”|`[^`]*`")
_ID = re.compile(r"[A-Za-z0-9]{1,6}", re.ASCII)


class Scrubber:
    """Removes whatever may be personal from a text: numbers, quoted values, values of the rows that it has
    seen, and every word that isn't typical of error messages: an API may name a customer of whom there is
    no row."""

    def __init__(self, redact: Callable[[str], str], hosts: Collection[str] = ()) -> None:
        """`redact` removes the settings' secrets. `hosts`: of the API, which messages may name."""
        self._redact = redact
        self._hosts = sorted(set(hosts), key=len, reverse=True)
        self._values: set[str] = set()

    def learn(self, rows: Iterable[Any]) -> None:
        """Remember the personal values of these rows, except numbers, which are removed from any text."""
        for row in rows:
            if isinstance(row, Mapping):
                values = (row.get(name) for name in _PERSONAL)
                self._values.update(
                    " ".join(value.split())
                    for value in values
                    if isinstance(value, str) and _LETTER.search(value)
                )

    def text(self, written: str) -> str:
        """A message from the API, on one line."""
        return _cut(_SEVERAL_WORDS.sub("[word]", _WORD.sub(_plain, self._without_values(written))))

    def header(self, written: str) -> str:
        """Like `text`, for a header, which names products rather than people."""
        return _cut(self._without_values(written))

    def _without_values(self, written: str) -> str:
        line = " ".join(written.split())
        for host in self._hosts:
            line = line.replace(host, "the API")
        for value in self._values:
            if len(value) >= SHORTEST_VALUE and value in line:
                line = line.replace(value, "[value]")
        line = _QUOTED.sub("[quoted]", self._redact(line))
        return _DIGITS.sub(lambda match: match[0] if match["day"] else "[number]", line)

    def text_or_none(self, written: str | None) -> str | None:
        """Like `text`, if there is one."""
        return None if written is None else self.text(written)

    def key(self, name: object) -> str:
        """A field's name, if it looks like one."""
        is_name = isinstance(name, str) and _KEY.fullmatch(name) and not _DIGITS.search(name)
        return str(name) if is_name and name not in self._values else OTHER_KEY

    @staticmethod
    def is_location_id(code: str) -> bool:
        """Whether a code of the store list looks like a location id, and not like a personal number."""
        return _ID.fullmatch(code) is not None

    def keys(self, value: Any) -> Any:
        """JSON-like data whose values are ours, with the API's keys scrubbed."""
        if isinstance(value, Mapping):
            return {self.key(name): self.keys(inner) for name, inner in value.items()}
        return value


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


@cache
def _plain_words() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("plain_words.txt").read_text("utf-8").split())


def _plain(match: re.Match[str]) -> str:
    word = match[0]
    is_plain = (
        word.startswith("[")
        or word.lower().replace("\u2019", "'").removesuffix("'s") in _plain_words()
        or word in _FIELDS
        or _TECHNICAL.fullmatch(word)
    )
    return word if is_plain else "[word]"
