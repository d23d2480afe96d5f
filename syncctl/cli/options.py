"""The options that several commands have."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from syncctl.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Fetch for real, write nothing, say what would be.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Do it, after writing a backup; else it is only shown.")]
Yes = Annotated[bool, typer.Option("--yes", help="With --apply: don't ask on a terminal.")]
Full = Annotated[bool, typer.Option("--full", help="Ask for everything, and dormant locations too.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="Backfill from DAY (YYYY-MM-DD).")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Backfill up to DAY; with --from.")]
Location = Annotated[
    list[str] | None,
    typer.Option("--location", metavar="ID", help="Only this location, by id or store; repeatable."),
]
Force = Annotated[bool, typer.Option("--force", help="Run although API_SYNC_ENABLED=false.")]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for another run's lock so long.")
]


def _day(option: str, written: str | None) -> date | None:
    if written is None:
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise UsageError(f"{option} {written!r} isn't a date: write it as 2026-01-31.") from None


def window_of(full: bool, date_from: str | None, date_to: str | None) -> tuple[date | None, date | None]:
    """--from and --to as days. Raises UsageError where they make no window."""
    first, last = _day("--from", date_from), _day("--to", date_to)
    if last is not None and first is None:
        raise UsageError("--to needs --from: from which day on?")
    if full and first is not None:
        raise UsageError("--full and --from exclude each other: --from asks dormant locations anyway.")
    return first, last
