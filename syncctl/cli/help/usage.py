"""What is wrong with a command line, in plain words: two lines, as of every other error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import typer

from syncctl.cli.render.printer import print_message
from syncctl.safe_output.printable import printable
from syncctl.text import did_you_mean

ANY_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""The class of all usage errors of Typer, which has no public name."""

_NUMBERS = {"int": "a whole number", "integer": "a whole number", "float": "a number"}
"""Typer's types of numbers, by the names that its releases give them, in words."""


class PlainUsageError(typer.BadParameter):
    """A usage error that is shown as its message, and where the help is."""

    def format_message(self) -> str:
        """The message as it is, without Typer's "Invalid value"."""
        return self.message

    def show(self, file: Any = None) -> None:
        """Print it to stderr."""
        print_message(f"Error: {printable(self.message)}")
        if self.ctx is not None:
            print_message(f"Help: {self.ctx.command_path} -h")


@contextmanager
def in_plain_words(context: Any, arguments: Sequence[str] = ()) -> Iterator[None]:
    """Raises a PlainUsageError for each usage error of Typer that comes up within. `context`: of the command
    whose `arguments` are parsed."""
    arguments = tuple(arguments)  # Typer takes them off its own list
    try:
        yield
    except PlainUsageError:
        raise
    except ANY_USAGE_ERROR as error:
        raise PlainUsageError(_sentence(error, context, arguments), context) from None


def extra_argument(word: str, context: Any) -> PlainUsageError:
    """The error of an argument too many."""
    return PlainUsageError(f"Unexpected argument: {word!r}.", context)


def unknown_command(name: str, context: Any) -> str:
    """What to say of a command that there is not, with the ones that may be meant."""
    from typer.main import get_command

    from syncctl.cli.app import whole_program

    below = typed(context)
    what = f"{below} {name}" if below else name
    last_words = {line: line.rpartition(" ")[2] for line, _ in _commands(get_command(whole_program()), "")}
    here = {line: last for line, last in last_words.items() if line == f"{below} {last}".strip()}
    # Whoever types "install" means `cron install`.
    exact = [line for line, last in last_words.items() if last == name]
    found = exact or _near(name, here) or _near(name, last_words)
    return f"There is no command {what!r}.{did_you_mean(found)}"


def typed(context: Any) -> str:
    """What is typed after the program's name to get to the command of `context`."""
    words: list[str] = []
    while context.parent is not None:
        words.insert(0, context.info_name)
        context = context.parent
    return " ".join(words)


def _commands(command: Any, above: str) -> Iterator[tuple[str, Any]]:
    """Each command that the help shows, by what is typed for it."""
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            line = f"{above} {name}".strip()
            yield line, each
            yield from _commands(each, line)


def _near(name: str, last_words: Mapping[str, str]) -> list[str]:
    near = get_close_matches(name, last_words.values(), 3, 0.65)
    return [line for line, last in last_words.items() if last in near or last.startswith(name)]


def _sentence(error: Any, context: Any, arguments: Sequence[str]) -> str:
    """What a usage error of Typer's says, from what it carries."""
    written, param = getattr(error, "option_name", None), getattr(error, "param", None)
    if written is not None:
        return _about_option(written, context, arguments)
    if param is None:
        return str(error.message)
    name = param.opts[-1] if param.param_type_name == "option" else _value(param)
    if hasattr(error, "param_type"):  # it is missing
        return f"{name} is missing: {param.help[:1].lower()}{param.help[1:]}"
    if number := _NUMBERS.get(param.type.name.removesuffix(" range")):
        return f"{name} needs {number}{_range(param.type)}."
    if choices := getattr(param.type, "choices", ()):
        *others, last = (str(getattr(each, "value", each)) for each in choices)
        return f"{name} must be {', '.join(others)} or {last}."
    return f"{name}: {error.message}"


def _about_option(written: str, context: Any, arguments: Sequence[str]) -> str:
    """What is wrong with an option as written: there is none such, or its value is missing or too much."""
    options = [each for each in context.command.get_params(context) if each.param_type_name == "option"]
    for option in options:
        if written in option.opts:
            needed = "takes no value" if option.is_flag else f"needs a value: {_value(option)}"
            return f"{written} {needed}."
    if any(written in each.opts for _, below in _commands(context.command, "") for each in below.params):
        line = " ".join((context.command_path, _command_among(arguments, context.command)))
        return f"{written} goes after the command, as in `{line} {written}`."
    near = get_close_matches(written, [name for each in options for name in each.opts], 3, 0.65)
    return f"There is no option {written}.{did_you_mean(near)}"


def _command_among(arguments: Sequence[str], group: Any) -> str:
    """The command that arguments name, wherever it stands."""
    words: list[str] = []
    for word in arguments:
        if word in (below := getattr(group, "commands", {})):
            words.append(word)
            group = below[word]
    return " ".join(words) or "COMMAND"


def _value(param: Any) -> str:
    return str(param.metavar or param.type.name.split()[0].upper())


def _range(numbers: Any) -> str:
    least, most = getattr(numbers, "min", None), getattr(numbers, "max", None)
    if least is None:
        return ""
    return f", {least} or more" if most is None else f" from {least} to {most}"
