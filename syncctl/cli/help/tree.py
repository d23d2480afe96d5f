"""Typer's own classes of commands, with help for people and usage errors in plain words."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from syncctl.cli.help.usage import PlainUsageError, extra_argument, in_plain_words, unknown_command


class HelpfulCommand(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line. Raises PlainUsageError."""
        with in_plain_words(ctx):
            refuse_option_as_value(self, ctx, args)
            ctx.allow_extra_args = True
            rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            raise extra_argument(rest[0], ctx)
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments as the help names them."""
        arguments = [each for each in self.params if each.param_type_name == "argument"]
        return ["[OPTIONS]", *(str(each.metavar) for each in arguments)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from syncctl.cli.help.page import write_page

        write_page(self, ctx, formatter)


class HelpfulGroup(TyperGroup):
    """A group of commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command. Raises PlainUsageError."""
        if not args and self.no_args_is_help:
            return super().parse_args(ctx, args)
        with in_plain_words(ctx, args):
            refuse_option_as_value(self, ctx, args)
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with. Raises PlainUsageError."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            raise PlainUsageError(unknown_command(args[0], ctx), ctx)
        with in_plain_words(ctx):
            return super().resolve_command(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the group's name."""
        return ["[OPTIONS]", "COMMAND"]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        from syncctl.cli.help.page import write_page

        write_page(self, ctx, formatter)


class Program(HelpfulGroup):
    """The whole tree. Called with nothing it shows what is typed most."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command. Raises PlainUsageError, and NothingTyped."""
        if not args and not ctx.resilient_parsing:
            raise NothingTypedError(self, ctx)
        return super().parse_args(ctx, args)


class NothingTypedError(PlainUsageError):
    """`syncctl` alone."""

    def __init__(self, command: Program, ctx: Any) -> None:
        super().__init__("No command is given.", ctx)
        self._command = command

    def show(self, file: Any = None) -> None:
        """Print the everyday commands to stderr."""
        from syncctl.cli.help.page import everyday
        from syncctl.cli.render.printer import print_message

        print_message(everyday(str(self._command.help)))


def refuse_option_as_value(command: Any, ctx: Any, args: list[str]) -> None:
    """Raises PlainUsageError where one of the command's options stands in the place of another's value: it
    would be taken for it, be it the name of a file."""
    if ctx.resilient_parsing:
        return
    options = {name: each for each in command.get_params(ctx) for name in each.opts if name[:1] == "-"}
    expecting = ""
    for word in args:
        if word == "--":
            return
        if expecting:
            if word in options:
                raise PlainUsageError(f"{expecting} needs a value before {word}.", ctx)
            expecting = ""
        elif word in options and not options[word].is_flag:
            expecting = word
