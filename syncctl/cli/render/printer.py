"""The only module that prints: data on stdout, messages on stderr, JSON on request. The other render
modules decide what to show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from syncctl.cli.terminal.streams import has_colour
from syncctl.safe_output.printable import escape_json, escape_lines, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from syncctl.domain.run_documents import ResultDocument


def print_line(line: str) -> None:
    """One line of data."""
    sys.stdout.write(escape_lines(line) + "\n")


_COLOURS = {"red": 31, "green": 32, "yellow": 33, "cyan": 36, "dim": 2, "bold": 1}
"""Styles as terminals know them, without rich, which takes long to load."""


def print_fields(
    fields: Iterable[str],
    clean: Callable[[str], str] | None = None,
    styles: Mapping[int, str] | None = None,
) -> None:
    """One line of data for a pipe, with tabs between its fields; empty ones at its end are left out. `clean`
    removes what may not be shown. `styles`: of fields, by their place, if stdout has colours: FORCE_COLOR."""
    cells = [printable(clean(field)) if clean else escape_lines(field) for field in fields]
    while cells and not cells[-1]:
        cells.pop()
    if styles and has_colour(sys.stdout):
        for place, style in styles.items():
            if place < len(cells) and style:
                cells[place] = f"\x1b[{_COLOURS[style]}m{cells[place]}\x1b[0m"
    sys.stdout.write("\t".join(cells) + "\n")


def print_text(sentence: str) -> None:
    """A sentence on stdout: on a terminal broken between words. What is to be copied is for `print_line`."""
    sys.stdout.write(_between_words(escape_lines(sentence), sys.stdout) + "\n")


def print_message(line: str) -> None:
    """One message line for the user, on stderr: on a terminal broken between words."""
    sys.stderr.write(_between_words(escape_lines(line), sys.stderr) + "\n")
    sys.stderr.flush()


def _between_words(text: str, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    import shutil
    from textwrap import TextWrapper

    width = shutil.get_terminal_size().columns
    wrapper = TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(
        line if len(line) <= width or "\t" in line else wrapper.fill(line) for line in text.split("\n")
    )


SCHEMA = 1
"""The version of the form of all results. A key may be added without a new one."""


class _Printed:
    """How much of its one JSON object the command has printed."""

    is_begun = False
    is_in_list = False


_printed = _Printed()


def expect_result() -> None:
    """A command begins, of which nothing is printed yet."""
    _printed.is_begun = _printed.is_in_list = False


def is_result_begun() -> bool:
    """Whether the command's JSON object is printed, or a part of it."""
    return _printed.is_begun


def print_result(document: ResultDocument) -> None:
    """The one object of a command with --json, on one line, with unencodable characters and terminal control
    characters escaped. `ok` is whether the exit status is 0."""
    line = f"{_json(_versioned(document))}\n"
    _printed.is_begun = True
    sys.stdout.write(line)


def print_result_with_list(document: ResultDocument, key: str, items: Iterable[Any]) -> None:
    """Like `print_result`, with one more key, which holds a list that may be too long for the memory. If
    that can't be read to its end, `print_error` ends the object."""
    ok = {"ok": document["ok"]}
    begun = {name: value for name, value in _versioned(document).items() if name not in ok}
    head = f"{_json(begun)[:-1]}, {_json(key)}: ["
    _printed.is_begun = _printed.is_in_list = True
    sys.stdout.write(head)
    for number, item in enumerate(items):
        sys.stdout.write(f"{', ' if number else ''}{_json(item)}")
    sys.stdout.write(f"], {_json(ok)[1:]}\n")
    _printed.is_in_list = False


def print_error(
    command: str, exit_code: int, message: str, hint: str = "", *, partial: Mapping[str, Any] | None = None
) -> None:
    """The object of a command that ends with an error; nothing where its result is printed already.
    `partial`: what the result would have been."""
    if _printed.is_in_list:
        sys.stdout.write(f"], {_json(_error(exit_code, message, hint))[1:]}\n")
        _printed.is_in_list = False
    elif not _printed.is_begun:
        line = error_line(command, exit_code, message, hint, partial=partial)
        _printed.is_begun = True
        sys.stdout.write(line)


def error_line(
    command: str, exit_code: int, message: str, hint: str = "", *, partial: Mapping[str, Any] | None = None
) -> str:
    """What `print_error` prints where nothing has been printed yet."""
    error = {"command": command, **(partial or {}), **_error(exit_code, message, hint)}
    return f"{_json(_versioned(error))}\n"


def _error(exit_code: int, message: str, hint: str) -> dict[str, Any]:
    about = {"exit_code": int(exit_code), "message": message, "hint": hint or None}
    return {"ok": False, "error": about}


def _versioned(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"command": document["command"], "ok": document["ok"], "schema": SCHEMA, **document}


def _json(value: Any) -> str:
    import json

    unicode = (sys.stdout.encoding or "").casefold().replace("-", "") == "utf8"
    return escape_json(json.dumps(value, ensure_ascii=not unicode, allow_nan=False))


def console(*, stderr: bool = False) -> Console:
    """A rich console that honours NO_COLOR and the terminal's width."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def plain_table(*, gap: int = 2, show_header: bool = True, header_style: str = "table.header") -> Table:
    """A rich table without lines. `gap`: characters between two columns."""
    from rich.table import Table

    return Table(
        box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=show_header, header_style=header_style
    )


def escape(text: str) -> str:
    """A text within rich's markup: what looks like a tag in it is text, too."""
    from rich.markup import escape as escaped

    return escaped(text)
