"""`history`: the list of runs, or one run in detail."""

from __future__ import annotations

from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import UsageError

RunId = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="One run in full: its id, or the beginning of it."),
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="At most this many runs; 0: all.")]
Failed = Annotated[bool, typer.Option("--failed", help="Only runs in which something failed.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "history")
    def history(
        session: Session, run: RunId = None, limit: Limit = 20, failed: Failed = False, json: Json = False
    ) -> None:
        """List past runs, or show one location by location."""
        from syncctl.cli.render.history import render_run_detail, render_runs
        from syncctl.wiring.checks import find_run, list_runs

        if run is None:
            runs = list_runs(session.settings, limit, failed_only=failed)
            render_runs(runs, session.redactor, failed_only=failed, as_json=json)
        elif failed:
            raise UsageError("--failed filters the list of runs: leave it out where a run is named.")
        else:
            render_run_detail(find_run(session.settings, run), session.redactor, as_json=json)
