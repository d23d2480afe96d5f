"""Makes text from outside safe: no disguised text on a terminal, no formula in a spreadsheet."""

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


_INVISIBLE = (
    r" \x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u061c\u1680\u180e"
    r"\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)
_FORMULA_STARTS = r"=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
# Also after what some spreadsheets take for the end of a cell, whatever quotes surround it.
_FORMULA = re.compile(rf"(^[\t\r\n{_INVISIBLE}]*|[\t\r\n;][{_INVISIBLE}]*)(?=[{_FORMULA_STARTS}])")
"""Where a cell begins like a formula, with characters of any width."""

_GUARD = re.compile(rf"(^|[\t\r\n;])'(?=[\t\r\n{_INVISIBLE}]*[{_FORMULA_STARTS}])")


def formula_safe(written: str) -> str:
    """A cell's text, with an apostrophe before anything a spreadsheet would run (OWASP, "CSV Injection")."""
    defused = _FORMULA.sub(_with_apostrophe, written)
    return f"'{defused}" if defused.startswith(("\t", "\r")) else defused


def without_guard(written: str) -> str:
    """A cell's text without the apostrophes of `formula_safe`."""
    if written.startswith(("'\t", "'\r")):
        written = written[1:]
    return _GUARD.sub(r"\1", written)


def _with_apostrophe(match: re.Match[str]) -> str:
    return f"'{match[0]}" if match.start() == 0 and match[0][:1] != ";" else f"{match[0][0]}'{match[0][1:]}"
