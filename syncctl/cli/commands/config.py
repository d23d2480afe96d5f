"""`config`: the settings in force."""

from __future__ import annotations

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.cli.render.settings import render_settings
from syncctl.errors import ExitCode


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "config")
    def config(session: Session, json: Json = False) -> None:
        """Show the settings in force, and where each came from."""
        from syncctl.settings.settings import inspect_settings

        settings = inspect_settings(session.env_file)
        render_settings(settings, as_json=json)
        if any(setting.problem for setting in settings):
            raise typer.Exit(ExitCode.CONFIG)
