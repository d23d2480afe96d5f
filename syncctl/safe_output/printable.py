"""Text from outside made fit for a terminal: it moves no cursor and shows no other text than it is."""

from __future__ import annotations

import re

_UNPRINTABLE = (
    "\\x00-\\x1f\\x7f-\\x9f"  # controls (C0, DEL, C1)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # which turn the direction of what follows
    "\u2028\u2029"  # line ends
    # which show nothing
    "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff"  # halves of characters
)
# The joiners U+200C and U+200D stay: names in Malayalam are spelt with them.
UNPRINTABLE = re.compile(f"[{_UNPRINTABLE}]")
_UNPRINTABLE_IN_LINES = re.compile(rf"(?![\t\n])[{_UNPRINTABLE}]")
_JOINERS = "\u200c\u200d"


def escape(text: str) -> str:
    """`text` as one line: line breaks and other characters that control something as backslash escapes."""
    return UNPRINTABLE.sub(_backslashed, text)


def escape_lines(text: str) -> str:
    """As `escape`, of a text whose tabs and line breaks are its own."""
    return _UNPRINTABLE_IN_LINES.sub(_backslashed, text)


def escape_json(text: str) -> str:
    """JSON with the same characters escaped as JSON does: it means the same."""
    return UNPRINTABLE.sub(_as_json, text)


def printable(text: str) -> str:
    """`text` with what a terminal could choke on escaped, also spaces that only look like one."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or (character in _JOINERS and _joins(text, place))
        else character.encode("unicode_escape").decode("ascii")
        for place, character in enumerate(text)
    )


def _joins(text: str, place: int) -> bool:
    """Whether it stands in a word of one of India's scripts."""
    return place > 0 and "\u0900" <= text[place - 1] <= "\u0dff"


def _backslashed(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _as_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
