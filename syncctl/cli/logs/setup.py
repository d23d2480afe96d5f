"""The program's log: set up once per run, on a stream and in a file."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import deque
from pathlib import Path
from typing import Literal, TextIO

from syncctl.cli.logs.formats import JsonFormatter, Redact, TextFormatter, encodable

LogFormat = Literal["text", "json"]

LOGGER_NAME = "syncctl"

LINES_KEPT = 500

_FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}
_installed: list[logging.Handler] = []


def configure_logging(  # noqa: PLR0913 - one keyword for each choice
    *,
    level: int,
    stream: TextIO | None = None,
    stream_format: LogFormat | None = "text",
    log_file: Path | None = None,
    log_format: LogFormat = "text",
    redactor: Redact,
    kept: KeptLines | None = None,
) -> None:
    """Send the events of the logger "syncctl", and other libraries' warnings, to those of `stream`,
    `log_file` and `kept` that are given.

    `level` is the least that `stream` (stderr unless given; nothing with `stream_format` None) shows; the
    file has INFO and above even if that is higher, since --quiet is about the terminal. An event's own
    fields come as `extra={"fields": {...}}`. Calling it again replaces what the last call set up.

    Raises SettingsError if `log_file` can't be written.
    """
    reset_logging()
    stream = stream or sys.stderr
    handlers: list[logging.Handler] = [kept] if kept else []
    if stream_format is not None:
        on_stream = _StreamHandler(stream)
        on_stream.setLevel(level)
        on_stream.setFormatter(formatter(stream_format, redactor))
        handlers.append(on_stream)
    if log_file is not None:
        # Only here: by way of logging.handlers it imports sockets and pickle.
        from syncctl.cli.logs.log_file import open_log_file

        in_file = open_log_file(log_file, stream)
        in_file.setLevel(min(level, logging.INFO))
        in_file.setFormatter(formatter(log_format, redactor))
        handlers.append(in_file)
    # On the root, so that what libraries warn of is redacted too, and not printed raw by logging's last
    # resort; which the null handler keeps silent where there is no other one.
    _installed.extend(handlers or [logging.NullHandler()])
    for handler in _installed:
        logging.getLogger().addHandler(handler)
    # It quotes addresses and shows tracebacks of what reaches us as an exception anyway.
    logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
    logging.getLogger(LOGGER_NAME).setLevel(min([handler.level for handler in handlers], default=level))


def reset_logging() -> None:
    """Undo `configure_logging`: its handlers are closed, its level is unset. Without one, nothing happens."""
    while _installed:
        handler = _installed.pop()
        logging.getLogger().removeHandler(handler)
        # What a full disk did not take has been warned of.
        with contextlib.suppress(OSError):
            handler.close()
    logging.getLogger(LOGGER_NAME).setLevel(logging.NOTSET)


def record_of(level: int, message: str) -> logging.LogRecord:
    """`message` as an event of now, for where no log is set up."""
    return logging.LogRecord(LOGGER_NAME, level, "", 0, message, None, None)


def formatter(log_format: LogFormat, redactor: Redact) -> logging.Formatter:
    """What makes a line of the log of an event."""
    return _FORMATTERS[log_format](redactor)


class KeptLines(logging.Handler):
    """The last lines of the log as text, for someone who is told of the run when it is over."""

    def __init__(self, redactor: Redact) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(TextFormatter(redactor))
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


class _StreamHandler(logging.StreamHandler[TextIO]):
    """A stream, whatever its encoding is."""

    def format(self, record: logging.LogRecord) -> str:
        return encodable(super().format(record), self.stream)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A stream that is closed, or whose reader has gone: there is nobody left to tell."""
