"""What all cleanups print alike: how to print, what undoes it, which leads were left as they are;
what `cleanup restore` would put back, and the result."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from syncctl.cli.render.printer import print_line, print_message, print_result
from syncctl.domain.sources import LEAD_TYPE_NAMES, LEAD_TYPE_PLURALS
from syncctl.errors import ExitCode
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.text import plural, quantity

if TYPE_CHECKING:
    from syncctl.cli.render.clock import Clock
    from syncctl.cli.render.documents.repairs import BackupRestoredDocument, OutcomeDocument
    from syncctl.services.cleanup.restoring import BackupRestored

_FIELDS = {"createdAt": "created", "updatedAt": "last edit"}
"""What people call a field, where it isn't just its name in small letters."""


@dataclass(frozen=True, slots=True)
class Output:
    """How to print."""

    redact: Callable[[str], str]
    """Removes secrets and phone numbers from lead values."""

    clock: Clock
    """Shows moments on a screen."""

    as_json: bool
    quiet: bool

    def announce_backup(self, path: Path, leads: int) -> None:
        """Report a backup as soon as it is on disk, before anything is changed."""
        self.hint(f"Backup of {quantity(leads, 'lead')} written: {path}")

    def hint(self, line: str) -> None:
        """Print a hint to stderr, unless quiet."""
        if not self.quiet:
            print_message(line)

    def all_well(self, line: str) -> None:
        """Print that there is nothing to do, unless quiet."""
        if not self.quiet:
            print_line(line)

    def text(self, written: object) -> str:
        """A lead's value made printable on one line."""
        return printable(self.redact(" ".join(str(written).split())))

    def kind(self, lead_type: str, *, several: bool = False) -> str:
        """What people call a lead of this type, or several."""
        words = LEAD_TYPE_PLURALS if several else LEAD_TYPE_NAMES
        return words.get(lead_type) or self.text(lead_type) or "(no type)"

    def value(self, field: str, value: object) -> str:
        """A field's value for a screen; "" where there is none. Days are those of the business."""
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, datetime):
            return value.date().isoformat() if value.time() == time() else self.clock.moment(value)
        return mask_phone(str(value)) if field == "phone" else self.text(value)


def field_words(name: str) -> str:
    """A field's name as people read it: `callStatus` is "call status"."""
    return _FIELDS.get(name) or printable(re.sub("(?<=[a-z])(?=[A-Z])", " ", name).casefold())


def restore_command(backup: Path | None) -> str | None:
    """The command that undoes a cleanup."""
    return None if backup is None else f"syncctl cleanup restore {shlex.quote(str(backup))}"


def print_done(done: str, backup: Path | None) -> None:
    """Print what was done, in the past tense, and the command that undoes it."""
    print_line(f"{done}.")
    print_command("To undo", restore_command(backup))


def print_command(what_for: str, command: str | None) -> None:
    """Print a command that can be copied; on a terminal it begins a line. None: nothing is printed."""
    if command is not None:
        gap = "\n" if sys.stdout.isatty() else " "
        print_line(f"{what_for}:{gap}{command}")


def outcome_document(left: Sequence[str], backup: Path | None) -> OutcomeDocument:
    """What `--json` says of any cleanup that was applied."""
    return {
        "ok": not left,
        "left": list(left),
        "backup": None if backup is None else str(backup),
        "restore": restore_command(backup),
    }


def tell_left(lead_ids: Sequence[str], why: str = "changed meanwhile") -> None:
    """Name the leads that were left as they are. Raises typer.Exit: exit status 1."""
    for lead_id in lead_ids:
        print_message(f"Left as it is: lead {lead_id}")
    print_message(f"{quantity(len(lead_ids), 'lead')} {why}: run it again.")
    raise typer.Exit(ExitCode.FAILED)


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
