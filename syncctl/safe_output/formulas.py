"""Cells that no spreadsheet runs as a formula, and back."""

from __future__ import annotations

import re

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
