"""Variables set above a crontab line (crontab(5): `NAME = value`) that change what the line does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syncctl.errors import SettingsError
from syncctl.scheduling.cron_fields import same_in_both_zones
from syncctl.scheduling.crontab_line import CrontabLine

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
