"""The rotating log file; its errors never affect the run."""

from __future__ import annotations

import contextlib
import errno
import logging
import logging.handlers
import os
import stat
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from syncctl.cli.logs.setup import encodable
from syncctl.errors import SettingsError
from syncctl.filesystem.ordinary_files import is_unnamed_pipe, open_nonblocking, require_regular_file
from syncctl.filesystem.private_files import LOGS_KEPT, make_private_folder
from syncctl.safe_output.printable import escape

FILE_BYTES = 5_000_000
FILE_COUNT = LOGS_KEPT


def open_log_file(path: Path, stream: TextIO) -> logging.Handler:
    """A handler that appends to `path` (creating it and its folder) and keeps FILE_COUNT old files of
    FILE_BYTES. If writing fails later, a warning goes to `stream`, once.

    Raises SettingsError if it can't be written.
    """
    try:
        make_private_folder(path.parent)
        return _FileHandler(path, stream)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SettingsError(
                f"The log file {path} is a link: set SYNC_LOG_FILE to the file itself."
            ) from error
        raise SettingsError(
            f"The log file {path} can't be written ({error.strerror}): "
            "make it writable for this user, or set SYNC_LOG_FILE to another one."
        ) from error


class _FileHandler(logging.handlers.RotatingFileHandler):
    def __init__(self, path: Path, stream: TextIO) -> None:
        self._fallback_stream = stream
        self._has_warned = False
        super().__init__(
            path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT, encoding="utf-8", errors="backslashreplace"
        )

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=_open_private)

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        try:
            super().doRollover()
        except OSError as error:
            # An oversized file is better than lost events, or than a new attempt at every event.
            self.maxBytes = 0
            self._warn_once(f"can't be rotated ({error.strerror}): it grows on.")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        self._warn_once(f"can't be written ({reason}): the run goes on, but events will be missing from it.")

    def _warn_once(self, trouble: str) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        line = escape(f"The log file {self.baseFilename} {trouble}")
        # If the stream is gone too, there is nobody to warn.
        with contextlib.suppress(OSError, ValueError):
            print(encodable(line, self._fallback_stream), file=self._fallback_stream, flush=True)


def _open_private(path: str, flags: int) -> int:
    """Open the file for writing without blocking: a named pipe would wait for a reader."""
    # A symlink to a device, such as /dev/stderr, is safe: there is no content to overwrite.
    to_device = os.path.exists(path) and not os.path.isfile(path)
    descriptor = open_nonblocking(path, flags if to_device else flags | os.O_NOFOLLOW)
    try:
        mode = os.fstat(descriptor).st_mode
        # Character devices such as /dev/stderr and /dev/null accept lines; block devices do not.
        if not (stat.S_ISCHR(mode) or is_unnamed_pipe(path, mode)):
            require_regular_file(path, mode)
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
