"""`status`: the overall health, once or refreshed continuously."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import ExitCode, StopRequestedError, UsageError

Watch = Annotated[bool, typer.Option("--watch", help="Refresh until Ctrl-C.")]
Interval = Annotated[
    float, typer.Option("--interval", metavar="SECONDS", help="With --watch: refresh this often.")
]

SHORTEST_S, LONGEST_S = 0.1, 86_400.0
"""Limits of the refresh interval; time.sleep does not accept infinity."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "status")
    def status(session: Session, watch: Watch = False, interval: Interval = 5.0, json: Json = False) -> None:
        """Show at a glance whether all is well."""
        from syncctl.cli.render.status import render_status, watch_status
        from syncctl.wiring.checks import status as look

        if not SHORTEST_S <= interval <= LONGEST_S:  # also rejects NaN, which typer's min and max let through
            raise UsageError(f"--interval needs a number of seconds from {SHORTEST_S:g} to {LONGEST_S:g}.")
        if watch and json:
            raise UsageError("Use either --watch or --json: --json prints one object.")
        look_again = partial(look, session.settings, session.env_file)
        if watch:
            try:
                with session.stop.at_safe_points():
                    watch_status(look_again, session.clock(), session.redactor, interval, session.stop)
            except StopRequestedError as request:
                # Ctrl-C is the normal way to end a watch: no message needed.
                raise typer.Exit(request.exit_code) from None
        seen = look_again()
        render_status(seen, session.clock(), session.redactor, as_json=json, quiet=session.quiet)
        if not seen.ok:
            raise typer.Exit(ExitCode.FAILED)
