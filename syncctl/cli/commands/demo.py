"""`demo`: the whole job on made-up data, from an empty database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import output_folder
from syncctl.cli.render.printer import print_message
from syncctl.errors import ExitCode

Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        parser=output_folder,
        metavar="DIR",
        show_default="a folder that is deleted",
        help="Run in DIR and leave the database and settings there.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "demo")
    def demo(session: Session, keep: Keep = None) -> None:
        """Show the whole job on made-up data."""
        from syncctl.cli.render.demo import render_demo
        from syncctl.demo.demo import run_demo

        with session.stop.at_safe_points():
            result = run_demo(keep, session.listener, print_message, session.stop)
        render_demo(result, session.redactor)
        if not result.ok:
            raise typer.Exit(ExitCode.FAILED)
