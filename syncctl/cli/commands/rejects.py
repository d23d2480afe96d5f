"""`rejects list`, `export`, `import`, `retry` and `dismiss`: the rejected records, and ways back for them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command, command_group
from syncctl.cli.options import Json, Wait, YesAtOnce, output_file
from syncctl.cli.render.printer import print_message
from syncctl.domain.sources import StepName
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.services.rejects.reject_list import RejectFilter

STDOUT = Path("-")

Kind = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        show_default="all",
        help=f"{', '.join([*StepName][:-1])} or {[*StepName][-1]}.",
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Only with this in the reason.")]
File = Annotated[
    str | None,
    typer.Option("--file", metavar="NAME", help="Only of this file, or of the location with this id."),
]
Store = Annotated[str | None, typer.Option("--store", metavar="NAME", help="Only of this store.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=0, help="At most this many; 0: all.")]
Target = Annotated[
    Path,
    typer.Argument(
        parser=output_file,
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
    list[str] | None,
    typer.Argument(
        metavar="[ID...]",
        help="Their ids as listed, or at least the first six characters.",
        show_default=False,
    ),
]
ApplyToChosen = Annotated[
    bool,
    typer.Option("--apply", show_default="only show them", help="Dismiss those that the options choose."),
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite an existing FILE.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show what would become of each; write nothing.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = command_group(app, "rejects", "Rows that were rejected: list, correct and retry them.")
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
    """List the rejects and the reasons, phone numbers masked."""
    from syncctl.cli.render.rejects import render_rejects
    from syncctl.wiring.rejects import listed_rejects

    wanted = _filter(kind, reason, file, store)
    found = listed_rejects(session.settings, wanted)
    render_rejects(found, limit, session.redactor, _none_words(wanted), as_json=json)


def _export(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    target: Target,
    kind: Kind = None,
    reason: Reason = None,
    file: File = None,
    store: Store = None,
    force: Overwrite = False,
) -> None:
    """Write them to a sheet, to be corrected by hand."""
    from syncctl.wiring.rejects import export_rejects, write_rejects

    wanted = _filter(kind, reason, file, store)
    if target == STDOUT:
        written = write_rejects(session.settings, wanted, sys.stdout.buffer)
    else:
        with session.stop.at_safe_points():
            written = export_rejects(session.settings, wanted, target, overwrite=force)
    if not written:
        print_message(_none_words(wanted))
        return
    where = "stdout" if target == STDOUT else target
    print_message(
        f"{quantity(written, 'reject')} written to {where}: it holds customers' data, keep it safe."
    )
    if target != STDOUT and not session.quiet:
        print_message(f"Correct the sheet, then run `syncctl rejects import {shlex.quote(str(target))}`.")


def _import(
    session: Session, file: Corrected, dry_run: DryRun = False, wait: Wait = 0.0, json: Json = False
) -> None:
    """Save what the corrected sheet has right now, off the list."""
    from syncctl.cli.render.rejects_corrected import render_corrections
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
    """Try them again after a fix, and save what is valid now."""
    from syncctl.cli.render.rejects_corrected import render_retry
    from syncctl.domain.run_results import Counts
    from syncctl.domain.steps import Trigger
    from syncctl.wiring.rejects import is_any_listed
    from syncctl.wiring.runs import Invocation, retry_rejects

    wanted, run_id, counts = _filter(kind, reason, file, store), None, Counts()
    if is_any_listed(session.settings, wanted, None if dry_run else wait):
        with session.listener() as listener:
            invocation = Invocation("rejects retry", Trigger.MANUAL, dry_run, wait, stop=session.stop)
            run_id, counts = retry_rejects(session.settings, wanted, invocation, listener)
    render_retry(run_id, counts, _none_words(wanted), dry_run=dry_run, as_json=json)


def _dismiss(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
    session: Session,
    ids: Ids = None,
    kind: Kind = None,
    reason: Reason = None,
    file: File = None,
    store: Store = None,
    apply: ApplyToChosen = False,
    yes: YesAtOnce = False,
    json: Json = False,
) -> None:
    """Take them off the list for good, unsaved."""
    from syncctl.cli.render.rejects import print_table, render_dismissed, render_to_dismiss
    from syncctl.cli.terminal.asking import can_ask, confirm
    from syncctl.errors import UsageError
    from syncctl.wiring.rejects import dismiss_rejects, listed_rejects, rejects_to_dismiss

    wanted = _filter(kind, reason, file, store)
    if bool(ids) is wanted.is_choice:
        raise UsageError(
            "Name the rejects by their ids, or choose them with --store, --reason, --file and --kind."
        )
    if ids:
        found = rejects_to_dismiss(session.settings, ids)
    else:
        found = listed_rejects(session.settings, wanted)
        if not apply or not found:
            render_to_dismiss(found, session.redactor, as_json=json)
            return
    if not yes and can_ask():
        if not json:
            print_table(found, session.redactor)
        confirm(f"Dismiss {quantity(len(found), 'reject')}?")
    dismiss_rejects(session.settings, found)
    render_dismissed(found, as_json=json)


def _none_words(wanted: RejectFilter) -> str:
    from syncctl.cli.render.rejects import NONE_MATCHES

    if wanted.is_choice:
        return NONE_MATCHES
    return "The rejects list is empty."


def _filter(kind: str | None, reason: str | None, file: str | None, store: str | None) -> RejectFilter:
    from syncctl.domain.sources import StepName
    from syncctl.errors import UsageError
    from syncctl.services.rejects.reject_list import RejectFilter

    if kind is not None and kind not in list(StepName):
        raise UsageError(f"--kind must be {', '.join([*StepName][:-1])} or {[*StepName][-1]}.")
    return RejectFilter(kind, reason, file, store)
