"""`help` and `completion`: what the program says about itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.render.printer import print_line
from syncctl.errors import UsageError


class Shell(StrEnum):
    """The shells that there is a completion script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[COMMAND]...", help="Of this command.", show_default=False),
]
Man = Annotated[bool, typer.Option("--man", help="Print the manual page of the whole program.")]
ShellName = Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @command(app, "completion")
    def completion(session: Session, shell: ShellName) -> None:
        """Print the script that completes commands with Tab."""
        from syncctl.cli.help.completion import script

        print_line(script(shell).rstrip("\n"))

    @command(app, "help")
    def show_help(session: Session, commands: Words = None, man: Man = False) -> None:
        """Show the help, as -h does."""
        from typer.main import get_command

        from syncctl.cli.help.man_page import man_page
        from syncctl.cli.help.page import context_of

        program = get_command(app)
        if man:
            if commands:
                raise UsageError("--man means nothing beside COMMAND: it is one page.")
            print_line(man_page(program).rstrip("\n"))
            return
        context = context_of(program, commands or ())
        print_line(context.get_help())
