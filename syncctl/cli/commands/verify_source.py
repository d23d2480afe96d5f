"""`verify source`: is everything that the API tells in the database; with --repair, it is afterwards."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from syncctl.cli.commands.sync import Json, Location, Wait, window_of
from syncctl.cli.context import Session, command
from syncctl.errors import ExitCode

From = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", help="Check from DAY (YYYY-MM-DD); else all of a whole window."),
]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Check up to DAY; with --from.")]
Repair = Annotated[bool, typer.Option("--repair", help="Sync exactly what is missing.")]


def add_to(group: typer.Typer) -> None:
    """Add the command to the group `verify`."""
    command(group, "source")(_verify_source)


def _verify_source(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    date_from: From = None,
    date_to: To = None,
    location: Location = None,
    repair: Repair = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Check that all that the API tells is in the database; changes nothing without --repair."""
    from syncctl.cli.render.source import render_source, source_progress
    from syncctl.domain.steps import Trigger
    from syncctl.services.sync.planning import SyncOptions
    from syncctl.wiring.reconcile import check_source, repair_source

    first, last = window_of(False, date_from, date_to)
    options = SyncOptions(date_from=first, date_to=last, locations=tuple(location or ()))
    if repair:
        automatic = not (sys.stdin.isatty() or sys.stdout.isatty())
        trigger = Trigger.AUTO if automatic else Trigger.MANUAL
        with session.listener() as listener:
            found = repair_source(session.settings, options, trigger, wait, listener)
    else:
        progress = source_progress(quiet=session.quiet, verbose=session.verbose, redact=session.redactor)
        settings = session.settings
        with progress as on_location:
            found = check_source(settings, options, on_location)
    render_source(found, session.redactor, as_json=json)
    if not found.ok:
        raise typer.Exit(ExitCode.FAILED)
