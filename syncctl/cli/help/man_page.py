"""The manual page of the whole program, made from the command tree: `syncctl help --man`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from syncctl import __version__
from syncctl.cli.help.page import LAST, PROGRAM, exit_statuses, options_by_section
from syncctl.cli.help.texts import help_of

_FILES = (
    (".env.local, .env", "Settings, read from the working folder; the environment comes before both."),
    ("data/", "The database, the lock and backups, unless DATA_DIR says otherwise."),
)


def man_page(program: Any) -> str:
    """The page as roff, for `man -l -`."""
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Any) -> Iterator[str]:
    about = inspect.cleandoc(program.help)
    yield f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM} {__version__}" "User Commands"'
    yield from (".SH NAME", _text(f"{PROGRAM} - {about[:1].lower()}{about[1:].rstrip('.')}"))
    yield from (".SH SYNOPSIS", f".B {PROGRAM}", r"[\fIOPTIONS\fR] \fICOMMAND\fR")
    yield from (".SH DESCRIPTION", _text(about))
    yield from (".SH OPTIONS", *_options(program, ()))
    yield ".SH COMMANDS"
    yield from _commands(program, ())
    yield from (".SH EXIT STATUS", _text(exit_statuses(help_of(""))))
    yield ".SH FILES"
    for name, meaning in _FILES:
        yield from _item(name, meaning)
    yield ".SH EXAMPLES"
    yield from _examples("")


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[str]:
    for name, each in group.commands.items():
        if each.hidden:
            continue
        if hasattr(each, "commands"):
            yield from _commands(each, (*words, name))
        else:
            yield from _described(each, (*words, name))


def _described(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    line = " ".join((PROGRAM, *words))
    arguments = [str(each.metavar) for each in command.params if each.param_type_name == "argument"]
    summary, _, details = inspect.cleandoc(command.help).partition("\n\n")
    yield from (f'.SS "{_text(" ".join((line, *arguments)))}"', _text(summary))
    if details:
        yield from (".PP", ".nf", *map(_text, details.replace("\b\n", "").splitlines()), ".fi")
    yield from _options(command, words)
    yield from _examples(" ".join(words))
    yield from (".PP", _text(f"Exit status: {exit_statuses(help_of(' '.join(words)))}."))


def _options(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    """Those of every command stand above, once."""
    for title, rows in options_by_section(command):
        if title != LAST or not words:
            for names, meaning in rows:
                yield from _item(names, meaning)


def _item(names: str, meaning: str) -> Iterator[str]:
    yield from (".TP", f".B {_text(names)}", _text(meaning))


def _examples(words: str) -> Iterator[str]:
    for purpose, line in help_of(words).examples:
        yield from (".TP", _text(purpose), f".B {_text(f'{PROGRAM} {line}')}")


def _text(text: str) -> str:
    r"""Text for roff: no bare backslash, no hyphen that becomes a dash, no line like a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("\n", " ")
    return rf"\&{escaped}" if escaped[:1] in (".", "'") else escaped
