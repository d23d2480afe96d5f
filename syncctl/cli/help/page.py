"""The help of a command as text: usage, options in sections, examples, exit statuses, where to read on."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from syncctl.cli.help.texts import EVERYDAY, GROUPS, OPTION_GROUPS, CommandHelp, help_of
from syncctl.cli.help.usage import typed, unknown_command
from syncctl.errors import UsageError

OTHER_OPTIONS, OTHER_COMMANDS = "Options", "More"

PROGRAM, LAST = "syncctl", "With every command"


def write_page(command: Any, context: Any, formatter: Any) -> None:
    """Write the help of `command` to Typer's formatter."""
    added = help_of(typed(context))
    command.format_usage(context, formatter)
    command.format_help_text(context, formatter)
    for title, rows in (*commands_by_section(command, context), *options_by_section(command)):
        with formatter.section(title):
            formatter.write_dl(rows)
    if added.examples:
        with formatter.section("Examples"):
            for purpose, line in added.examples:
                # Not wrapped: it is to be copied.
                formatter.write(f"  # {purpose}\n  syncctl {line}\n")
    if added.statuses:
        with formatter.section("Exit status"):
            formatter.write_text(exit_statuses(added))
    formatter.write_paragraph()
    formatter.write_text(f"Read more: docs/{added.docs}")


def context_of(program: Any, words: Iterable[str]) -> Any:
    """The context of the command with these words. Raises UsageError: there is none."""
    context = program.make_context(PROGRAM, [], resilient_parsing=True)
    for word in words:
        below = getattr(context.command, "commands", {})
        if word not in below:
            raise UsageError(unknown_command(word, context))
        context = below[word].make_context(word, [], parent=context, resilient_parsing=True)
    return context


def commands_by_section(command: Any, context: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each section of a group's commands that has any: its title, and name and summary of each."""
    shown = {name: each for name, each in getattr(command, "commands", {}).items() if not each.hidden}
    sections: dict[str, list[tuple[str, str]]] = {
        title: [] for title in (*GROUPS, OTHER_COMMANDS, "Commands")
    }
    for name, each in shown.items():
        title = "Commands" if context.parent else help_of(name).group or OTHER_COMMANDS
        sections[title].append((name, summary(each)))
    yield from ((title, rows) for title, rows in sections.items() if rows)


def options_by_section(command: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Arguments, and each section of options that the command has any of."""
    params = command.params
    arguments = [(str(each.metavar), each.help) for each in params if each.param_type_name == "argument"]
    if arguments:
        yield "Arguments", arguments
    options = [each for each in params if each.param_type_name == "option" and not each.hidden]
    placed = {name for names in OPTION_GROUPS.values() for name in names}
    others = [(names_of(each), described(each)) for each in options if long_name(each) not in placed]
    for title, names in OPTION_GROUPS.items():
        if title == LAST and others:
            yield OTHER_OPTIONS, others
        by_name = {long_name(each): each for each in options}
        rows = [(names_of(by_name[name]), described(by_name[name])) for name in names if name in by_name]
        rows += [("-h, --help", "Show this help.")] if title == LAST else []
        if rows:
            yield title, rows


def long_name(option: Any) -> str:
    """The option's name in full."""
    return str(max(option.opts, key=len))


def names_of(option: Any, *, valued: bool = True) -> str:
    """The option's names, the short one first, and what it takes."""
    names = ", ".join(sorted(option.opts, key=len))
    is_bare = option.is_flag or not valued
    return names if is_bare else f"{names} {option.metavar or option.type.name.split()[0].upper()}"


def described(option: Any) -> str:
    """The option's help and its default, in words where it has some."""
    said = option.help or ""
    default = default_of(option)
    return f"{said} Default: {default}." if default else said


def default_of(option: Any) -> str:
    """What holds where the option is not given; "" if that goes without saying."""
    if isinstance(option.show_default, str):
        return option.show_default
    if option.is_flag or option.default in (None, ()) or not isinstance(option.default, int | float):
        return ""
    return f"{option.default:g}"


def summary(command: Any) -> str:
    """The first sentence of its help."""
    return inspect.cleandoc(command.help or "").partition("\n\n")[0].replace("\n", " ").rstrip(".")


def exit_statuses(added: CommandHelp) -> str:
    """The exit statuses on one line."""
    return ", ".join(f"{code.value} {meaning}" for code, meaning in added.statuses)


def everyday(about: str) -> str:
    """What is typed most, for whoever types `syncctl` alone."""
    width = max(len(line) for line, _ in EVERYDAY)
    return "\n".join(
        (
            about,
            "",
            "Every day:",
            *(f"  syncctl {line:<{width}}  {purpose}" for line, purpose in EVERYDAY),
            "",
            "All commands: syncctl -h. More about one: syncctl help COMMAND.",
            "New here? `syncctl demo` shows the whole job on made-up data.",
        )
    )
