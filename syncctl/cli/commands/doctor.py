"""`doctor`: what is wrong with an installation and how to fix it; or evidence of how the API answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command
from syncctl.cli.options import Json, output_file
from syncctl.cli.render.printer import console, print_message
from syncctl.errors import ExitCode, SettingsError, UsageError
from syncctl.ports.waiting import watched_by

if TYPE_CHECKING:
    from syncctl.wiring.evidence import Evidence

EvidenceFile = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        parser=output_file,
        metavar="FILE",
        help="Write how the API answers to FILE (- is stdout), without customers' data, instead of checking.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--force", help="With --evidence: overwrite an existing FILE.")]

STDOUT = Path("-")
WAITING = "A run is under way: waiting for its end …"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "doctor")
    def doctor(
        session: Session, evidence: EvidenceFile = None, force: Overwrite = False, json: Json = False
    ) -> None:
        """Check the installation, and say how to fix what is wrong."""
        if evidence is not None:
            with session.stop.at_safe_points():
                _evidence(session, evidence, overwrite=force, as_json=json)
            return
        from syncctl.cli.render.checks import render_checks
        from syncctl.wiring.doctor import diagnose

        try:
            settings = session.settings
        except SettingsError:
            settings = None  # the diagnosis lists every invalid setting
        with _status_display(session) as show:
            show("Checking settings, database, API, files and schedule …")
            report = diagnose(settings, session.env_file)
        render_checks(report, session.redactor, as_json=json, quiet=session.quiet)
        if not report.ok:
            raise typer.Exit(ExitCode.FAILED)


def _evidence(session: Session, target: Path, *, overwrite: bool, as_json: bool) -> None:
    from syncctl.cli.render.checks import render_evidence
    from syncctl.filesystem.private_files import private_file
    from syncctl.services.doctor.evidence.document import readable

    if as_json and target == STDOUT:
        raise UsageError("Use either --evidence - or --json: the evidence is JSON already.")
    if target == STDOUT:
        found = _collect(session)
        sys.stdout.write(readable(found.document) + "\n")
    else:
        with private_file(target, overwrite=overwrite, own=session.settings.own_files) as out:
            found = _collect(session)
            out.write((readable(found.document) + "\n").encode("utf-8", "backslashreplace"))
        render_evidence(found.document, target, is_answered=found.is_answered, as_json=as_json)
    if not found.is_answered:
        raise typer.Exit(ExitCode.FAILED)


def _collect(session: Session) -> Evidence:
    from syncctl.wiring.evidence import gather_evidence

    settings, redactor = session.settings, session.redactor
    with _status_display(session) as show:

        def wait() -> None:
            if not session.quiet and not sys.stderr.isatty():
                print_message(WAITING)
            show(WAITING)

        def ask(number: int) -> None:
            show(f"Asking the API: call {number} …")

        return gather_evidence(settings, redactor, wait, ask, session.stop)


@contextmanager
def _status_display(session: Session) -> Iterator[Callable[[str], None]]:
    """Yields a function that shows the current activity with a spinner on a terminal: an unreachable
    database or API takes seconds to be noticed."""
    if session.quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from syncctl.cli.terminal.waiting import WaitLine

    with watched_by(WaitLine()), console(stderr=True).status("") as status:  # it says what it is at itself
        yield status.update
