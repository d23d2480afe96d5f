"""Renders the schedule: the crontab line and its state, a diff, or the systemd units."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from syncctl.cli.render.printer import console, print_fields, print_line, print_message, print_result
from syncctl.domain.run_documents import instant
from syncctl.safe_output.printable import printable
from syncctl.scheduling.crontab import difference
from syncctl.scheduling.crontab_line import time_of_day
from syncctl.scheduling.systemd import TIMER, UNIT_FOLDER

if TYPE_CHECKING:
    from syncctl.cli.render.clock import Clock
    from syncctl.cli.render.documents.checks import ScheduleDocument, UnitsDocument
    from syncctl.ports.machine import NextStart, ScheduleState
    from syncctl.scheduling.crontab_line import Job

_INSTALL, _UNITS = "syncctl cron install", "syncctl cron show --systemd"
_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def state_words(state: ScheduleState, install: str = _INSTALL) -> str:
    """Whether the sync is scheduled, in a sentence. `install`: the command that puts its lines there."""
    if state.problem:
        return f"Can't tell whether it is installed: {state.problem}"
    if not state.installed:
        return f"Not installed: {state.found}. {state.hint or f'`{install}` adds it.'}"
    if not state.in_step:
        update = f"`{_UNITS}` prints the right one" if state.by_systemd else f"`{install}` updates it"
        return f"Installed, but out of step: {state.found}. {update}."
    return f"Installed and in step with API_SYNC_TIME: {state.found}."


class Schedule(NamedTuple):
    """What is scheduled."""

    state: ScheduleState
    start: NextStart
    nightly: Mapping[Job, str]
    """What runs nightly, by cron's schedules."""

    @property
    def install(self) -> str:
        """The command that puts all of it into the crontab."""
        times = ((job.option, time_of_day(when)) for job, when in self.nightly.items())
        return " ".join((_INSTALL, *(f"{option} {time}" for option, time in times if time)))


def start_words(start: NextStart, clock: Clock, which: str = "Next run") -> str:
    """When the sync starts by itself next, in a sentence; in UTC where stderr is not a terminal."""
    if start.is_paused:
        return "The sync won't start by itself: it is paused (API_SYNC_ENABLED=false)."
    if start.problem:
        return f"The sync won't start by itself: {start.problem.rstrip('.')}. {start.hint}".rstrip()
    when = "see the line's schedule"
    if start.at is not None:
        when = clock.moment(start.at) if sys.stderr.isatty() else instant(start.at)
        when += f", {clock.ago(start.at)}"
    return f"{which}: {when}" + (f"; {start.daemon} is running." if start.daemon else ".")


def render_schedule(
    block: bytes, schedule: Schedule, clock: Clock, redact: Callable[[str], str], *, as_json: bool
) -> None:
    """The wanted block on stdout, and the current state on stderr."""
    state, start, _ = schedule
    text = redact(os.fsdecode(block)).rstrip("\n")
    if as_json:
        document: ScheduleDocument = {
            "command": "cron show",
            "ok": True,
            "installed": state.installed,
            "in_step": state.in_step,
            "found": redact(state.found),
            "problem": redact(state.problem) if state.problem else None,
            "next_sync_at": instant(start.at) if start.at else None,
            "obstacles": [redact(each) for each in state.obstacles],
            "block": text.encode(errors="backslashreplace").decode(),
        }
        print_result(document)
        return
    print_line(text)
    sys.stdout.flush()
    print_message(redact(state_words(state, schedule.install)))
    if state.installed and start.problem != state.found:
        print_message(redact(start_words(start, clock)))
    for each in state.obstacles:
        print_message(
            f"Above the line, the crontab has {redact(each)}. Move the line above that with `crontab -e`."
        )


def render_difference(before: bytes, after: bytes, redact: Callable[[str], str]) -> None:
    """A planned change as a unified diff."""
    lines = [redact(line) for line in difference(before, after)]
    if not sys.stdout.isatty():
        for line in lines:
            print_fields([line], styles={0: _STYLES.get(line[:1], "")})
        return
    from rich.text import Text

    out = console()
    for line in lines:
        style = "bold" if line.startswith(("+++", "---")) else _STYLES.get(line[:1], "")
        out.print(Text(printable(line), style=style), soft_wrap=True)


def units_hint(units: Mapping[str, str]) -> str:
    """What to do with the unit files, by their names."""
    timers = " ".join(name for name in units if name.endswith(".timer"))
    return (
        f"Save each part, as root, as the file that the comment above it names; then:\n"
        f"  systemctl daemon-reload && systemctl enable --now {timers}\n"
        f"  systemctl list-timers '{TIMER.replace('.', '*.')}' && journalctl -u 'syncctl*'"
    )


def render_units(units: Mapping[str, str], *, as_json: bool) -> None:
    """The unit files, each below its path."""
    files = {f"{UNIT_FOLDER}/{name}": text for name, text in units.items()}
    if as_json:
        document: UnitsDocument = {"command": "cron show", "ok": True, "units": files}
        print_result(document)
        return
    for number, (path, text) in enumerate(files.items()):
        print_line(f"{chr(10) * bool(number)}# {path}\n{text.rstrip()}")
    sys.stdout.flush()
