"""`cleanup duplicates`, `stores`, `finished` and `restore`: repair and restore what other programs left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command, command_group
from syncctl.cli.options import Apply, Json, Wait, Yes, YesAtOnce

if TYPE_CHECKING:
    from syncctl.cli.render.cleanup_output import Output

Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep", metavar="ID", show_default="as the plan says", help="Keep this copy of its set; repeatable."
    ),
]
BackupFile = Annotated[
    Path,
    typer.Argument(
        readable=False,
        metavar="FILE",
        help="The backup that a cleanup wrote, or its name.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group, and the old system's name for its first command."""
    group = command_group(app, "cleanup", "Repair what other programs left behind.")
    command(group, "duplicates")(_duplicates)
    command(group, "stores")(_stores)
    command(group, "finished")(_finished)
    command(group, "restore")(_restore)
    command(app, "cleanup:duplicates", hidden=True, new_name="cleanup duplicates")(_duplicates)


def _duplicates(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    apply: Apply = False,
    yes: Yes = False,
    keep: Keep = None,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Show duplicate leads; with --apply delete the spare copies."""
    from syncctl.cli.render import cleanup as render
    from syncctl.cli.terminal.asking import agreed_plan
    from syncctl.wiring import cleanup

    output, chosen = output_of(session, as_json=json), keep or ()
    if not apply:
        render.duplicates_planned(cleanup.plan_duplicates(session.settings, chosen), chosen, output)
        return
    agreed = agreed_plan(
        yes,
        lambda: cleanup.plan_duplicates(session.settings, chosen),
        lambda plan: render.duplicates_planned(plan, chosen, output, is_question=True),
        render.duplicates_question,
        as_json=json,
    )
    job = cleanup.Job(wait, output.announce_backup, session.stop, agreed and agreed.actions)
    render.duplicates_cleaned(cleanup.clean_duplicates(session.settings, chosen, job), output)


def _stores(
    session: Session, apply: Apply = False, yes: Yes = False, wait: Wait = 0.0, json: Json = False
) -> None:
    """Show leads with misspelt stores; with --apply correct them."""
    from syncctl.cli.render import cleanup_stores as render
    from syncctl.cli.terminal.asking import agreed_plan
    from syncctl.wiring import cleanup

    output = output_of(session, as_json=json)
    if not apply:
        render.stores_planned(cleanup.plan_stores(session.settings), output)
        return
    agreed = agreed_plan(
        yes,
        lambda: cleanup.plan_stores(session.settings),
        lambda plan: render.stores_planned(plan, output, is_question=True),
        render.stores_question,
        as_json=json,
    )
    job = cleanup.Job(wait, output.announce_backup, session.stop, agreed and agreed.actions)
    renamed = cleanup.rename_stores(session.settings, job)
    render.stores_renamed(renamed, output, is_known=agreed is not None)


def _finished(
    session: Session, apply: Apply = False, yes: Yes = False, wait: Wait = 0.0, json: Json = False
) -> None:
    """Show finished or deleted leads that are back; with --apply delete them."""
    from syncctl.cli.render import cleanup_finished as render
    from syncctl.cli.terminal.asking import agreed_plan
    from syncctl.wiring import cleanup

    output = output_of(session, as_json=json)
    if not apply:
        render.finished_planned(cleanup.plan_finished(session.settings), output)
        return
    agreed = agreed_plan(
        yes,
        lambda: cleanup.plan_finished(session.settings),
        lambda plan: render.finished_planned(plan, output, is_question=True),
        render.finished_question,
        as_json=json,
    )
    job = cleanup.Job(wait, output.announce_backup, session.stop, agreed and agreed.actions)
    cleaned = cleanup.clean_finished(session.settings, job)
    render.finished_cleaned(cleaned, output, is_known=agreed is not None)


def _restore(
    session: Session, file: BackupFile, yes: YesAtOnce = False, wait: Wait = 0.0, json: Json = False
) -> None:
    """Put a backup back: every lead exactly as it was."""
    from syncctl.cli.render import cleanup_restore as render
    from syncctl.cli.terminal.asking import agreed_plan
    from syncctl.wiring import cleanup

    output = output_of(session, as_json=json)
    agreed = agreed_plan(
        yes,
        lambda: cleanup.plan_restore(session.settings, file, session.stop),
        render.restore_planned,
        render.restore_question,
        as_json=json,
    )
    restored = cleanup.restore_backup(session.settings, file, wait, session.stop)
    render.backup_restored(restored, output, is_known=agreed is not None)


def output_of(session: Session, *, as_json: bool) -> Output:
    """How a cleanup of this session prints."""
    from syncctl.cli.render.cleanup_output import Output

    return Output(session.redactor, session.clock(), as_json, session.quiet)
