"""The systemd services and timers that run what cron would, fenced in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from syncctl.errors import ExitCode, SettingsError
from syncctl.scheduling.crontab_line import Job, ScheduledCommand
from syncctl.scheduling.expression import cron_fields

TIMER = "syncctl.timer"
UNIT_FOLDER = "/etc/systemd/system"


class TimerUnit(NamedTuple):
    """A timer that is installed."""

    path: Path
    text: str
    is_enabled: bool

    def systemctl(self, action: str) -> str:
        """The command that enables or disables it, now."""
        of_user = "" if self.path.parent == Path(UNIT_FOLDER) else "--user "
        return f"systemctl {of_user}{action} --now {self.path.name}"


def unit_folders() -> tuple[Path, Path]:
    """Where units are: the machine's, and this user's."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path(os.environ.get("HOME", "/")) / ".config")
    return Path(UNIT_FOLDER), own / "systemd" / "user"


def timer_units(name: str) -> Iterator[TimerUnit]:
    """The timers of that name, the machine's before the user's."""
    for folder in unit_folders():
        with suppress(OSError):  # not installed there
            text = (folder / name).read_text("utf-8", errors="replace")
            yield TimerUnit(folder / name, text, os.path.lexists(folder / "timers.target.wants" / name))


def enabled_timer(job: Job) -> TimerUnit | None:
    """The timer that runs the job, if one does."""
    return next((unit for unit in timer_units(f"{job.name}.timer") if unit.is_enabled), None)


_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_SHARED_TMP = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - looked at, not written to

_HARDENING = """\
# As little as it needs (systemd.exec(5)); `systemd-analyze security` rates it.
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProcSubset=pid
NoNewPrivileges=true
CapabilityBoundingSet=
LockPersonality=true
MemoryDenyWriteExecute=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


def systemd_units(command: ScheduledCommand, user: str) -> Mapping[str, str]:
    """The texts of the units that run `command` as `user`, by their file names (systemd.service(5),
    systemd.timer(5)); output goes to the journal. The service may write only where the command has to.

    Raises SettingsError for a schedule or path that systemd can't express.
    """
    program, *arguments = command.words
    if set(program) & set("\"'\\"):
        raise SettingsError(f"systemd can't run a program with a quote or a backslash in its path: {program}")
    # Variables are replaced in the arguments only.
    words = " ".join((_quoted(program), *(_quoted(word.replace("$", "$$")) for word in arguments)))
    service = f"""\
[Unit]
Description=syncctl: {command.job.purpose}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
WorkingDirectory={_specified(str(command.folder))}
ExecStart={words}
# Another run holds the lock, one started by hand: no failure.
SuccessExitStatus={int(ExitCode.LOCK_HELD)}
{"".join(f"{line}{chr(10)}" for line in _credentials(command.keys))}
{_HARDENING}\
PrivateTmp={"false" if _uses_shared_tmp(command) else "true"}
ReadWritePaths={" ".join(_quoted(str(folder)) for folder in command.writes)}
"""
    times = "\n".join(f"OnCalendar={time}" for time in on_calendar(command.schedule, command.zone))
    timer = f"""\
[Unit]
Description=syncctl: when {command.job.command} is due

[Timer]
{times}
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
    return {f"{command.job.name}.service": service, f"{command.job.name}.timer": timer}


def _credentials(keys: Mapping[str, Path]) -> Iterator[str]:
    """Hands the service its keys, whose files may be root's alone (systemd.exec(5), "CREDENTIALS")."""
    for setting, file in keys.items():
        yield f"LoadCredential={setting.lower()}:{_specified(str(file))}"
        yield f"Environment={setting}=%d/{setting.lower()}"


def _uses_shared_tmp(command: ScheduledCommand) -> bool:
    """Whether the command needs /tmp as others see it: the lock file may stand there."""
    used = (
        *command.writes,
        command.folder,
        command.settings_file or command.folder,
        Path(command.program[0]),
    )
    return any(path.is_relative_to(tmp) for path in used for tmp in _SHARED_TMP)


def on_calendar(cron: str, zone: str) -> tuple[str, ...]:
    """A schedule in systemd.time(7) syntax with its time zone ("": the machine's). Two values if cron runs on
    the day of the month or the weekday. Raises SettingsError as `cron_fields` does."""
    fields = cron_fields(cron)
    hours, minutes = _numbers(fields.hours, 0, 23), _numbers(fields.minutes, 0, 59)
    months, days = _numbers(fields.months, 1, 12), _numbers(fields.days, 1, 31)
    weekdays = "" if len(fields.weekdays) == 7 else f"{_weekdays(fields.weekdays)} "
    time = f"{hours}:{minutes}:00 {zone}".rstrip()
    if fields.either_day and weekdays and days != "*":
        return f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}"
    if fields.either_day:
        # One of both is every day.
        return (f"*-{months}-* {time}",)
    return (f"{weekdays}*-{months}-{days} {time}",)


def daily_schedule_of(timer: str) -> str:
    """The cron schedule of a timer unit that runs once a day by the machine's clock; "" for any other."""
    times = re.findall(r"^OnCalendar=\*-\*-\* (\d\d):(\d\d):00$", timer, re.MULTILINE)
    return f"{int(times[0][1])} {int(times[0][0])} * * *" if len(times) == 1 else ""


def _numbers(numbers: Set[int], lowest: int, highest: int) -> str:
    """Numbers as `*`, `a..b`, or `a..b/step` where they are evenly spaced, else as a list."""
    ordered = sorted(numbers)
    if len(ordered) == highest - lowest + 1:
        return "*"
    if len(ordered) > 2:
        steps = {after - before for before, after in pairwise(ordered)}
        if len(steps) == 1:
            (step,) = steps
            span = f"{ordered[0]:02}..{ordered[-1]:02}"
            return span if step == 1 else f"{span}/{step}"
    return ",".join(f"{number:02}" for number in ordered)


def _weekdays(weekdays: Set[int]) -> str:
    # systemd's week begins on Monday.
    return ",".join(_WEEKDAYS[day] for day in sorted(weekdays, key=lambda day: (day - 1) % 7))


def _specified(text: str) -> str:
    """With systemd's specifiers escaped (systemd.unit(5))."""
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise SettingsError(f"{text!r} can't be put in a systemd unit: it has control characters.")
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """A word of ExecStart (systemd.service(5), "Command lines")."""
    escaped = _specified(word).replace("\\", "\\\\").replace('"', '\\"')
    plain = word and all(character.isalnum() or character in "/._-+:=@," for character in word)
    return escaped if plain else f'"{escaped}"'
