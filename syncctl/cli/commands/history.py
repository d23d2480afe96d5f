"""`history`: the list of runs, one run in detail, or what many runs come to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import UsageError

if TYPE_CHECKING:
    from syncctl.services.checks.history import RunLine

SHOWN = 20
"""Runs in a pipe, lines on a terminal."""

LOOKED_THROUGH = 1000
"""Runs at most for the lines of a terminal, of which one may stand for many: three days of syncs."""

STATISTICS_DAYS = 30

MOST_RUNS, MOST_DAYS = 1_000_000, 3650
"""More than a history ever holds."""

RunId = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="One run in full: its id, or the beginning of it."),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=0,
        max=MOST_RUNS,
        show_default="20, on a terminal 20 lines",
        help="At most this many runs; 0: all.",
    ),
]
Failed = Annotated[bool, typer.Option("--failed", help="Only runs in which something failed.")]
Stats = Annotated[
    bool,
    typer.Option("--stats", help="Count the runs of `syncctl api`: how many succeeded, how long they took."),
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days", metavar="N", min=1, max=MOST_DAYS, show_default="30", help="With --stats: the last N days."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "history")
    def history(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        run: RunId = None,
        limit: Limit = None,
        failed: Failed = False,
        stats: Stats = False,
        days: Days = None,
        json: Json = False,
    ) -> None:
        """List past runs, show one location by location, or count them."""
        if stats:
            if run is not None or failed or limit is not None:
                raise UsageError("--stats counts all runs of its days: leave RUN, --limit and --failed out.")
            _show_statistics(session, days or STATISTICS_DAYS, as_json=json)
        elif days is not None:
            raise UsageError("--days goes with --stats; --limit says how many runs are listed.")
        elif run is None:
            _list(session, limit, failed_only=failed, as_json=json)
        elif failed or limit is not None:
            raise UsageError(
                "--failed and --limit filter the list of runs: leave them out where a run is named."
            )
        else:
            from syncctl.cli.render.history import render_run_detail
            from syncctl.wiring.checks import find_run

            found = find_run(session.settings, run)
            render_run_detail(found, session.redactor, session.clock(), as_json=json)


def _list(session: Session, limit: int | None, *, failed_only: bool, as_json: bool) -> None:
    from syncctl.cli.render import history as rendered
    from syncctl.wiring.checks import list_run_lines, list_runs

    on_screen = sys.stdout.isatty() and not as_json
    if on_screen and not session.verbose:
        most, limit = (SHOWN, LOOKED_THROUGH) if limit is None else (0, limit)
        lines: Sequence[RunLine] = list_run_lines(session.settings, most, limit, failed_only=failed_only)
    else:
        runs = list_runs(session.settings, SHOWN if limit is None else limit, failed_only=failed_only)
        if not on_screen:
            rendered.render_runs(runs, session.redactor, failed_only=failed_only, as_json=as_json)
            return
        lines = tuple((run,) for run in runs)
    if lines:
        rendered.render_run_lines(lines, session.redactor, session.clock(), hint=not session.quiet)
    else:
        rendered.print_no_runs(failed_only=failed_only)


def _show_statistics(session: Session, days: int, *, as_json: bool) -> None:
    from syncctl.cli.render.run_statistics import render_statistics
    from syncctl.wiring.checks import run_statistics

    found = run_statistics(session.settings, days)
    render_statistics(found, session.redactor, session.clock(), as_json=as_json)
