"""The two log formats, text and JSON: one line per event, without secrets."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from syncctl.safe_output.printable import escape

Redact = Callable[[str], str]

_TEXT_LEVELS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
_COLOURS = {logging.DEBUG: 2, logging.WARNING: 33, logging.ERROR: 31, logging.CRITICAL: 31}
"""Select Graphic Rendition of ECMA-48: faint, yellow, red."""


class TextFormatter(logging.Formatter):
    """`2026-11-23T16:00:00Z INFO message`; control characters are escaped so that it stays one line.
    `coloured`: the level is, where something went wrong."""

    def __init__(self, redactor: Redact, *, coloured: bool = False) -> None:
        super().__init__()
        self._redact = redactor
        self._colours = _COLOURS if coloured else {}

    def format(self, record: logging.LogRecord) -> str:
        level = f"{_TEXT_LEVELS.get(record.levelname, record.levelname):<5}"
        if colour := self._colours.get(record.levelno):
            level = f"\x1b[{colour}m{level}\x1b[0m"
        text = "\n".join(part for part in (_message(record), _exception(self, record)) if part)
        return f"{_utc(record, 'seconds')} {level} {escape(self._redact(text))}"


class JsonFormatter(logging.Formatter):
    """One JSON object: time, level (lower case), message, then the event's fields."""

    def __init__(self, redactor: Redact) -> None:
        super().__init__()
        self._redact = redactor

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": _utc(record, "milliseconds"),
            "level": record.levelname.lower(),
            "message": self._redact(_message(record)),
        }
        if exception := _exception(self, record):
            event["exception"] = self._redact(exception)
        fields = self._plain(getattr(record, "fields", {}))
        event.update({name: value for name, value in fields.items() if name not in event})
        return json.dumps(event)

    def _plain(self, value: Any) -> Any:
        """`value` as JSON-compatible data, with every text and number redacted."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, Mapping):
            return {self._redact(str(name)): self._plain(item) for name, item in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            return [self._plain(item) for item in value]
        shown = self._redact(str(value))
        return value if isinstance(value, int) and shown == str(value) else shown


def _utc(record: logging.LogRecord, timespec: str) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, LookupError):
        # The arguments don't match the format: a bug, but the message should not be lost.
        return f"{record.msg} {record.args}"


def _exception(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def encodable(text: str, stream: TextIO) -> str:
    """`text` with characters that the stream's encoding lacks escaped."""
    encoding = getattr(stream, "encoding", None) or "utf-8"  # a StringIO has none
    return text.encode(encoding, "backslashreplace").decode(encoding)
