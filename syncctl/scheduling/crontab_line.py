"""What a scheduler starts, and the crontab line that does, built from the settings."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from syncctl.domain.sources import RECORDS, REPORT_STEPS
from syncctl.errors import SettingsError, UsageError
from syncctl.safe_output.printable import printable
from syncctl.scheduling.expression import crontab_fields

_LONGEST_COMMAND = 990
"""Bytes; Debian's cron refuses a crontab with a command of 1000 (MAX_COMMAND in its cron.h)."""


class Job(NamedTuple):
    """Something that a scheduler starts."""

    name: str
    """Of its systemd units."""

    arguments: tuple[str, ...]
    """What stands behind `syncctl`."""

    purpose: str
    """What it does, for whoever lists units."""

    option: str = ""
    """The option of `cron install` that asks for it."""

    @property
    def command(self) -> str:
        """What it runs, in short."""
        return " ".join(self.arguments[:2])


SYNC = Job("syncctl", ("api",), f"{RECORDS} into the lead database")
FULL = Job(
    "syncctl-full", ("api", "--full", "--wait", "600"), f"{RECORDS} of whole windows", "--nightly-full"
)
VERIFY = Job("syncctl-verify", ("verify", "data"), "whether the leads are sound", "--nightly-verify")
NIGHTLY = (FULL, VERIFY)
"""What runs once a day beside the sync, where it is asked for."""


def daily_schedule(time: str) -> str:
    """The schedule of a job that runs each day at `time`, HH:MM. Raises UsageError for anything else."""
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", time):
        raise UsageError(f"{printable(time)} isn't a time of day: write HH:MM, as in 02:17.")
    hour, _, minute = time.partition(":")
    return f"{int(minute)} {int(hour)} * * *"


def time_of_day(schedule: str) -> str:
    """The HH:MM of a `daily_schedule`; "" for any other."""
    found = re.fullmatch(r"(\d+) (\d+) \* \* \*", schedule)
    return f"{int(found[2]):02}:{int(found[1]):02}" if found else ""


@dataclass(frozen=True, slots=True)
class ScheduledCommand:
    """What a scheduler has to run, and when; all paths are absolute."""

    schedule: str

    zone: str
    """Whose clock the schedule goes by; "": the machine's, as with what runs nightly."""

    program: tuple[str, ...]
    """The words that start syncctl."""

    settings_file: Path | None
    """The settings file, or None."""

    folder: Path
    """Without a settings file: the working folder that relative paths refer to."""

    output: Path
    """The file that receives stdout and stderr."""

    logs: bool = False
    """Whether the command writes its own log file, so that only problems need to be printed."""

    writes: tuple[Path, ...] = ()
    """The folders in which it writes."""

    keys: Mapping[str, Path] = field(default_factory=dict)
    """The files with API keys, by the settings that name them."""

    job: Job = SYNC

    @property
    def words(self) -> tuple[str, ...]:
        """The command line, but for its redirection."""
        named = ("--env-file", str(self.settings_file)) if self.settings_file else ()
        return (*self.program, *self.job.arguments, *named)


def cron_line(command: ScheduledCommand) -> bytes:
    """The line without its newline: schedule, command, and redirection to the output file.

    With a log file, the command runs with --quiet: the output then only has problems, including those from
    before the log is open. Cron never has anything to mail.

    Raises SettingsError for what a crontab can't express: a percent sign, which ends the command, a control
    character, too long a command, a schedule that cron doesn't know.
    """
    words = (*command.words, *(["--quiet"] if command.logs else []))
    for part in (*words, str(command.folder), str(command.output)):
        if "%" in part or re.search(r"[\x00-\x1f\x7f]", part):
            raise SettingsError(
                f"{printable(part)} has a percent sign or a control character in it, which a crontab "
                "can't hold (crontab(5)): rename it, or use `syncctl cron install --systemd`."
            )
    change = "" if command.settings_file else f"cd {shlex.quote(str(command.folder))} && "
    run = f"{change}{shlex.join(words)} >> {shlex.quote(str(command.output))} 2>&1"
    line = os.fsencode(f"{crontab_fields(command.schedule)} {run}")
    if len(line) > _LONGEST_COMMAND:
        raise SettingsError(
            f"The crontab line would be {len(line)} bytes long, but cron accepts only {_LONGEST_COMMAND}: "
            "use shorter paths, or `syncctl cron install --systemd`."
        )
    return line


@dataclass(frozen=True, slots=True)
class CrontabLine:
    """A crontab line that runs a command."""

    schedule: str
    """Five fields, or @hourly and the like."""

    command: str
    """As written."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """The variables set above the line."""

    @property
    def words(self) -> list[str]:
        """The command's words as the shell sees them; approximate if it can't be parsed."""
        try:
            return shlex.split(self.command)
        except ValueError:
            return self.command.split()

    @property
    def settings_file(self) -> str:
        """The value of --env-file; "" if not given."""
        for word, following in zip(self.words, (*self.words[1:], ""), strict=True):
            if word == "--env-file":
                return following
            if word.startswith("--env-file="):
                return word.partition("=")[2]
        return ""

    @property
    def program(self) -> str:
        """The word that names syncctl; "" if something else is run. A folder of that name does not count."""
        before = ("", *self.words)
        for previous, word in zip(before, self.words, strict=False):
            if word.rpartition("/")[2] == "syncctl" and previous != "cd":
                return word
        return ""

    @property
    def runs_syncctl(self) -> bool:
        """Whether it runs syncctl."""
        return bool(self.program)

    @property
    def nightly(self) -> Job | None:
        """Which of the nightly jobs it is."""
        words = f"{' '.join(self.words)} "
        return next((job for job in NIGHTLY if f" {job.command} " in words), None)

    @property
    def syncs(self) -> bool:
        """Whether it runs a full sync of the API: ours, by any of its names, or the old system's.

        A run with --full, --from or --dry-run is a different job from the regular one.
        """
        if any(word in ("--full", "--from", "--dry-run") for word in self.words):
            return False
        return bool(_SYNCS.search(self.command))


_NAMES = "|".join(("api", "all", *REPORT_STEPS))
_SYNCS = re.compile(
    rf"""
    \bsync:(?:{_NAMES})\b                        # npm run sync:api, syncctl sync:api
  | \bsyncctl['"]?(?:\s+\S+)*?\s+(?:{_NAMES})(?=\s|$)
  | \bnode\b.*\bsync[\w./-]*\.[cm]?[jt]s\b                    # node scripts/syncReturn.js
    """,
    re.VERBOSE | re.IGNORECASE,
)
_JOB = re.compile(r"\s*(@[a-z]+|[^\s#@=]\S*(?:\s+\S+){4})\s+(\S.*)", re.IGNORECASE)
_VARIABLE = re.compile(r"""\s*(\w+|"[^"]*"|'[^']*')\s*=\s*(.*?)\s*$""", re.DOTALL)


def crontab_lines(content: bytes) -> Iterator[CrontabLine]:
    """The crontab's lines that run a command, in order."""
    variables: dict[str, str] = {}
    for line in os.fsdecode(content).split("\n"):
        if variable := _VARIABLE.match(line):
            variables[_unquoted(variable[1])] = _unquoted(variable[2])
        elif job := _JOB.match(line):
            yield CrontabLine(" ".join(job[1].split()), job[2].strip(), dict(variables))


def _unquoted(text: str) -> str:
    """Without the quotes around it, which keep blanks (crontab(5))."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
