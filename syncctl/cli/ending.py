"""How a command ends: any error becomes plain lines, with --json one object, and an exit status.

That object is printed here, too, where the error boundary is not there to print it: of a wrong command line,
and at a signal that ends the program at once.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from syncctl.cli.logs.uncaught import traceback_text
from syncctl.cli.render.printer import error_line, expect_result, is_result_begun, print_error
from syncctl.cli.stopping import SIGNALS
from syncctl.errors import ExitCode, StopRequestedError, SyncctlError

if TYPE_CHECKING:
    from syncctl.cli.context import Session

OUT_OF_SPACE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of writing to a redirected stream when its disk is full."""


@contextmanager
def error_boundary(session: Session) -> Iterator[None]:
    """Turn any error into one or two plain lines and an exit status; a traceback is only shown with -v."""
    try:
        yield
    except SyncctlError as error:
        # A call that fails after a request to stop was only waited for because of its own time limit.
        _fail(session, error, session.stop.exit_code or error.exit_code)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`): there is nobody to report to.
        raise typer.Exit(ExitCode.FAILED) from None
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person has to be told in plain lines
        if isinstance(error, OSError) and error.filename is None and error.errno in OUT_OF_SPACE_ERRNOS:
            unwritable = SyncctlError(f"The output could not be written: {error.strerror}.")
            _fail(session, unwritable, ExitCode.FAILED)
        # Last resort: a bug in syncctl must not show the user a traceback.
        if session.verbose:
            session.tell(traceback_text(error), logging.ERROR)
        hint = f"This is a bug in syncctl{'' if session.verbose else ': run it again with -v'}."
        defect = SyncctlError(f"Unexpected {type(error).__name__}: {error}", hint=hint)
        _fail(session, defect, ExitCode.FAILED)


def _fail(session: Session, error: SyncctlError, exit_code: ExitCode) -> NoReturn:
    session.tell(str(error), logging.ERROR, error.prefix if exit_code < ExitCode.INTERRUPTED else "")
    if session.as_json is not None:
        about = (session.redactor(error.message), session.redactor(error.hint))
        # Where it can't be written, that is said at the end, and this status stays.
        with suppress(OSError):
            print_error(session.as_json, exit_code, *about, partial=session.partial_result)
    raise typer.Exit(exit_code)


@contextmanager
def reporting_exit_status(session: Session) -> Iterator[None]:
    """Pass the command's exit status to the session."""
    status: int = ExitCode.FAILED
    try:
        yield
        status = ExitCode.OK
    except typer.Exit as end:
        status = end.exit_code
        raise
    finally:
        session.end(status)


NEW_NAMES: dict[str, str] = {}
"""An old name of a command -> its own."""

PROGRAM = "syncctl"
"""What stands for the command where the command line names none."""


def name_of(context: typer.Context) -> str:
    """The command's own name, such as "verify data", whatever name it was called by."""
    words: list[str] = []
    step: Any = context
    while step.parent is not None:
        words.insert(0, step.info_name)
        step = step.parent
    name = " ".join(words)
    return NEW_NAMES.get(name, name or PROGRAM)


@contextmanager
def usage_errors_as_json(arguments: Sequence[str]) -> Iterator[None]:
    """Print a wrong command line's error on stdout as well, if --json is among its `arguments`."""
    expect_result()
    try:
        yield
    except SystemExit as end:
        # Typer has shown the error that it ends the program for; the class of it is its own.
        error: Any = end.__context__
        options = takewhile(lambda word: word != "--", arguments)
        if end.code == ExitCode.USAGE and hasattr(error, "format_message") and "--json" in options:
            name = PROGRAM if error.ctx is None else name_of(error.ctx)
            print_error(name, ExitCode.USAGE, error.format_message())
        raise


def last_words(as_json: str | None) -> Callable[[int], bytes]:
    """What stands on stdout where a signal, of this number, ends the program at once. `as_json`: the name of
    the command, if it prints an object."""
    if as_json is None:
        return lambda _: b""
    # Made before it is needed: a signal may come at any moment, such as in the midst of an import.
    stopped = {int(number): StopRequestedError(number) for number in SIGNALS}
    lines = {
        number: error_line(as_json, error.exit_code, error.message).encode()
        for number, error in stopped.items()
    }
    return lambda number: b"" if is_result_begun() else lines[number]
