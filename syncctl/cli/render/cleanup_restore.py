"""Renders what `cleanup restore` would put back, and the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from syncctl.cli.render.printer import print_line, print_message, print_result
from syncctl.errors import ExitCode
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.cleanup_output import Output
    from syncctl.cli.render.documents.repairs import BackupRestoredDocument
    from syncctl.services.cleanup.restoring import BackupRestored


def restore_planned(plan: BackupRestored) -> None:
    """Render what restoring a backup would come to."""
    print_line(f"Backup of `{_command(plan)}`: {quantity(plan.restored, 'lead')} would be put back.")
    _print_rest(plan)


def restore_question(plan: BackupRestored) -> str | None:
    """What to ask before it is done. None where all leads are back: it goes on all the same, as one that was
    killed may not have put back their records."""
    return f"Put back {quantity(plan.restored, 'lead')}?" if plan.restored else None


def backup_restored(result: BackupRestored, output: Output, *, is_known: bool = False) -> None:
    """Render what was restored; exit status 1 if some leads have changed since. `is_known`: whether the
    person has just seen what stays as it is."""
    if output.as_json:
        document: BackupRestoredDocument = {
            "command": "cleanup restore",
            "ok": result.is_whole,
            "kind": result.kind.value,
            "restored": result.restored,
            "same": result.same,
            "different": result.different,
        }
        if result.kept_lead_gone:
            document["ended"] = result.kept_lead_gone
        print_result(document)
    else:
        print_line(f"Put back {quantity(result.restored, 'lead')}.")
        if not is_known:
            _print_rest(result)
    if not result.is_whole:
        raise typer.Exit(ExitCode.FAILED)


def _command(plan: BackupRestored) -> str:
    from syncctl.services.cleanup.backups import BackupKind

    return "import undo" if plan.kind is BackupKind.IMPORT else f"cleanup {plan.kind}"


def _print_rest(result: BackupRestored) -> None:
    """What is not put back, and why."""
    from syncctl.services.cleanup.backups import BackupKind

    if result.same:
        are = plural(result.same, "is", "are")
        print_line(f"{quantity(result.same, 'lead')} {are} as in the backup already.")
    if result.kind is BackupKind.IMPORT:
        print_message("The rejects list stays as it is: rows that the import had put on it are not back.")
    for lead_id in result.kept_lead_gone:
        print_message(
            f"Not put back: lead {lead_id}. The lead kept in its place was finished or deleted since."
        )
    for lead_id in result.different:
        print_message(f"Left as it is: lead {lead_id} was changed or deleted since.")
