"""The one object of a command with --json where the error boundary is not there to print it: a wrong command
line, and a signal that ends the program at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import typer

from syncctl.cli.render.printer import error_line, expect_result, is_result_begun, print_error
from syncctl.cli.stopping import SIGNALS
from syncctl.errors import ExitCode, StopRequestedError

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
