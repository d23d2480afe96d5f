"""The standard streams made fit for use: nothing written to them, or not, may show a traceback."""

from __future__ import annotations

import os
import sys


def prepare_streams() -> None:
    """Text that the terminal can't show is escaped, and a stream that is closed takes what it is given."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for the whole run
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")


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
