"""`verify`: is the machinery healthy, is the data sound; another module adds whether it is complete."""

from __future__ import annotations

import typer

from syncctl.cli.commands import verify_source as verify_source_command
from syncctl.cli.commands.sync import Json
from syncctl.cli.context import Session, command
from syncctl.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the group, and the names that its commands had in the old system."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Check machinery, data and source.")
    app.add_typer(group, name="verify")
    command(group, "sync")(_verify_sync)
    command(group, "data")(_verify_data)
    verify_source_command.add_to(group)
    command(app, "verify:sync", hidden=True)(_verify_sync)
    command(app, "verify:data", hidden=True)(_verify_data)


def _verify_sync(session: Session, json: Json = False) -> None:
    """Check the machinery: is it set up, running and in time?"""
    from syncctl.cli.render.checks import render_checks
    from syncctl.wiring.checks import verify_sync

    report = verify_sync(session.settings, session.env_file)
    render_checks(report, session.redactor, as_json=json)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _verify_data(session: Session, json: Json = False) -> None:
    """Check the data: are the leads sound?"""
    from syncctl.cli.render.checks import render_checks
    from syncctl.wiring.checks import verify_data

    report = verify_data(session.settings)
    render_checks(report, session.redactor, as_json=json)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)
