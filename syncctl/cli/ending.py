"""How a command ends: any error becomes plain lines, with --json one object, and an exit status."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import typer

from syncctl.cli.logs.uncaught import traceback_text
from syncctl.cli.render.printer import print_error
from syncctl.errors import ExitCode, SyncctlError

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
