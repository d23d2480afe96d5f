"""`rejects list`, `export`, `import`, `retry` and `dismiss`: the rejected records, and ways back for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json, Wait
from syncctl.cli.render.printer import print_message
from syncctl.domain.sources import StepName
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.services.rejects.reject_list import RejectFilter

STDOUT = Path("-")

Kind = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help=f"{', '.join([*StepName][:-1])} or {[*StepName][-1]}."),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="With this in the reason.")]
File = Annotated[str | None, typer.Option("--file", metavar="NAME", help="Of this file, or location id.")]
Store = Annotated[str | None, typer.Option("--store", metavar="NAME", help="Of this store.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="At most so many; 0 for all.")]
Target = Annotated[
    Path,
    typer.Argument(
        readable=False,
        metavar="FILE",
        help="The .csv or .xlsx to write; - is stdout.",
        show_default=False,
    ),
]
Corrected = Annotated[
    Path,
    typer.Argument(readable=False, metavar="FILE", help="The exported sheet, corrected.", show_default=False),
]
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Ids, or at least their first six characters.", show_default=False),
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Write nothing, say what would become of each.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The records that were invalid.")
    app.add_typer(group, name="rejects")
    command(group, "list")(_list)
    command(group, "export")(_export)
    command(group, "import")(_import)
    command(group, "retry")(_retry)
    command(group, "dismiss")(_dismiss)


def _list(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    kind: Kind = None,
    reason: Reason = None,
    file: File = None,
    store: Store = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List them, phone numbers masked: newest first, on a terminal by store and reason."""
    from syncctl.cli.render.rejects import render_rejects
    from syncctl.wiring.rejects import listed_rejects

    found = listed_rejects(session.settings, _filter(kind, reason, file, store))
    render_rejects(found, limit, session.redactor, as_json=json)


def _export(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    target: Target,
    kind: Kind = None,
    reason: Reason = None,
    file: File = None,
    store: Store = None,
    force: Overwrite = False,
) -> None:
    """Write them with their raw values to a sheet, for correction by hand."""
    from syncctl.wiring.rejects import export_rejects, write_rejects

    wanted = _filter(kind, reason, file, store)
    if target == STDOUT:
        written = write_rejects(session.settings, wanted, sys.stdout.buffer)
    else:
        with session.stop.at_safe_points():
            written = export_rejects(session.settings, wanted, target, overwrite=force)
    if not written:
        print_message("The rejects list is empty.")
        return
    where = "stdout" if target == STDOUT else target
    print_message(
        f"{quantity(written, 'reject')} written to {where}: it holds customers' data, keep it safe."
    )
    if target != STDOUT and not session.quiet:
        print_message("Corrected in the sheet, they come back by `syncctl rejects import FILE`.")


def _import(
    session: Session, file: Corrected, dry_run: DryRun = False, wait: Wait = 0.0, json: Json = False
) -> None:
    """Take the corrected sheet back: what is right now is saved and leaves the list."""
    from syncctl.cli.render.rejects import render_corrections
    from syncctl.domain.steps import Trigger
    from syncctl.wiring.runs import Invocation, import_corrected_rejects

    with session.listener() as listener:
        invocation = Invocation("rejects import", Trigger.MANUAL, dry_run, wait, stop=session.stop)
        result = import_corrected_rejects(session.settings, file, invocation, listener)
    render_corrections(result, session.redactor, verbose=session.verbose, as_json=json)


def _retry(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    kind: Kind = None,
    reason: Reason = None,
    file: File = None,
    store: Store = None,
    dry_run: DryRun = False,
    wait: Wait = 0.0,
    json: Json = False,
) -> None:
    """Try them again after a fix: those that are now valid are saved and leave the list."""
    from syncctl.cli.render.rejects import render_retry
    from syncctl.domain.steps import Trigger
    from syncctl.wiring.runs import Invocation, retry_rejects

    with session.listener() as listener:
        invocation = Invocation("rejects retry", Trigger.MANUAL, dry_run, wait, stop=session.stop)
        result = retry_rejects(session.settings, _filter(kind, reason, file, store), invocation, listener)
    render_retry(result, dry_run=dry_run, as_json=json)


def _dismiss(session: Session, ids: Ids, yes: Yes = False, json: Json = False) -> None:
    """Take them off the list unsaved, for good: the same rows don't come back."""
    from syncctl.cli.render.rejects import print_table, render_dismissed
    from syncctl.cli.terminal.asking import can_ask, confirm
    from syncctl.wiring.rejects import dismiss_rejects, rejects_to_dismiss

    found = rejects_to_dismiss(session.settings, ids)
    if not yes and can_ask():
        if not json:
            print_table(found, session.redactor)
        confirm(f"Dismiss {quantity(len(found), 'reject')}?")
    dismiss_rejects(session.settings, found)
    render_dismissed(found, as_json=json)


def _filter(kind: str | None, reason: str | None, file: str | None, store: str | None) -> RejectFilter:
    from syncctl.domain.sources import StepName
    from syncctl.errors import UsageError
    from syncctl.services.rejects.reject_list import RejectFilter

    if kind is not None and kind not in list(StepName):
        raise UsageError(f"--kind {kind!r} is none of {', '.join(StepName)}.")
    return RejectFilter(kind, reason, file, store)
