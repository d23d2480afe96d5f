"""The only module that prints: data on stdout, messages on stderr, JSON on request. The other render
modules decide what to show."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from syncctl.safe_output.printable import escape_json, escape_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def print_line(line: str) -> None:
    """One line of data."""
    sys.stdout.write(escape_lines(line) + "\n")


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


def print_json(value: Any) -> None:
    """One JSON value on one line, with unencodable characters and terminal control characters escaped."""
    sys.stdout.write(f"{_json(value)}\n")


def print_json_with_list(document: Mapping[str, Any], key: str, items: Iterable[Any]) -> None:
    """Like `print_json`, an object whose last key holds a list that may be too long for the memory."""
    sys.stdout.write(f"{_json(document)[:-1]}, {_json(key)}: [")
    for number, item in enumerate(items):
        sys.stdout.write(f"{', ' if number else ''}{_json(item)}")
    sys.stdout.write("]}\n")


def _json(value: Any) -> str:
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
