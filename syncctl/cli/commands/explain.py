"""`explain`: the history of one customer's records, and why they are where they are."""

from __future__ import annotations

from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json
from syncctl.errors import ExitCode

Asked = Annotated[
    str,
    typer.Argument(
        metavar="PHONE_OR_BOOKING",
        help="A phone number in any spelling, or a booking number.",
        show_default=False,
    ),
]
Fetch = Annotated[bool, typer.Option("--fetch", help="Ask the API, too, what it has now.")]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "explain")
    def explain(session: Session, phone_or_booking: Asked, fetch: Fetch = False, json: Json = False) -> None:
        """Show what became of a customer's records, and why."""
        from syncctl.cli.render.explain import render_explanation
        from syncctl.wiring.reconcile import explain_record

        found = explain_record(session.settings, phone_or_booking, fetch=fetch)
        render_explanation(found, session.redactor, as_json=json, fetched=fetch)
        if not found.found:
            raise typer.Exit(ExitCode.FAILED)
