"""The command tree, and the program's entry point."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Annotated

import typer

from syncctl import __version__
from syncctl.cli.ending import usage_errors_as_json
from syncctl.cli.help.tree import Program
from syncctl.cli.logs.uncaught import install
from syncctl.cli.options import EnvFile, Quiet, Verbose
from syncctl.cli.render.printer import print_line
from syncctl.cli.terminal.streams import flushed, prepare_streams, unwritten
from syncctl.domain.sources import RECORDS, SOURCES

MODULES = (
    "sync",
    "imports",
    "rejects",
    "verify",
    "cleanup",
    "status",
    "history",
    "explain",
    "report",
    "config",
    "cron",
    "sandbox",
    "demo",
    "doctor",
    "help",
)
"""Those of `syncctl.cli.commands`, in the order of the help."""

SYNCS = ("sync", "api", "stores", "all", *SOURCES)
"""What the names of the syncs begin with, in the old system's spelling too."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"syncctl {__version__}")
        raise typer.Exit


def _common(
    context: typer.Context,
    env_file: EnvFile = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """The options that stand before a command."""
    context.obj = {"env_file": env_file, "quiet": quiet, "verbose": verbose}


def program(modules: Sequence[str]) -> typer.Typer:
    """The commands of these modules."""
    app = typer.Typer(
        name="syncctl",
        cls=Program,
        help=f"Syncs the rental system's {RECORDS} into the telecallers' lead database.",
        add_completion=False,
        # Plain help avoids importing rich, which would double the time of --help.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_common)
    for name in modules:
        import_module(f"syncctl.cli.commands.{name}").register(app)
    return app


@cache
def whole_program() -> typer.Typer:
    """All commands."""
    return program(MODULES)


def program_for(words: Sequence[str]) -> typer.Typer:
    """The commands that a command line of these words needs: of its first one's module, or all. To make
    all of them takes a tenth of a short command's time."""
    first = words[0].partition(":")[0] if words else ""
    module = {"import": "imports", **dict.fromkeys(SYNCS, "sync")}.get(first, first)
    return program([module]) if module in MODULES and module != "help" else whole_program()


def main() -> None:
    """Run the command line; unwritable output becomes a one-line error."""
    prepare_streams()
    install()
    try:
        with usage_errors_as_json(sys.argv[1:]):
            program_for(sys.argv[1:])(prog_name="syncctl")
    except SystemExit as end:
        sys.exit(flushed(end.code))
    except OSError as error:  # commands have their own error boundary; this one is for --help
        sys.exit(unwritten(error))
