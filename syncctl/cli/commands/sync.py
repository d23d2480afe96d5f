"""`api`, `stores`, `booking`, `return`, `all`: the commands that sync from the rental API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.errors import InterruptedRunError, StorageError, UsageError

if TYPE_CHECKING:
    from syncctl.domain.run_results import RunResult

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Fetch for real, write nothing, say what would be.")]
Full = Annotated[bool, typer.Option("--full", help="Ask for everything, and dormant locations too.")]
From = Annotated[str | None, typer.Option("--from", metavar="DAY", help="Backfill from DAY (YYYY-MM-DD).")]
To = Annotated[str | None, typer.Option("--to", metavar="DAY", help="Backfill up to DAY; with --from.")]
Location = Annotated[
    list[str] | None, typer.Option("--location", metavar="ID", help="Only this location; repeatable.")
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
        raise UsageError(f"{option} {written!r} is no day: write it as 2026-01-31.") from None


def window_of(full: bool, date_from: str | None, date_to: str | None) -> tuple[date | None, date | None]:
    """--from and --to as days. Raises UsageError where they make no window."""
    first, last = _day("--from", date_from), _day("--to", date_to)
    if last is not None and first is None:
        raise UsageError("--to needs --from: from which day on?")
    if full and first is not None:
        raise UsageError("--full and --from exclude each other: --from asks dormant locations anyway.")
    return first, last


def finish(result: RunResult, *, as_json: bool) -> None:
    """Show how a run ended, and end the program accordingly."""
    from syncctl.cli.render.runs import render_run
    from syncctl.domain.run_documents import exit_code

    render_run(result, as_json=as_json)
    if status := exit_code(result):
        raise typer.Exit(status)


@contextmanager
def result_in_any_case(*, as_json: bool) -> Iterator[Callable[[RunResult], None]]:
    """Takes what a run came to. With --json that is printed also where the run is broken off, or what is left
    to do after it: whoever reads it wants to know what was stored."""
    from syncctl.cli.render.runs import render_broken_off

    kept: list[RunResult] = []
    try:
        yield kept.append
    except (KeyboardInterrupt, InterruptedRunError, StorageError):
        if as_json and kept:
            render_broken_off(kept[0])
        raise


def _sync_command(name: str) -> Callable[..., None]:
    def sync(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        full: Full = False,
        date_from: From = None,
        date_to: To = None,
        location: Location = None,
        dry_run: DryRun = False,
        force: Force = False,
        wait: Wait = 0.0,
        json: Json = False,
    ) -> None:
        from syncctl.domain.steps import FILE_STEPS, StepName, Trigger
        from syncctl.services.sync.api_sync import API_STEPS
        from syncctl.services.sync.planning import SyncOptions
        from syncctl.wiring.monitoring import heartbeat_of
        from syncctl.wiring.runs import Invocation, run_all, run_sync, switched_off

        first, last = window_of(full, date_from, date_to)
        automatic = not (sys.stdin.isatty() or sys.stdout.isatty())
        trigger = Trigger.AUTO if automatic else Trigger.MANUAL
        invocation = Invocation(name, trigger, dry_run, wait)
        steps = {"api": API_STEPS, "all": (*API_STEPS, *FILE_STEPS)}.get(name) or (StepName(name),)
        options = SyncOptions(full, first, last, tuple(location or ()))
        if automatic and not force and not session.settings.api_sync_enabled:
            session.tell("Automatic sync is off (API_SYNC_ENABLED=false): nothing done; --force runs it.")
            result = switched_off(session.settings, invocation, steps)
        else:
            heartbeat = heartbeat_of(session.settings, name, options, dry_run=dry_run)
            if heartbeat is not None:
                session.heartbeat = heartbeat
                invocation = replace(invocation, begun=heartbeat.begin)
            with result_in_any_case(as_json=json) as keep, session.listener() as listener:
                invocation = replace(invocation, ended=keep)
                if name == "all":
                    result = run_all(session.settings, invocation, options, listener)
                else:
                    result = run_sync(session.settings, invocation, steps, options, listener)
        finish(result, as_json=json)

    return sync


_HELP = {
    "api": "Sync stores, bookings and returns: what cron runs.",
    "stores": "Sync the store list.",
    "booking": "Sync booking confirmations.",
    "return": "Sync returns.",
    "all": "Sync the API, then import from IMPORT_DIR; by hand only.",
}


def register(app: typer.Typer) -> None:
    """Add the commands, and the names that they had in the old system."""
    for name, help_text in _HELP.items():
        sync = _sync_command(name)
        sync.__doc__ = help_text
        command(app, name, aliases=(f"sync:{name}",), logged=True)(sync)
