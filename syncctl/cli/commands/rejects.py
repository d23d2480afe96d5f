"""`rejects list`, `rejects export`, `rejects retry`: the rejected records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json, Wait
from syncctl.cli.render.printer import print_message
from syncctl.domain.sources import StepName

if TYPE_CHECKING:
    from syncctl.services.rejects.reject_list import RejectFilter

Kind = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help=f"{', '.join([*StepName][:-1])} or {[*StepName][-1]}."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="With this in the reason.")]
File = Annotated[str | None, typer.Option("--file", metavar="NAME", help="Of this file, or location id.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="At most so many; 0 for all.")]
Target = Annotated[
    Path, typer.Argument(readable=False, metavar="FILE", help="The CSV to write.", show_default=False)
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The records that were invalid.")
    app.add_typer(group, name="rejects")

    @command(group, "list")
    def list_rejects(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        kind: Kind = None,
        reason: Reason = None,
        file: File = None,
        limit: Limit = 50,
        json: Json = False,
    ) -> None:
        """List them, newest first, phone numbers masked."""
        from syncctl.cli.render.rejects import render_rejects
        from syncctl.services.rejects.reject_list import find_rejects
        from syncctl.wiring.adapters import opened_storage

        with opened_storage(session.settings, dry_run=True) as storage:
            found = find_rejects(storage, _filter(kind, reason, file))
        shown = found[:limit] if limit else found
        render_rejects(shown, len(found), session.redactor, as_json=json)

    @command(group, "export")
    def export(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        target: Target,
        kind: Kind = None,
        reason: Reason = None,
        file: File = None,
        force: Overwrite = False,
    ) -> None:
        """Write them with their raw values to a CSV, for correction by hand."""
        from syncctl.services.rejects.reject_list import export_rejects, find_rejects
        from syncctl.wiring.adapters import opened_storage

        with opened_storage(session.settings, dry_run=True) as storage:
            found = find_rejects(storage, _filter(kind, reason, file))
        with session.stop.at_safe_points():
            export_rejects(found, target, overwrite=force, own=session.settings.own_files)
        print_message(f"{len(found)} rejects written to {target}: it holds customers' data, keep it safe.")

    @command(group, "retry")
    def retry(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        kind: Kind = None,
        reason: Reason = None,
        file: File = None,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        """Try them again after a fix: those that are now valid are saved and leave the list."""
        from syncctl.cli.render.rejects import render_retry
        from syncctl.domain.steps import Trigger
        from syncctl.wiring.runs import Invocation, retry_rejects

        with session.listener() as listener:
            invocation = Invocation("rejects retry", Trigger.MANUAL, wait_s=wait, stop=session.stop)
            result = retry_rejects(session.settings, _filter(kind, reason, file), invocation, listener)
        render_retry(result, as_json=json)


def _filter(kind: str | None, reason: str | None, file: str | None) -> RejectFilter:
    from syncctl.domain.sources import StepName
    from syncctl.errors import UsageError
    from syncctl.services.rejects.reject_list import RejectFilter

    if kind is not None and kind not in list(StepName):
        raise UsageError(f"--kind {kind!r} is none of {', '.join(StepName)}.")
    return RejectFilter(kind, reason, file)
