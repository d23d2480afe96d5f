"""The standard streams made fit for use: nothing written to them, or not, may show a traceback."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Patient(io.FileIO):
    """A stream that waits for its reader even where whoever shares it has made it one that does not."""

    def write(self, data: ReadableBuffer, /) -> int:
        # None, which typeshed does not know of: the stream takes nothing at the moment.
        while (written := super().write(data)) is None:
            select.select([], [self], [])
        return written


class _Unread(_Patient):
    """One that takes what it is given, whether or not it can be written."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


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
        sys.stderr = _written_by(_Unread, err)
    if out is not None and sys.stdout is out and not os.get_blocking(out.fileno()):
        sys.stdout = _written_by(_Patient, out)


def _written_by(kind: type[_Patient], stream: TextIO) -> TextIO:
    """The same stream, written to in another way."""
    raw = kind(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        stream.encoding,
        stream.errors,
        line_buffering=stream.isatty() or kind is _Unread,
    )


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
