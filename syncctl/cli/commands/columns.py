"""`import columns`: which column of a store's file is taken for what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import ExitCode

File = Annotated[
    Path,
    typer.Argument(readable=False, metavar="FILE", help="A store's .xlsx, .xls or .csv.", show_default=False),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", metavar="KIND", show_default="as the file's name says", help="walkin or lossofsale."
    ),
]


def register(group: typer.Typer) -> None:
    """Add the command to `import`."""

    @command(group, "columns")
    def columns(session: Session, file: File, kind: Kind = None, json: Json = False) -> None:
        """Show which column of a file is taken for what."""
        from syncctl.cli.render.columns import render_columns
        from syncctl.wiring.previews import columns_of_file, kind_of_file

        named = kind_of_file(file, kind)
        with session.stop.at_safe_points():
            report = columns_of_file(session.settings, file, named, session.stop)
        render_columns(report, session.redactor, as_json=json)
        if not report.is_understood:
            raise typer.Exit(ExitCode.DATA)
