"""The standard streams made fit for use: nothing written to them, or not, may show a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def can_redraw(stream: TextIO) -> bool:
    """Whether it is a terminal that can empty a line and write it anew."""
    return stream.isatty() and os.environ.get("TERM", "").casefold() not in ("dumb", "unknown")


def has_colour(stream: TextIO) -> bool:
    """Whether what is written there may be coloured: NO_COLOR and FORCE_COLOR have the last word, in this
    order."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or can_redraw(stream)


def is_automatic() -> bool:
    """Whether no person seems to have started the program: neither stdin nor stdout is a terminal, and it
    belongs to none, as under cron, systemd and in a container."""
    if sys.stdin.isatty() or sys.stdout.isatty():
        return False
    try:
        os.close(os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return True
    return False


class _WaitingFile(io.FileIO):
    """A file that waits for its reader even where another process that shares it has set O_NONBLOCK."""

    def write(self, data: ReadableBuffer, /) -> int:
        # None, which typeshed does not know of: the stream takes nothing at the moment.
        while (written := super().write(data)) is None:
            select.select([], [self], [])
        return written


class _BestEffortText(io.TextIOWrapper):
    """A text stream on which what can't be written is dropped."""

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def prepare_streams() -> None:
    """Text that the terminal can't show is escaped, and a stream that is closed takes what it is given.

    stderr takes it even where it can't be written: it is there to say what went wrong, and with it gone
    there is nobody left to tell. What a command does, and its exit status, don't depend on it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for the whole run
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")
    out, err = sys.__stdout__, sys.__stderr__
    if err is not None and sys.stderr is err:
        sys.stderr = _BestEffortText(_buffer(err), err.encoding, err.errors, line_buffering=True)
    if out is not None and sys.stdout is out and not os.get_blocking(out.fileno()):
        sys.stdout = io.TextIOWrapper(_buffer(out), out.encoding, out.errors, line_buffering=out.isatty())


def _buffer(stream: TextIO) -> io.BufferedWriter:
    return io.BufferedWriter(_WaitingFile(stream.fileno(), "w", closefd=False))


def flushed(status: int | str | None) -> int | str | None:
    """Write out what is held back, which Python would do after the last chance to say what is wrong. Gives
    `status`, or 1 where the output could not be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        unwritable = unwritten(error)
        return status or unwritable
    return status


def unwritten(error: OSError) -> int:
    """Say that stdout takes nothing any more, unless its reader has just gone. Gives the exit status."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        sys.stderr.write(f"Error: The output could not be written: {error.strerror}.\n")
    return 1
