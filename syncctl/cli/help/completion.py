"""Completion: what can stand in the place of the last word of a command line.

The shells' scripts (shells/) start syncctl with the words typed so far, and `_SYNCCTL_COMPLETE` in the
environment. It answers on stdout: the kind of what can follow, then one value a line, a tab and what it is.
Typer's own scripts hand over one line that is split again, which parts a store's name at its blanks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any, NoReturn

from syncctl.cli.help.page import summary
from syncctl.cli.help.values import Value, values_of


class Kind(StrEnum):
    """What can follow."""

    WORDS = "words"
    FILES = "files"
    FOLDERS = "folders"


COMMANDS = "commands"
"""The parameter that names commands."""

_PATHS = {"FILE": Kind.FILES, "PATH...": Kind.FILES, "DIR": Kind.FOLDERS}
"""Metavar of a parameter -> what of the disk it names."""


@dataclass(slots=True)
class _Typed:
    """The command line before the word that is completed."""

    program: Any
    """The command tree."""

    command: Any
    """The command that it has come to."""

    words: list[str] = field(default_factory=list)
    """The words of that command."""

    given: dict[str, str] = field(default_factory=dict)
    """Each option's long name, and its value as typed."""

    arguments: list[str] = field(default_factory=list)
    """Its arguments."""

    expecting: Any = None
    """The option whose value comes next."""

    only_arguments: bool = False
    """After `--`."""


def script(shell: str) -> str:
    """The script of a shell."""
    return files(__package__).joinpath("shells", f"syncctl.{shell}").read_text(encoding="utf-8")


def answer(program: Any, arguments: Sequence[str]) -> None:
    """Print what can stand in the place of the last argument."""
    kind, values = candidates(program, arguments)
    lines = [kind, *("\t".join(value).rstrip("\t") for value in values)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def candidates(program: Any, arguments: Sequence[str]) -> tuple[Kind, list[Value]]:
    """What can stand in the place of the last of these arguments, in the order to show it in."""
    *before, last = arguments or [""]
    last = "" if last == "=" else last.lstrip("'\"")
    typed = _read(program, before)
    option, joined, value = last.partition("=")
    if typed.expecting is None and joined and (param := _option(typed.command, option)) is not None:
        kind, values = _values_of(param, value, typed)
        return kind, [(f"{option}={each}", about) for each, about in values]
    if typed.expecting is not None:
        return _values_of(typed.expecting, last, typed)
    if last.startswith("-") and not typed.only_arguments:
        return Kind.WORDS, _beginning(last, _options(typed))
    if hasattr(typed.command, "commands"):
        return Kind.WORDS, _beginning(last, _commands(typed.command))
    params = [each for each in typed.command.params if each.param_type_name == "argument"]
    place = len(typed.arguments)
    if params and params[-1].nargs == -1:  # the last one takes all that follow
        place = min(place, len(params) - 1)
    return _values_of(params[place], last, typed) if place < len(params) else (Kind.WORDS, [])


def _read(program: Any, words: Iterable[str]) -> _Typed:
    typed = _Typed(program, program)
    for word in words:
        below = getattr(typed.command, "commands", {})
        if word == "=":  # bash parts --option=value there
            continue
        if typed.expecting is not None:
            typed.given[max(typed.expecting.opts, key=len)] = word
            typed.expecting = None
        elif word == "--":
            typed.only_arguments = True
        elif word.startswith("-") and not typed.only_arguments:
            name, joined, value = word.partition("=")
            param = _option(typed.command, name)
            typed.given[max(param.opts, key=len) if param else name] = value
            typed.expecting = param if param and not param.is_flag and not joined else None
        elif below:
            typed.command = below.get(word, _Nothing)
            typed.words.append(word)
        else:
            typed.arguments.append(word)
    return typed


class _Nothing:
    """A command that there is not: nothing can follow."""

    params: tuple[Any, ...] = ()


def _option(command: Any, name: str) -> Any:
    return next((each for each in command.params if name in each.opts and name.startswith("-")), None)


def _options(typed: _Typed) -> Iterator[Value]:
    for each in typed.command.params:
        name = max(each.opts, key=len)
        if each.param_type_name == "option" and (each.multiple or name not in typed.given):
            yield name, each.help
    yield "--help", "Show the help."


def _commands(group: Any) -> Iterator[Value]:
    below = getattr(group, "commands", {})
    yield from ((name, summary(each)) for name, each in below.items() if not each.hidden)


def _values_of(param: Any, begun: str, typed: _Typed) -> tuple[Kind, list[Value]]:
    """The values that a parameter can have."""
    if (kind := _PATHS.get(param.metavar)) is not None:
        return kind, []
    if choices := getattr(param.type, "choices", ()):
        return Kind.WORDS, _beginning(begun, ((str(getattr(each, "value", each)), "") for each in choices))
    if param.name == COMMANDS:
        return Kind.WORDS, _beginning(begun, _commands_below(typed))
    known = values_of(param.name, typed.words, typed.given.get("--env-file"))
    return Kind.WORDS, _beginning(begun, known)


def _commands_below(typed: _Typed) -> Iterator[Value]:
    """The commands that can follow those typed as arguments, as of `help`."""
    command = typed.program
    for word in typed.arguments:
        command = getattr(command, "commands", {}).get(word, _Nothing)
    yield from _commands(command)


def _beginning(begun: str, values: Iterable[Value]) -> list[Value]:
    """Those that begin so, in either case of letters."""
    wanted = begun.replace("\\", "").casefold()
    return [value for value in values if value[0].casefold().startswith(wanted)]


def main() -> NoReturn:
    """Answer a shell."""
    from typer.main import get_command

    from syncctl.cli.app import whole_program

    answer(get_command(whole_program()), sys.argv[1:])
    os._exit(0)  # a look-up that took too long may still be under way
