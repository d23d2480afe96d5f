"""`cleanup duplicates`, `stores`, `finished` and `restore`: repair and restore what other programs left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Apply, Json, Wait

Keep = Annotated[
    list[str] | None, typer.Option("--keep", metavar="ID", help="Keep this copy of its set; repeatable.")
]
BackupFile = Annotated[
    Path, typer.Argument(readable=False, metavar="FILE", help="The backup.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the group, and the old system's name for its first command."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Repair what other programs left.")
    app.add_typer(group, name="cleanup")
    command(group, "duplicates")(_duplicates)
    command(group, "stores")(_stores)
    command(group, "finished")(_finished)
    command(group, "restore")(_restore)
    command(app, "cleanup:duplicates", hidden=True, new_name="cleanup duplicates")(_duplicates)


def _duplicates(
    session: Session, apply: Apply = False, keep: Keep = None, wait: Wait = 0.0, json: Json = False
) -> None:
    """Show which copies of one lead would be deleted; with --apply delete them."""
    from syncctl.cli.render import cleanup as render
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.wiring import cleanup

    output = Output(session.redactor, as_json=json, quiet=session.quiet)
    if apply:
        cleaned = cleanup.clean_duplicates(
            session.settings, keep or (), wait, output.announce_backup, session.stop
        )
        render.duplicates_cleaned(cleaned, output)
    else:
        plan = cleanup.plan_duplicates(session.settings, keep or ())
        render.duplicates_planned(plan, keep or (), output)


def _stores(session: Session, apply: Apply = False, wait: Wait = 0.0, json: Json = False) -> None:
    """Show which leads' stores are misspelt; with --apply rename them."""
    from syncctl.cli.render import cleanup_stores as render
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.wiring import cleanup

    output = Output(session.redactor, as_json=json, quiet=session.quiet)
    if apply:
        renamed = cleanup.rename_stores(session.settings, wait, output.announce_backup, session.stop)
        render.stores_renamed(renamed, output)
    else:
        render.stores_planned(cleanup.plan_stores(session.settings), output)


def _finished(session: Session, apply: Apply = False, wait: Wait = 0.0, json: Json = False) -> None:
    """Show which finished or deleted leads are there all the same; with --apply delete them."""
    from syncctl.cli.render import cleanup_finished as render
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.wiring import cleanup

    output = Output(session.redactor, as_json=json, quiet=session.quiet)
    if apply:
        cleaned = cleanup.clean_finished(session.settings, wait, output.announce_backup, session.stop)
        render.finished_cleaned(cleaned, output)
    else:
        plan = cleanup.plan_finished(session.settings)
        render.finished_planned(plan, output, session.settings.business_timezone)


def _restore(session: Session, file: BackupFile, wait: Wait = 0.0, json: Json = False) -> None:
    """Put a backup back: every lead exactly as it was."""
    from syncctl.cli.render import cleanup as render
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.wiring import cleanup

    output = Output(session.redactor, as_json=json, quiet=session.quiet)
    render.backup_restored(cleanup.restore_backup(session.settings, file, wait, session.stop), output)
