"""Whether `syncctl api` is scheduled, and as often as configured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from syncctl.errors import SettingsError
from syncctl.ports.machine import ScheduleState
from syncctl.scheduling.crontab_block import parse_crontab
from syncctl.scheduling.crontab_line import CrontabLine, crontab_lines
from syncctl.scheduling.crontab_variables import LineContext, obstacles
from syncctl.scheduling.scheduled_imports import import_in


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


def timer_state(timer: Path, text: str, wanted: Sequence[str], *, enabled: bool) -> ScheduleState:
    """The state of a systemd timer unit. `wanted`: the OnCalendar values it should have."""
    found = [
        line.partition("=")[2].strip() for line in text.splitlines() if line.strip().startswith("OnCalendar=")
    ]
    trouble = ""
    if found != list(wanted):
        trouble = (
            f": it runs at {' and '.join(found) or 'no time'}, but API_SYNC_TIME is {' and '.join(wanted)}"
        )
    return ScheduleState(
        installed=enabled,
        in_step=enabled and not trouble,
        found=f"the systemd timer {timer}{trouble}" + ("" if enabled else ", which is not enabled"),
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
