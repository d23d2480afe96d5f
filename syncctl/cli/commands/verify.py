"""`verify`: is syncctl set up and running, are the leads sound, is all that the API has in the database."""

from __future__ import annotations

from typing import Annotated

import typer

from syncctl.cli.context import Session, command, command_group
from syncctl.cli.options import Json, Location, To, Wait, window_of
from syncctl.cli.terminal.streams import is_automatic
from syncctl.errors import ExitCode

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DAY",
        show_default="a whole window",
        help="Compare from this day on, as in 2026-01-31.",
    ),
]
Repair = Annotated[
    bool, typer.Option("--repair", show_default="change nothing", help="Sync exactly what is missing.")
]


def register(app: typer.Typer) -> None:
    """Add the group, and the old system's names for its commands."""
    group = command_group(app, "verify", "Check syncctl, its data, and that nothing is missing.")
    command(group, "sync")(_verify_sync)
    command(group, "data")(_verify_data)
    command(group, "source")(_verify_source)
    command(app, "verify:sync", hidden=True, new_name="verify sync")(_verify_sync)
    command(app, "verify:data", hidden=True, new_name="verify data")(_verify_data)


def _verify_sync(session: Session, json: Json = False) -> None:
    """Check that syncctl is set up, running and on time."""
    from syncctl.cli.render.checks import render_checks
    from syncctl.wiring.checks import verify_sync

    report = verify_sync(session.settings, session.env_file)
    render_checks(report, session.redactor, as_json=json, quiet=session.quiet)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _verify_data(session: Session, json: Json = False) -> None:
    """Check that the leads in the database are sound."""
    from syncctl.cli.render.checks import render_checks
    from syncctl.wiring.checks import verify_data

    report = verify_data(session.settings)
    render_checks(report, session.redactor, as_json=json, quiet=session.quiet)
    if not report.ok:
        raise typer.Exit(ExitCode.FAILED)


def _verify_source(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    date_from: From = None,
    date_to: To = None,
    location: Location = None,
    repair: Repair = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Check that everything the API has is in the database."""
    from syncctl.cli.render.source import render_source, source_progress
    from syncctl.domain.steps import Trigger
    from syncctl.services.sync.planning import SyncOptions
    from syncctl.wiring.reconcile import check_source, repair_source
    from syncctl.wiring.runs import Invocation

    first, last = window_of(False, date_from, date_to, session.clock)
    options = SyncOptions(date_from=first, date_to=last, locations=tuple(location or ()))
    if repair:
        trigger = Trigger.AUTO if is_automatic() else Trigger.MANUAL
        invocation = Invocation("verify source", trigger, wait_s=wait, stop=session.stop)
        with session.listener() as listener:
            found = repair_source(session.settings, options, invocation, listener)
    else:
        progress = source_progress(quiet=session.quiet, verbose=session.verbose, redact=session.redactor)
        settings = session.settings
        with progress as on_location:
            found = check_source(settings, options, on_location)
    render_source(found, session.redactor, as_json=json, quiet=session.quiet)
    if not found.ok:
        raise typer.Exit(ExitCode.FAILED)
