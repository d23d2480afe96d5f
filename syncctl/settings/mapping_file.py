"""MAPPING_FILE: stores, places and column titles over the packaged tables (docs/reference/mapping.md).

It only adds. What contradicts the packaged tables would give known leads another key, and so save
them again: that is a clash, as is one thing said twice (docs/decisions/0022-a-mapping-file.md).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError
from syncctl.files.headers import Titles
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.filesystem.trusted_files import others_control
from syncctl.locations import Locations
from syncctl.safe_output.printable import printable
from syncctl.settings.mapping_tables import Entry, Keys, TableReader

LONGEST_FILE = 1 << 20
"""Bytes."""


class MappingFile(NamedTuple):
    """The tables in force: the packaged ones with what a mapping file adds."""

    path: Path
    locations: Locations
    titles: Mapping[StepName, Titles]
    """By the kind of file."""

    entries: tuple[Entry, ...]

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def fingerprint(self) -> str:
        """Changes with what the file adds, so that files read without it are read again."""
        added = sorted(tuple(entry) for entry in self.entries if entry.is_new)
        return hashlib.sha256(repr(added).encode()).hexdigest()[:16] if added else ""


def read_mapping_file(path: Path) -> MappingFile:
    """The mapping file at `path`, over the packaged tables.

    Raises SettingsError, which names the file and the line, for whatever is wrong with it, and if another
    user could write it.
    """
    text = _text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, what = line_of_error(error, text)
        raise SettingsError(f"{_shown(path)}, line {line}: it isn't valid TOML: {what}") from error
    except RecursionError as error:
        raise SettingsError(f"{_shown(path)}, line 1: it is nested too deeply") from error
    reader = TableReader(_shown(path), tables, lines_of_keys(text))
    return MappingFile(path, reader.locations(), reader.titles, tuple(reader.entries))


def _text(path: Path) -> str:
    try:
        if found := others_control(path):
            what, cure = found
            raise SettingsError(
                f"{_shown(path)} was not used because another user could change it: {what}. If you "
                f"trust it: {cure}"
            )
        with open_ordinary(path) as opened:
            content = opened.read(LONGEST_FILE + 1)
        if len(content) > LONGEST_FILE:
            raise SettingsError(f"{_shown(path)} is too long to be a mapping file")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{_shown(path)} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(f"{_shown(path)}, line {line}: it is not UTF-8 text: save it as UTF-8") from error


def _shown(path: Path) -> str:
    return printable(str(path))


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
