"""`import undo`: takes one import back."""

from __future__ import annotations

from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Apply, Json, Wait, Yes

RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="The import: its id in `syncctl history`, or the beginning of it.",
        show_default=False,
    ),
]


def register(group: typer.Typer) -> None:
    """Add the command to the group of imports."""
    command(group, "undo")(_undo)


def _undo(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    run: RunId,
    apply: Apply = False,
    yes: Yes = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Show what taking an import back would come to; with --apply do it."""
    from syncctl.cli.render import import_undo as render
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.cli.terminal.asking import can_ask, confirm
    from syncctl.wiring import cleanup

    output = Output(session.redactor, as_json=json, quiet=session.quiet)
    is_asked = apply and not yes and can_ask()
    if is_asked:
        plan = cleanup.plan_import_undo(session.settings, run)
        if not (json and plan.has_work):
            render.undo_planned(plan, output, everything=session.verbose, is_question=True)
        if not plan.has_work:
            return
        confirm(f"Take back import {render.short_id(plan.run)}?")
    if apply:
        undone = cleanup.undo_import(session.settings, run, wait, output.announce_backup, session.stop)
        render.import_undone(undone, output, everything=session.verbose, is_known=is_asked)
    else:
        plan = cleanup.plan_import_undo(session.settings, run)
        render.undo_planned(plan, output, everything=session.verbose)
