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
        help="The id of the import's run, as `syncctl history` shows it, or its beginning.",
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
    """Show how an import would be taken back; with --apply do it."""
    from syncctl.cli.commands.cleanup import output_of
    from syncctl.cli.render import import_undo as render
    from syncctl.cli.terminal.asking import agreed_plan
    from syncctl.wiring import cleanup

    output = output_of(session, as_json=json)
    if not apply:
        render.undo_planned(cleanup.plan_import_undo(session.settings, run), output)
        return
    agreed = agreed_plan(
        yes,
        lambda: cleanup.plan_import_undo(session.settings, run),
        lambda plan: render.undo_planned(plan, output, is_question=True),
        render.undo_question,
        as_json=json,
    )
    job = cleanup.Job(wait, output.announce_backup, session.stop, agreed and agreed.actions)
    undone = cleanup.undo_import(session.settings, run, job)
    render.import_undone(undone, output, everything=session.verbose, is_known=agreed is not None)
