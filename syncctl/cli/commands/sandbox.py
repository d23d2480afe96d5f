"""`sandbox`: a local stand-in for the rental API, served until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.render.printer import print_line, print_message
from syncctl.domain.sources import API_STEPS
from syncctl.errors import StopRequestedError, UsageError

Port = Annotated[
    int, typer.Option("--port", metavar="N", min=0, max=65535, help="Listen here; 0 takes any free port.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same made-up data.")]
Locations = Annotated[
    int, typer.Option("--locations", metavar="N", min=1, max=1000, help="How many locations there are.")
]
Bookings = Annotated[
    int,
    typer.Option("--bookings", metavar="N", min=0, max=100_000, help="How many bookings each location has."),
]
Latency = Annotated[
    float,
    typer.Option(
        "--latency-ms",
        min=0,
        metavar="MS",
        show_default="at once",
        help="Wait this many milliseconds before each answer.",
    ),
]
Token = Annotated[str | None, typer.Option("--token", metavar="KEY", help="Refuse calls without this key.")]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND[=RATE][@API[:LOCATION]]",
        help="Misbehave, as in 503=0.2 or reset@booking:7; repeatable. An unknown KIND lists them all.",
    ),
]
Dialects = Annotated[
    list[str] | None,
    typer.Option(
        "--dialect",
        metavar="NAME[+NAME...][@REPORT]",
        help="How reports answer, as in booking-date+utc-days or capped-100@return; repeatable. An unknown "
        "NAME lists them all.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "sandbox")
    def sandbox(  # noqa: PLR0913, PLR0917 - each parameter is an option of the command line
        session: Session,
        port: Port = 8765,
        seed: Seed = 1,
        locations: Locations = 21,
        bookings: Bookings = 200,
        latency_ms: Latency = 0.0,
        token: Token = None,
        fault: Faults = None,
        dialect: Dialects = None,
    ) -> None:
        """Serve a made-up rental API to try things on.

        \b
        --dialect says how the booking and the return report answer, or only one
        of them (NAME@booking, NAME@return). Which rows are in a window, one of:
            own-date                     those booked in it; in the return report,
                                         those returned in it, or booked in it and
                                         not returned yet; this is the default
            booking-date                 those booked in it
            delivery-date                those delivered in it
            expected-return-date         those expected back in it
            dates-empty                  none for dates; for months, as own-date
            dates-error                  an error for dates; for months, as own-date
            dates-ignored                as own-date by its months; dates are ignored
            all-ignored                  all; dates and months are ignored
            dates-without-months         as own-date; dates are ignored beside months
            dates-with-months            the same; dates are ignored without months
            dates-without-empty-strings  the same; dates are ignored beside empty keys

        \b
        Besides, alone or joined with + to one of those and to each other:
            first-day-excluded           dateFrom itself is outside the window
            last-day-excluded            dateTo itself is outside the window
            utc-days                     days begin at 05:30, as UTC's do in India
            empty-strings-error          an error where a key is empty
            empty-id-only                only an empty locationID has rows, those
                                         of all shops
            id-ignored                   every answer has the rows of all shops
            capped-N                     at most N rows, as in capped-100
        """
        from syncctl.sandbox import Fault, Sandbox
        from syncctl.wiring.adapters import sandbox_reports

        try:
            faults = [Fault.parse(written, API_STEPS) for written in fault or ()]
        except ValueError as error:
            raise UsageError(f"--fault: {error}") from None
        stand_in = Sandbox(
            seed=seed,
            locations=locations,
            bookings=bookings,
            port=port,
            latency_s=latency_ms / 1000,
            token=token,
            faults=faults,
            reports=sandbox_reports(),
        )
        try:
            stand_in.set_dialect(*dialect or ())
        except ValueError as error:
            raise UsageError(f"--dialect: {error}") from None
        with session.stop.at_safe_points():
            try:
                stand_in.start()
            except OSError as error:
                raise UsageError(
                    f"Port {port} can't be used ({error.strerror}): choose another with --port (0: any)."
                ) from None
            try:
                print_line(f"API_BASE_URL={stand_in.base_url}")
                sys.stdout.flush()
                print_message(
                    f"A rental API of {locations} locations with {bookings} made-up bookings each; "
                    "Ctrl-C ends it. Try:\n"
                    f"  API_BASE_URL={stand_in.base_url} DATABASE_URL=sqlite:///sandbox.db "
                    "API_CALL_DELAY_MS=0 syncctl api"
                )
                session.stop.wait()
            except StopRequestedError:
                print_message("Stopped.")
            finally:
                stand_in.stop()
