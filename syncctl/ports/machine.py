"""Facts about the machine, as plain values: its files, its lock, its schedule.

Adapters find them out, services judge them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PathFacts:
    """A file or folder that syncctl uses.

    `what` and `setting`: what it is for, and the setting that names it ("" for none). `exists`: whether it is
    there; where it is not, the rest tells of the nearest folder above it that is, `seen`. `is_folder`,
    `readable`, `writable`: of that, for this user. `mode`: its permission bits. `owner`: the user that it
    belongs to. `size`: bytes, of a file. `is_device`: it is a device or pipe, which keeps nothing. `problem`:
    why it can't be looked at, or None.
    """

    what: str
    setting: str
    path: Path
    exists: bool
    seen: Path
    is_folder: bool
    readable: bool
    writable: bool
    mode: int
    owner: str
    size: int = 0
    is_device: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Room on the disk that `path` is on, in bytes, for this user."""

    path: Path
    free: int


@dataclass(frozen=True, slots=True)
class SettingFact:
    """A setting: printable, secrets masked. `origin`: "environment", a file's path or "default"."""

    name: str
    set_as: str
    origin: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name in a settings file that syncctl does not read. `meant`: the setting that it looks like; None: it
    is one of the old system's settings for rent-outs."""

    name: str
    file: Path
    meant: str | None


@dataclass(frozen=True, slots=True)
class SettingsFacts:
    """The settings as a whole. `files`: those in force, the winning one first. `secret_files`: those that
    hold a key, a password or an address with one. `unknown`: names in them that a person should look at;
    other programs' are left out."""

    settings: tuple[SettingFact, ...]
    files: tuple[Path, ...]
    secret_files: tuple[PathFacts, ...]
    unknown: tuple[UnknownSetting, ...]


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """The time zones. `system`: the name of the machine's. `schedule_moves`: whether API_SYNC_TIME comes at
    other instants by the machine's clock than in its own zone."""

    system: str
    schedule: str
    business: str
    schedule_moves: bool


@dataclass(frozen=True, slots=True)
class ApiClock:
    """What a server's Date header says: how far this machine's clock is ahead of it."""

    host: str
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class User:
    """Who this runs as."""

    name: str
    is_root: bool


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Where one of the API's calls is answered. `key_setting`: the setting that holds its key, or would;
    `has_key`: whether it does."""

    url: str
    key_setting: str
    has_key: bool


@dataclass(frozen=True, slots=True)
class LockState:
    """Whether a run holds the lock, and which one, by what the lock file says."""

    held: bool
    pid: int | None = None
    """The run's process id; None where the file does not say it, as with the next two."""

    host: str | None = None
    since: datetime | None = None
    """When it started, aware UTC."""

    problem: str | None = None
    """Why the lock can't be looked at."""


@dataclass(frozen=True, slots=True)
class ScheduledImport:
    """Something that imports files by itself."""

    place: str
    """Whose crontab it is in, or which timer it is."""

    line: str
    """As it is written there."""

    command: str
    """What of it imports: "syncctl all", "import:walkin"."""

    remove: str
    """The command that takes it away."""

    by_systemd: bool = False
    """Whether it is a timer."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What starts the sync by itself."""

    installed: bool
    in_step: bool
    """Whether it runs at the times of API_SYNC_TIME, with the settings in force."""

    found: str
    """What there is, and how it differs from the settings."""

    problem: str | None = None
    """Why it can't be known."""

    hint: str = ""
    """What to do about the problem, where that is known."""

    by_systemd: bool = False
    """Whether it is a timer's, not cron's."""

    imports: tuple[ScheduledImport, ...] = ()
    """What imports files by itself, which nothing should."""

    old_syncs: tuple[str, ...] = ()
    """The lines of the crontab in which the old system syncs."""

    obstacles: tuple[str, ...] = ()
    """What the crontab sets above the line that changes what it does."""
