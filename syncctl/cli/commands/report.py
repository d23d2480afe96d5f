"""`report`: a month for head office, on the screen or as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.cli.render.printer import print_line, print_message
from syncctl.errors import UsageError

MonthOption = Annotated[
    str | None,
    typer.Option("--month", metavar="YYYY-MM", help="Which month; without it the current one."),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write one HTML page to FILE (-: stdout), to print or send."),
]
Force = Annotated[bool, typer.Option("--force", help="With --html: overwrite the file if it exists.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "report")
    def report(
        session: Session,
        month: MonthOption = None,
        html: Html = None,
        force: Force = False,
        json: Json = False,
    ) -> None:
        """Show a month: leads, stores, calls, rejects, syncs, changes at the source."""
        from syncctl.cli.render import month as render
        from syncctl.filesystem.private_files import write_private
        from syncctl.services.monthly.month import Month
        from syncctl.wiring.checks import month_summary

        if html is not None and json:
            raise UsageError("Use either --html or --json: the page is for people.")
        if force and html is None:
            raise UsageError("--force goes with --html: there is nothing else to overwrite.")
        clock = session.clock()
        current = Month.of(clock.now.astimezone(clock.zone).date())
        wanted = Month.parse(month) if month else current
        if wanted > current:
            raise UsageError(f"--month {wanted} hasn't begun yet: name this month or an earlier one.")
        if html is not None:
            render.require_jinja()
        summary = month_summary(session.settings, wanted, clock.now)
        if json:
            render.print_month_document(summary, session.redactor)
        elif html is None:
            render.print_month(summary, clock, session.redactor)
        else:
            page = render.month_page(summary, clock, session.redactor)
            if html == Path("-"):
                for line in page.splitlines():
                    print_line(line)
                return
            write_private(html, page.encode(), overwrite=force, own=session.settings.own_files)
            print_message(f"Written to {html}: open it in a browser, or print it.")
