"""Completion: what can stand in the place of the last word of a command line.

The shells' scripts (shells/) start syncctl with the words typed so far, and `_SYNCCTL_COMPLETE` in the
environment. It answers on stdout: the kind of what can follow, then one value a line, a tab and what it is.
Typer's own scripts hand over one line that is split again, which parts a store's name at its blanks.

Values such as run ids and rejects are looked up in the database, which is waited for no longer than a person
waits after Tab. Nothing that goes wrong is said: it would stand in the line that is typed, and the command
itself says it once it is run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from syncctl.cli.help.page import summary

if TYPE_CHECKING:
    from syncctl.settings.settings import Settings

_Found = TypeVar("_Found")

Value = tuple[str, str]
"""What can be typed, and what it is."""

LookUp = Callable[[Callable[[], "Settings"], Sequence[str]], Iterable[Value]]
"""Takes what reads the settings, and the command's words."""

LONGEST_S = 0.5
"""How long a database may take."""

_RUNS_SHOWN = 30


def values_of(parameter: str, words: Sequence[str], env_file: str | None) -> list[Value]:
    """The values that a command's parameter can have; none if they aren't known, or not in time. `words`: the
    command's; `env_file`: as typed."""
    look_up = VALUES.get(parameter)
    if look_up is None:
        return []

    def settings() -> Settings:
        from syncctl.settings.settings import load_settings

        return load_settings(Path(env_file) if env_file else None)

    try:
        return list(look_up(settings, words))
    except Exception:  # noqa: BLE001 - see above
        return []


def _in_time(query: Callable[[], Sequence[_Found]]) -> Sequence[_Found]:
    """What a query of the database gives. Raises TimeoutError, and whatever the query raises."""
    # The thread is left to itself after that: the process ends without waiting for it.
    return ThreadPoolExecutor(1).submit(query).result(LONGEST_S)


def _runs(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.checks import list_runs

    read = settings()
    for run in _in_time(lambda: list_runs(read, _RUNS_SHOWN, failed_only=False)):
        if "import" not in words or run.is_import:
            started = run.started_at.astimezone(read.business_timezone)
            yield run.run_id, f"{run.command}, {started:%Y-%m-%d %H:%M %Z}"


def _rejects(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.services.rejects.reject_list import RejectFilter
    from syncctl.wiring.rejects import listed_rejects

    read = settings()
    found = _in_time(lambda: listed_rejects(read, RejectFilter()))
    return [(each.reject_id, each.reason) for each in found]


def _locations(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.adapters import locations_of

    return [*locations_of(settings()).by_code.items(), *_stores(settings, words)]


def _stores(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.wiring.adapters import locations_of

    return [(store, "") for store in sorted(locations_of(settings()).store_names)]


def _kinds(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.domain.sources import FILE_STEPS, StepName

    return [(str(step), "") for step in (FILE_STEPS if "columns" in words else StepName)]


def _setting_names(settings: Callable[[], Settings], words: Sequence[str]) -> Iterable[Value]:
    from syncctl.settings.specs import SPECS

    return [(spec.name, "") for spec in SPECS]


VALUES: Mapping[str, LookUp] = {
    "run": _runs,
    "ids": _rejects,
    "location": _locations,
    "store": _stores,
    "kind": _kinds,
    "names": _setting_names,
}
"""Parameter -> its look-up."""


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
