"""On which line a key of a TOML text stands, which tomllib doesn't tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

Keys: TypeAlias = tuple[str, ...]
"""A table's keys and the key in it: ("columns", "walkin", "Mobile")."""

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def lines_of_keys(text: str) -> Mapping[Keys, int]:
    """The line (from 1) of each table and key of a valid TOML text, the first of each; not of those within an
    inline table."""
    lines: dict[Keys, int] = {}
    table: Keys = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            keys = (*table, *_parts(key[1]))
            for length in range(len(table) + 1, len(keys) + 1):
                lines.setdefault(keys[:length], number)
    return lines


def line_of_error(error: tomllib.TOMLDecodeError, text: str) -> tuple[int, str]:
    """The line of a syntax error, and what is wrong there."""
    message = str(error)
    at = _AT.search(message)
    line = int(at[1]) if at and at[1] else text.count("\n") + 1
    return line, (message[: at.start()] if at else message)


def _parts(dotted: str) -> Keys:
    """The parts of a dotted key; none where it only looks like one, within a text of several lines."""
    try:
        found = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str] = []
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        parts.append(key)
    return tuple(parts)
