"""Sets up the program's log once per run, on a stream and in a file. Two formats, text and
JSON: one line per event, without secrets."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from syncctl.cli.terminal.streams import has_colour
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


LogFormat = Literal["text", "json"]

LOGGER_NAME = "syncctl"

RECENT_LINES = 500

_installed: list[logging.Handler] = []


def configure_logging(  # noqa: PLR0913 - one keyword for each choice
    *,
    level: int,
    file_level: int = logging.INFO,
    stream: TextIO | None = None,
    stream_format: LogFormat | None = "text",
    log_file: Path | None = None,
    log_format: LogFormat = "text",
    redactor: Redact,
    recent_lines: RecentLines | None = None,
) -> None:
    """Send events of the logger "syncctl", and other libraries' warnings, to those of `stream`, `log_file`
    and `recent_lines` that are given.

    `level` is the minimum level for `stream` (stderr by default; none if `stream_format` is None),
    `file_level` that for the file, which --quiet doesn't affect. Event fields are passed as
    `extra={"fields": {...}}`. A second call replaces the previous setup.

    Raises SettingsError if `log_file` can't be written.
    """
    reset_logging()
    stream = stream or sys.stderr
    handlers: list[logging.Handler] = [recent_lines] if recent_lines else []
    if stream_format is not None:
        on_stream = _StreamHandler(stream)
        on_stream.setLevel(level)
        on_stream.setFormatter(formatter(stream_format, redactor, coloured=has_colour(stream)))
        handlers.append(on_stream)
    if log_file is not None:
        # Imported late: logging.handlers pulls in sockets and pickle.
        from syncctl.cli.logs.log_file import open_log_file

        in_file = open_log_file(log_file, stream)
        in_file.setLevel(file_level)
        in_file.setFormatter(formatter(log_format, redactor))
        handlers.append(in_file)
    # On the root, so that what libraries warn of is redacted too, and not printed raw by logging's last
    # resort; which the null handler keeps silent where there is no other one.
    _installed.extend(handlers or [logging.NullHandler()])
    for handler in _installed:
        logging.getLogger().addHandler(handler)
    # It logs addresses, and tracebacks of errors that reach us as exceptions anyway.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
    logging.getLogger(LOGGER_NAME).setLevel(min([handler.level for handler in handlers], default=level))


def reset_logging() -> None:
    """Undo `configure_logging`: close its handlers and unset the level. Does nothing if it was not called."""
    while _installed:
        handler = _installed.pop()
        logging.getLogger().removeHandler(handler)
        # A full disk has already been reported.
        with contextlib.suppress(OSError):
            handler.close()
    logging.getLogger(LOGGER_NAME).setLevel(logging.NOTSET)


def record_of(level: int, message: str) -> logging.LogRecord:
    """A log record of `message` with the current time, for use without a configured log."""
    return logging.LogRecord(LOGGER_NAME, level, "", 0, message, None, None)


def formatter(log_format: LogFormat, redactor: Redact, *, coloured: bool = False) -> logging.Formatter:
    """The formatter for a log format. `coloured`: text may be."""
    return JsonFormatter(redactor) if log_format == "json" else TextFormatter(redactor, coloured=coloured)


class RecentLines(logging.Handler):
    """The most recent log lines as text, for the heartbeat at the end of a run."""

    def __init__(self, redactor: Redact) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(TextFormatter(redactor))
        self._lines: deque[str] = deque(maxlen=RECENT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


class _StreamHandler(logging.StreamHandler[TextIO]):
    """A stream handler that works with any encoding."""

    def format(self, record: logging.LogRecord) -> str:
        return encodable(super().format(record), self.stream)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ignore errors: the stream is closed or its reader is gone, so there is nobody to warn."""
