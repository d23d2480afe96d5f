"""What all cleanups print alike: how to print, what undoes it, which leads were left as they are."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from syncctl.cli.render.printer import print_message
from syncctl.errors import ExitCode
from syncctl.safe_output.printable import printable
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.cli.render.documents.repairs import OutcomeDocument


@dataclass(frozen=True, slots=True)
class Output:
    """How to print."""

    redact: Callable[[str], str]
    """Removes secrets and phone numbers from lead values."""

    as_json: bool
    quiet: bool

    def announce_backup(self, path: Path, leads: int) -> None:
        """Report a backup as soon as it is on disk, before anything is changed."""
        self.hint(f"Backup of {quantity(leads, 'lead')} written: {path}")

    def hint(self, line: str) -> None:
        """Print a hint to stderr, unless quiet."""
        if not self.quiet:
            print_message(line)

    def text(self, written: object) -> str:
        """A lead's value made printable on one line."""
        return printable(self.redact(" ".join(str(written).split())))


def restore_command(backup: Path | None) -> str | None:
    """The command that undoes a cleanup."""
    return None if backup is None else f"syncctl cleanup restore {shlex.quote(str(backup))}"


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
