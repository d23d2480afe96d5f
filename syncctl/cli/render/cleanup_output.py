"""What all cleanups print alike: how to print, what undoes it, which leads were left as they are."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from syncctl.cli.render.printer import print_line, print_message
from syncctl.domain.sources import LEAD_TYPE_NAMES, LEAD_TYPE_PLURALS
from syncctl.errors import ExitCode
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import mask_phone
from syncctl.text import quantity

if TYPE_CHECKING:
    from syncctl.cli.render.clock import Clock
    from syncctl.cli.render.documents.repairs import OutcomeDocument

_FIELDS = {"createdAt": "created", "updatedAt": "last edit"}
"""What people call a field, where it isn't just its name in small letters."""


class Output(NamedTuple):
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
