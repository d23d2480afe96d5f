"""Whether `syncctl api` is scheduled, and as often as configured."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncctl.errors import SettingsError
from syncctl.ports.machine import ScheduleState
from syncctl.scheduling.crontab import parse_crontab
from syncctl.scheduling.crontab_line import CrontabLine, crontab_lines
from syncctl.scheduling.expression import same_in_both_zones
from syncctl.scheduling.scheduled_imports import import_in
from syncctl.scheduling.systemd import TimerUnit

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox", "fish"))
"""Shells that understand `>> FILE 2>&1` and our quoting; csh does not."""

_FIRST_LINE = 200
"""Bytes of a program searched for its interpreter."""


class LineContext(NamedTuple):
    """How lines are meant: the sync by API_SYNC_TIMEZONE's clock, what runs nightly by the machine's; and the
    names of all settings."""

    zone: tzinfo
    zone_name: str
    settings: Collection[str]
    machine_zone: tzinfo = UTC


def obstacles(line: CrontabLine, context: LineContext, now: datetime) -> Iterator[str]:
    """Variables above the line that change what it does, as texts; empty if all is well."""
    for name, value in line.variables.items():
        trouble = ""
        match name:
            case "SHELL":
                trouble = _shell_problem(value)
            case "PATH":
                trouble = _path_problem(line, value)
            case "CRON_TZ":
                trouble = _zone_problem(line, value, context, now)
            case _ if name in context.settings:
                trouble = "its runs use that, whatever .env says"
        if trouble:
            yield f"{name}={value if name not in context.settings else '…'}: {trouble}"


def _shell_problem(shell: str) -> str:
    if not (os.path.isfile(shell) and os.access(shell, os.X_OK)):
        return "there is no such program, so cron can't run the line"
    if os.path.basename(os.path.realpath(shell)) not in _SHELLS and os.path.basename(shell) not in _SHELLS:
        return "that isn't a shell that can run the line"
    return ""


def _path_problem(line: CrontabLine, path: str) -> str:
    program = line.program
    if not program:
        return ""
    if "/" not in program:
        return "" if shutil.which(program, path=path) else f"{program} is in none of these folders"
    interpreter = _found_by_env(Path(program))
    if interpreter and not shutil.which(interpreter, path=path):
        return f"{interpreter}, which runs {program}, is in none of these folders"
    return ""


def _found_by_env(program: Path) -> str:
    """The interpreter that `#!/usr/bin/env NAME` looks up in PATH; "" if none is."""
    try:
        with program.open("rb") as file:
            first = os.fsdecode(file.read(_FIRST_LINE)).partition("\n")[0]
    except OSError:
        return ""  # an unreadable program is reported when it is tried
    words = first.removeprefix("#!").split()
    if not first.startswith("#!") or not words or os.path.basename(words[0]) != "env":
        return ""
    return next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")


def _zone_problem(line: CrontabLine, name: str, context: LineContext, now: datetime) -> str:
    try:
        zone = ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return "there is no such time zone"
    try:
        meant = context.machine_zone if line.nightly else context.zone
        if same_in_both_zones(line.schedule, meant, zone, now):
            return ""
    except (SettingsError, ValueError):
        return ""  # other kinds of schedule count as out of step anyway
    if line.nightly:
        return "a cron that supports CRON_TZ uses that clock, but what runs nightly is meant by the machine's"
    return f"a cron that supports CRON_TZ uses that clock, but API_SYNC_TIME is meant in {context.zone_name}"


def cron_state(
    content: bytes, wanted: bytes, user: str, context: LineContext, now: datetime
) -> ScheduleState:
    """The state of `user`'s crontab `content`; `wanted` is the line that it should have.

    A syncctl line written by hand counts as well as the block of `syncctl cron install`.
    """
    try:
        crontab = parse_crontab(content)
    except SettingsError as error:
        return ScheduleState(
            installed=False,
            in_step=False,
            found="a damaged block",
            problem=error.message,
            hint=error.hint,
        )
    ours = next(crontab_lines(wanted))
    nightly = [line for line in crontab.lines if line.nightly]
    if (line := crontab.line) is not None:
        trouble = _out_of_step(line, ours) or _other_settings(nightly, ours)
        found = f"the line of `syncctl cron install` in {user}'s crontab"
    elif by_hand := [line for line in crontab.others if line.runs_syncctl]:
        line = min(by_hand, key=lambda each: bool(_out_of_step(each, ours)))
        trouble = _out_of_step(line, ours)
        found = f"a line written by hand in {user}'s crontab"
    else:
        return ScheduleState(
            installed=False, in_step=False, found=f"no line in {user}'s crontab runs `syncctl api`"
        )
    return ScheduleState(
        installed=True,
        in_step=not trouble,
        found=found + (f": {trouble}" if trouble else ""),
        obstacles=tuple(
            dict.fromkeys(each for one in (line, *nightly) for each in obstacles(one, context, now))
        ),
        schedule=line.schedule if _of_these_settings(line, ours) else "",
    )


def old_syncs(content: bytes) -> Iterator[str]:
    """The crontab lines in which the old system syncs the API, as written. Those that also import files
    are in ScheduleState.imports instead."""
    for line in crontab_lines(content):
        if line.syncs and not line.runs_syncctl and not import_in(line.command):
            yield f"{line.schedule} {line.command}"


def timer_state(unit: TimerUnit, wanted: Sequence[str]) -> ScheduleState:
    """The state of a systemd timer unit. `wanted`: the OnCalendar values it should have."""
    lines = (line.strip() for line in unit.text.splitlines())
    found = [line.partition("=")[2].strip() for line in lines if line.startswith("OnCalendar=")]
    trouble = ""
    if found != list(wanted):
        trouble = (
            f": it runs at {' and '.join(found) or 'no time'}, but API_SYNC_TIME is {' and '.join(wanted)}"
        )
    return ScheduleState(
        installed=unit.is_enabled,
        in_step=unit.is_enabled and not trouble,
        found=f"the systemd timer {unit.path}{trouble}"
        + ("" if unit.is_enabled else ", which is not enabled"),
        hint="" if unit.is_enabled else f"`{unit.systemctl('enable')}` enables it.",
        by_systemd=True,
    )


def _out_of_step(line: CrontabLine, wanted: CrontabLine) -> str:
    """How the line differs from the wanted one, or "". A different path to the same program is fine."""
    if line.schedule != wanted.schedule:
        return f"it runs at {line.schedule}, but API_SYNC_TIME is {wanted.schedule}"
    return _other_settings([line], wanted)


def _other_settings(lines: Sequence[CrontabLine], wanted: CrontabLine) -> str:
    """How the first of `lines` that runs with other settings differs from the wanted one, or ""."""
    for line in lines:
        if not _of_these_settings(line, wanted):
            named = f"with --env-file {line.settings_file}" if line.settings_file else "without --env-file"
            return f"it runs {named}, but the settings in force are {wanted.settings_file}"
    return ""


def _of_these_settings(line: CrontabLine, wanted: CrontabLine) -> bool:
    return not wanted.settings_file or line.settings_file == wanted.settings_file
