"""Parsers for single settings: from text to value, or a SettingsError that says what is allowed.

Each parser gets the text (not blank) and the folder for relative paths. The caller prefixes the message with
the setting's name and origin, so it starts in lower case and has no full stop.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncctl.errors import SettingsError
from syncctl.filesystem.ordinary_files import open_ordinary
from syncctl.safe_output.printable import printable

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from syncctl.settings.mapping_file import MappingFile

Parser = Callable[[str, Path], Any]

_SWITCHES = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_SHOWN = 60
_LONGEST_KEY_FILE = 65_536


def quoted(text: str) -> str:
    """`text` for a message: printable, quoted, shortened if long."""
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return f'"{printable(cut)}"'


def boolean(text: str, _folder: Path) -> bool:
    """true, 1, yes, on; false, 0, no, off; case-insensitive."""
    if text.lower() not in _SWITCHES:
        raise SettingsError(f"{quoted(text)} is neither true nor false")
    return _SWITCHES[text.lower()]


def whole_number(low: int, high: int) -> Parser:
    """A parser of whole numbers from `low` to `high`."""

    def parse(text: str, _folder: Path) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise SettingsError(f"{quoted(text)} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def decimal_number(low: float, high: float, *, per: float = 1) -> Parser:
    """A parser for decimal numbers from `low` to `high`; the value is divided by `per`."""

    def parse(text: str, _folder: Path) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not low <= float(text) <= high:
            raise SettingsError(f"{quoted(text)} is not a number from {low:g} to {high:g}")
        return float(text) / per

    return parse


def choice(*values: str) -> Parser:
    """A parser for one of `values` (lower case), case-insensitive."""

    def parse(text: str, _folder: Path) -> str:
        if text.lower() not in values:
            raise SettingsError(f"{quoted(text)} is not {' or '.join(values)}")
        return text.lower()

    return parse


def time_zone(text: str, _folder: Path) -> ZoneInfo:
    """A name of the IANA time zone database."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (LookupError, ValueError, OSError) as error:
        raise SettingsError(f"{quoted(text)} is not a time zone such as Asia/Kolkata") from error


def schedule(text: str, _folder: Path) -> str:
    """A crontab(5) expression with five fields that fires at some time."""
    from syncctl.scheduling.expression import next_run

    if not text.isascii() or not text.isprintable() or len(text) > 500:
        raise SettingsError(f"{quoted(text)} is not a schedule of five fields such as */5 * * * *")
    next_run(text, UTC, datetime(2026, 1, 1, tzinfo=UTC))
    return text


def path(text: str, folder: Path) -> Path:
    """A path, made absolute; a leading `~` is the home folder. Messages don't quote it: it may be
    something else."""
    try:
        if _CONTROL.search(text) or not os.fsencode(text):
            raise SettingsError("a path is expected, without control characters")
        return folder / Path(text).expanduser()
    except UnicodeEncodeError as error:
        raise SettingsError("a path is expected: it has characters that no file name can have") from error
    except RuntimeError as error:
        raise SettingsError("the home folder that it begins with can't be found") from error


def mapping_file(text: str, folder: Path) -> MappingFile:
    """The mapping file at the path `text`, read and checked."""
    from syncctl.settings.mapping_file import read_mapping_file

    return read_mapping_file(path(text, folder))


def key(text: str, _folder: Path) -> str:
    """An API key that can stand in a header (RFC 9110, 5.5): Latin-1, no control characters."""
    if _CONTROL.search(text) or any(ord(character) > 0xFF for character in text):
        raise SettingsError("the key contains characters that can't be sent: copy it again")
    if text.lower().startswith("bearer "):
        raise SettingsError('leave out the word "Bearer" before the key')
    return text


def key_file(text: str, folder: Path) -> str:
    """The stripped content of the file at the path `text`: an API key, checked as in `key`."""
    file = path(text, folder)
    # If a key was given instead of a file name, it must not be shown.
    in_folder = os.path.dirname(text) and os.path.isdir(folder / os.path.dirname(text))
    name = f"the key file {printable(str(file))}" if in_folder else "the key file"
    try:
        with open_ordinary(file) as opened:
            content = opened.read(_LONGEST_KEY_FILE + 1)
    except OSError as error:
        raise SettingsError(f"{name} can't be read: {error.strerror}") from error
    if len(content) > _LONGEST_KEY_FILE:
        raise SettingsError(f"{name} is too long to be a key")
    stripped = content.decode("utf-8-sig", errors="replace").strip()
    if not stripped:
        raise SettingsError(f"{name} is empty")
    return key(stripped, folder)
