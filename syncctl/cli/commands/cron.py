"""`cron show`, `cron install`, `cron remove`: the schedule that starts the sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncctl.cli.context import Session, command, command_group
from syncctl.cli.options import Json, YesAtOnce
from syncctl.cli.render.printer import print_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from syncctl.ports.machine import NextStart
    from syncctl.scheduling.crontab_line import Job
    from syncctl.wiring.scheduling import CrontabChange

DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Show the change; make none.")]
Systemd = Annotated[
    bool, typer.Option("--systemd", help="Print systemd services and timers instead of crontab lines.")
]
NightlyFull = Annotated[
    str | None,
    typer.Option(
        "--nightly-full",
        metavar="HH:MM",
        help="Also sync whole windows each day at that time of this machine.",
    ),
]
NightlyVerify = Annotated[
    str | None,
    typer.Option(
        "--nightly-verify",
        metavar="HH:MM",
        help="Also run `verify data` each day at that time of this machine.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = command_group(app, "cron", "Schedule the sync: the line in your crontab.")

    @command(group, "show")
    def show(
        session: Session,
        systemd: Systemd = False,
        nightly_full: NightlyFull = None,
        nightly_verify: NightlyVerify = None,
        json: Json = False,
    ) -> None:
        """Show the lines, whether they are installed and up to date, and when the sync runs next."""
        from syncctl.cli.render.cron import Schedule, render_schedule
        from syncctl.wiring import scheduling

        settings = session.settings
        nightly = _nightly(nightly_full, nightly_verify) or scheduling.installed_nightly()
        if systemd:
            _show_units(session, nightly, as_json=json)
            return
        block = scheduling.wanted_block(settings, session.env_file, nightly)
        clock = session.clock()
        state = scheduling.schedule_state(settings, session.env_file)
        start = scheduling.start_of(state, settings, clock.now).if_enabled(settings.api_sync_enabled)
        render_schedule(block, Schedule(state, start, nightly), clock, session.redactor, as_json=json)

    @command(group, "install")
    def install(
        session: Session,
        dry_run: DryRun = False,
        systemd: Systemd = False,
        nightly_full: NightlyFull = None,
        nightly_verify: NightlyVerify = None,
    ) -> None:
        """Put the lines into your crontab, in place of those put there before; others stay as they are."""
        from syncctl.wiring import scheduling

        settings = session.settings
        nightly = _nightly(nightly_full, nightly_verify)
        if systemd:
            _show_units(session, nightly, as_json=False)
            return
        change = scheduling.plan_install(settings, session.env_file, nightly)
        _print_warnings(session, change.warnings)
        if not dry_run:
            scheduling.prepare_cron_run(settings, session.env_file)
        crontab = f"{change.user}'s crontab"
        unchanged = f"{crontab} is as it should be"
        _finish(session, change, f"Installed in {crontab}", unchanged, dry_run=dry_run)
        if not dry_run:
            _say_first_run(session, change.start.if_enabled(settings.api_sync_enabled))
        if nightly:
            _print_note(session, f"Nightly times are by this machine's clock ({scheduling.machine_clock()}).")

    @command(group, "remove")
    def remove(session: Session, dry_run: DryRun = False, yes: YesAtOnce = False) -> None:
        """Take the lines out of your crontab."""
        from syncctl.cli.render.cron import render_difference
        from syncctl.cli.terminal.asking import agreed_plan
        from syncctl.wiring import scheduling

        change = scheduling.plan_removal()
        if change.changes and not dry_run:
            agreed_plan(
                yes,
                lambda: change,
                lambda plan: render_difference(plan.before, plan.after, session.redactor),
                lambda plan: f"Take the sync out of {plan.user}'s crontab?",
            )
        crontab = f"{change.user}'s crontab"
        unchanged = f"{crontab} has no lines of syncctl's"
        _finish(session, change, f"Removed from {crontab}", unchanged, dry_run=dry_run)


def _nightly(full: str | None, verify: str | None) -> Mapping[Job, str]:
    """The nightly jobs asked for, each with its schedule. Raises UsageError for a wrong time of day."""
    from syncctl.scheduling.crontab_line import FULL, VERIFY, daily_schedule

    return {job: daily_schedule(time) for job, time in ((FULL, full), (VERIFY, verify)) if time is not None}


def _finish(session: Session, change: CrontabChange, done: str, unchanged: str, *, dry_run: bool) -> None:
    from syncctl.cli.render.cron import render_difference
    from syncctl.wiring.scheduling import apply_change

    if not change.changes:
        _print_note(session, f"No change: {unchanged}.")
        return
    if dry_run:
        render_difference(change.before, change.after, session.redactor)
        return
    with session.stop.at_safe_points():
        apply_change(change)
    _print_note(session, f"{done}.")


def _say_first_run(session: Session, start: NextStart) -> None:
    """When cron runs the line first. Why it doesn't is said with -q, too."""
    from syncctl.cli.render.cron import start_words

    words = start_words(start, session.clock(), "First run")
    if start.problem or start.is_paused:
        _print_warnings(session, [words])
    else:
        _print_note(session, words)


def _show_units(session: Session, nightly: Mapping[Job, str], *, as_json: bool) -> None:
    from syncctl.cli.render.cron import render_units, units_hint
    from syncctl.wiring import scheduling

    units = scheduling.units(session.settings, session.env_file, nightly)
    render_units(units, as_json=as_json)
    _print_warnings(session, scheduling.units_warnings(session.settings, session.env_file))
    _print_note(session, units_hint(units))


def _print_warnings(session: Session, warnings: Iterable[str]) -> None:
    for warning in warnings:
        print_message(session.redactor(f"Warning: {warning}"))


def _print_note(session: Session, line: str) -> None:
    if not session.quiet:
        print_message(session.redactor(line))
