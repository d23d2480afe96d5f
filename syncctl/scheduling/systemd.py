"""The systemd service and timer that run `syncctl api`, as an alternative to cron."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import pairwise

from syncctl.domain.sources import RECORDS
from syncctl.errors import ExitCode, SettingsError
from syncctl.scheduling.cron_fields import cron_fields
from syncctl.scheduling.crontab_line import ScheduledCommand

SERVICE = "syncctl.service"
TIMER = "syncctl.timer"
UNIT_FOLDER = "/etc/systemd/system"

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


@dataclass(frozen=True, slots=True)
class Units:
    """The text of both unit files."""

    service: str
    timer: str


def systemd_units(command: ScheduledCommand, user: str) -> Units:
    """The units that run `command` as `user` (systemd.service(5), systemd.timer(5)); output goes to the
    journal.

    Raises SettingsError for a schedule or path that systemd can't express.
    """
    program, *arguments = command.words
    if set(program) & set("\"'\\"):
        raise SettingsError(f"systemd can't run a program with a quote or a backslash in its path: {program}")
    # Variables are replaced in the arguments only.
    words = " ".join((_quoted(program), *(_quoted(word.replace("$", "$$")) for word in arguments)))
    service = f"""\
[Unit]
Description=syncctl: {RECORDS} into the lead database
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
WorkingDirectory={_specified(str(command.folder))}
ExecStart={words}
# Another run holds the lock, one started by hand: no failure.
SuccessExitStatus={int(ExitCode.LOCK_HELD)}
"""
    times = "\n".join(f"OnCalendar={time}" for time in on_calendar(command.schedule, command.zone))
    timer = f"""\
[Unit]
Description=syncctl: when {RECORDS} are due

[Timer]
{times}
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
    return Units(service, timer)


def on_calendar(cron: str, zone: str) -> tuple[str, ...]:
    """A schedule in systemd.time(7) syntax with its time zone. Two values if cron runs on the day of the
    month or the weekday. Raises SettingsError as `cron_fields` does."""
    fields = cron_fields(cron)
    hours, minutes = _numbers(fields.hours, 0, 23), _numbers(fields.minutes, 0, 59)
    months, days = _numbers(fields.months, 1, 12), _numbers(fields.days, 1, 31)
    weekdays = "" if len(fields.weekdays) == 7 else f"{_weekdays(fields.weekdays)} "
    time = f"{hours}:{minutes}:00 {zone}"
    if fields.either_day and weekdays and days != "*":
        return f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}"
    if fields.either_day:
        # One of both is every day.
        return (f"*-{months}-* {time}",)
    return (f"{weekdays}*-{months}-{days} {time}",)


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
