"""`doctor`: what is wrong with an installation, each with its cure."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext

import typer

from syncctl.cli.render import console
from syncctl.cli.session import Session, command
from syncctl.cli.sync_commands import Json
from syncctl.errors import ExitCode, SettingsError


def register(app: typer.Typer) -> None:
    """Add the command."""

    @command(app, "doctor")
    def doctor(session: Session, json: Json = False) -> None:
        """Check settings, database, API, files and schedule; each trouble comes with its cure."""
        from syncctl.bootstrap.diagnosis import diagnose
        from syncctl.cli.render_checks import render_checks

        try:
            settings = session.settings
        except SettingsError:
            settings = None  # the diagnosis names every wrong one
        with _waiting(session):
            report = diagnose(settings, session.env_file)
        render_checks(report, session.redactor, as_json=json)
        if not report.ok:
            raise typer.Exit(ExitCode.FAILED)


def _waiting(session: Session) -> AbstractContextManager[object]:
    """Something that moves on a terminal, as an unreachable database or API takes seconds to tell."""
    if session.quiet or not sys.stderr.isatty():
        return nullcontext()
    return console(stderr=True).status("Checking settings, database, API, files and schedule …")
