"""A row of leads as one line of JSON and back, each column as it is stored."""

import base64
import json
import math
import sqlite3
from typing import Any

from syncctl.storage.common.snapshot_lines import SQLITE_MARK, parsed, wrong_kind

TABLE = "leads"


class UndecodableText(bytes):
    """Text that isn't UTF-8, as the bytes that are stored: a person's shell may have written another one."""


def exact_text(stored: bytes) -> str | UndecodableText:
    """A text_factory that loses nothing."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return UndecodableText(stored)


def to_line(row: sqlite3.Row) -> str:
    """A whole row, read with `exact_text`, as one line of ASCII."""
    columns = {column: _json_value(row[column]) for column in row.keys()}  # noqa: SIM118 a Row yields values
    return json.dumps({SQLITE_MARK: TABLE, **columns}, allow_nan=False)


def from_line(line: str) -> dict[str, Any]:
    """The columns that `to_line` wrote. Raises StorageError for any other line."""
    return parsed(line, _read)


def _read(line: str) -> dict[str, Any]:
    found = json.loads(line)
    found["_id"]
    if found.pop(SQLITE_MARK, None) != TABLE:
        raise wrong_kind("MongoDB")
    return {column: _value(written) for column, written in found.items()}


def _json_value(value: Any) -> Any:
    match value:
        case UndecodableText():
            return {"$text": base64.b64encode(value).decode()}
        case bytes():
            return {"$binary": base64.b64encode(value).decode()}
        case float() if math.isinf(value):
            return {"$real": str(value)}
        case _:
            return value


def _value(written: Any) -> Any:
    match written:
        case {"$text": str(text)}:
            return UndecodableText(base64.b64decode(text, validate=True))
        case {"$binary": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"$real": str(text)}:
            return float(text)
        case None | str() | int() | float():
            return written
        case _:
            raise TypeError
