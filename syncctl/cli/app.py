"""The command tree, and the program's entry point."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from syncctl import __version__
from syncctl.cli.commands import cleanup as cleanup_commands
from syncctl.cli.commands import config as config_command
from syncctl.cli.commands import cron as cron_commands
from syncctl.cli.commands import demo as demo_command
from syncctl.cli.commands import doctor as doctor_command
from syncctl.cli.commands import explain as explain_command
from syncctl.cli.commands import help as help_commands
from syncctl.cli.commands import history as history_command
from syncctl.cli.commands import imports as import_commands
from syncctl.cli.commands import rejects as rejects_commands
from syncctl.cli.commands import report as report_command
from syncctl.cli.commands import sandbox as sandbox_command
from syncctl.cli.commands import status as status_command
from syncctl.cli.commands import sync as sync_commands
from syncctl.cli.commands import verify as verify_commands
from syncctl.cli.ending import usage_errors_as_json
from syncctl.cli.help.tree import Program
from syncctl.cli.logs.uncaught import install
from syncctl.cli.options import EnvFile, Quiet, Verbose
from syncctl.cli.render.printer import print_line
from syncctl.cli.terminal.streams import flushed, prepare_streams, unwritten
from syncctl.domain.sources import RECORDS

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


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"syncctl {__version__}")
        raise typer.Exit


@app.callback()
def common(
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


for group in (
    sync_commands,
    import_commands,
    rejects_commands,
    verify_commands,
    cleanup_commands,
    status_command,
    history_command,
    explain_command,
    report_command,
    config_command,
    cron_commands,
    sandbox_command,
    demo_command,
    doctor_command,
    help_commands,
):
    group.register(app)


def main() -> None:
    """Run the command line; unwritable output becomes a one-line error."""
    prepare_streams()
    install()
    try:
        with usage_errors_as_json(sys.argv[1:]):
            app(prog_name="syncctl")
    except SystemExit as end:
        sys.exit(flushed(end.code))
    except OSError as error:  # commands have their own error boundary; this one is for --help
        sys.exit(unwritten(error))
