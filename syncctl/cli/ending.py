"""How a command ends: any error becomes plain lines, with --json one object, and an exit status.

That object is printed here, too, where the error boundary is not there to print it: of a wrong command line,
and at a signal that ends the program at once. SIGINT and SIGTERM are a request to stop, which the work looks
at by itself.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from syncctl.cli.logs.uncaught import traceback_text
from syncctl.cli.render.printer import error_line, expect_result, is_result_begun, print_error
from syncctl.errors import ExitCode, StopRequestedError, SyncctlError
from syncctl.ports.stop import Stop

if TYPE_CHECKING:
    from syncctl.cli.context import Session

SIGNALS = (signal.SIGINT, signal.SIGTERM)

REPEATED_AFTER_S = 0.3
"""A signal that comes sooner after the first is the same request: timeout(1) and its kind pass on to their
child what it has been sent already."""

_RESTORE_TERMINAL = b"\r\x1b[K\x1b[?25h"
"""Empties the line and shows the cursor, which a progress display hides."""

_ending = threading.Lock()
"""Taken by the thread that ends the program."""


@contextmanager
def stoppable(last_words: Callable[[int], bytes] = lambda _: b"") -> Iterator[Stop]:
    """Within, SIGINT and SIGTERM are requests to stop. To be used in the main thread.

    A second request ends the program at once, and so does the first where nothing needs tidying up
    (`Stop.at_safe_points`). Outside, both signals end the program as they end any. `last_words`: what is
    written to stdout where the program is ended at once by a signal, of this number.
    """
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if not stop.waits_for_safe_point:
            _end_now(number, last_words)
        stop.note(number)

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # A handler may run in the midst of anything, with locks held: so it is this thread that wakes others.
    # Python writes to the pipe as soon as a signal comes, whatever the main thread is at.
    watcher = threading.Thread(
        target=_watch, args=(reader, stop, last_words), name="stop-requests", daemon=True
    )
    watcher.start()
    wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handlers_before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup_before)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _watch(reader: int, stop: Stop, last_words: Callable[[int], bytes]) -> None:
    first_at: float | None = None
    while numbers := os.read(reader, 1):
        number = numbers[0]
        if number not in SIGNALS:
            continue
        now = time.monotonic()
        is_second = first_at is not None and now - first_at >= REPEATED_AFTER_S
        # One that the handler has noted is dealt with, even if the work has just come to its end by it.
        is_unheeded = not (stop.waits_for_safe_point or stop.requested)
        if is_unheeded or is_second:
            _end_now(number, last_words)
        first_at = now if first_at is None else first_at
        stop.request(number)


def _end_now(number: int, last_words: Callable[[int], bytes]) -> NoReturn:
    if not _ending.acquire(blocking=False):
        time.sleep(0.05)  # the other thread, or this one further up, is at it
        os._exit(128 + number)
    terminal = next((descriptor for descriptor in (2, 1) if os.isatty(descriptor)), None)
    try:
        if terminal is not None and os.environ.get("TERM") != "dumb":
            os.write(terminal, _RESTORE_TERMINAL)
        os.write(2, b"Stopped.\n")
        os.write(1, last_words(number))
    finally:
        os._exit(128 + number)


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
