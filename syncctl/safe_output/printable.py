"""Makes text from outside safe for a terminal: no cursor movement, no disguised text."""

from __future__ import annotations

import re

_UNPRINTABLE = (
    "\\x00-\\x1f\\x7f-\\x9f"  # controls (C0, DEL, C1)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # change the text direction
    "\u2028\u2029"  # line ends
    # invisible
    "\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff"  # lone surrogates
)
# The joiners U+200C and U+200D are kept: Malayalam names are spelled with them.
UNPRINTABLE = re.compile(f"[{_UNPRINTABLE}]")
_UNPRINTABLE_IN_LINES = re.compile(rf"(?![\t\n])[{_UNPRINTABLE}]")
_JOINERS = "\u200c\u200d"


def escape(text: str) -> str:
    """`text` on one line, with line breaks and control characters as backslash escapes."""
    return UNPRINTABLE.sub(_backslashed, text)


def escape_lines(text: str) -> str:
    """Like `escape`, but keeps tabs and line breaks."""
    return _UNPRINTABLE_IN_LINES.sub(_backslashed, text)


def escape_json(text: str) -> str:
    """JSON with the same characters as JSON escapes; its meaning is unchanged."""
    return UNPRINTABLE.sub(_as_json, text)


def printable(text: str) -> str:
    """`text` with characters escaped that a terminal may mishandle, including look-alikes of spaces."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or (character in _JOINERS and _is_joiner_in_word(text, place))
        else character.encode("unicode_escape").decode("ascii")
        for place, character in enumerate(text)
    )


def _is_joiner_in_word(text: str, place: int) -> bool:
    """Whether the joiner is inside a word of an Indian script."""
    return place > 0 and "\u0900" <= text[place - 1] <= "\u0dff"


def _backslashed(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _as_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
