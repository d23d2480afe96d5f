"""`config`: the settings in force."""

from __future__ import annotations

from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import ExitCode, UsageError

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SETTING]...", help="Only these settings.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "config")
    def config(session: Session, names: Names = None, json: Json = False) -> None:
        """Show the settings in force, and where each came from."""
        from syncctl.cli.render.settings import render_settings
        from syncctl.settings.settings import inspect_settings

        settings = inspect_settings(session.env_file)
        if unknown := sorted({*(names or ())} - {setting.name for setting in settings}):
            raise UsageError(f"There is no setting {unknown[0]!r}: `syncctl config` lists them all.")
        settings = [setting for setting in settings if not names or setting.name in names]
        render_settings(settings, as_json=json)
        if any(setting.problem for setting in settings):
            raise typer.Exit(ExitCode.CONFIG)
