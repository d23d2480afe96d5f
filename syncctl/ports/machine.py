"""Facts about the machine, as plain values: its files, its lock, its schedule.

Adapters find them out, services judge them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

SYSTEMD = "systemd"
"""The name of its process."""

CRON_NOT_RUNNING = (
    "no cron daemon is running",
    "Start it with `service cron start` (outside Debian: `crond`), or install it first.",
)
SYSTEMD_NOT_RUNNING = ("systemd is not running here", "Use cron here: `syncctl cron install`.")
"""What is wrong, and what to do."""


class PathFacts(NamedTuple):
    """A file or folder that syncctl uses, or where it is missing, the nearest folder above it."""

    what: str
    """What it is for."""

    setting: str
    """The setting that names it; "": none."""

    path: Path

    exists: bool
    """Whether `path` itself is there."""

    seen: Path
    """What the fields below are about: `path`, or the nearest folder above it that is there."""

    is_folder: bool

    readable: bool
    """For this user, as `writable`."""

    writable: bool

    mode: int
    """Its permission bits."""

    owner: str
    """The user that it belongs to."""

    size: int = 0
    """Bytes, of a file."""

    is_device: bool = False
    """Whether it is a device or pipe, which keeps nothing."""

    problem: str | None = None
    """Why it can't be looked at."""


class MappingFacts(NamedTuple):
    """The mapping file in force."""

    path: Path

    added: tuple[str, ...]
    """Its lines that say something new, in words."""

    repeated: tuple[str, ...]
    """Those that say what the packaged tables say."""


class DiskSpace(NamedTuple):
    """Room on the disk that a path is on."""

    path: Path

    free: int
    """Bytes, for this user."""


class SettingFact(NamedTuple):
    """A setting: printable, secrets masked."""

    name: str

    value: str
    """"" if not set."""

    origin: str
    """ "environment", a file's path or "default"."""

    set_as: str
    """The name used there (an older name, or NAME_FILE)."""

    problem: str | None


class UnknownSetting(NamedTuple):
    """A name in a settings file that syncctl does not read."""

    name: str
    file: Path

    meant: str | None
    """The setting that it looks like; None: it is one of the old system's settings for rent-outs."""


class SettingsFacts(NamedTuple):
    """The settings as a whole."""

    settings: tuple[SettingFact, ...]

    files: tuple[Path, ...]
    """The settings files in force, the winning one first."""

    secret_files: tuple[PathFacts, ...]
    """Those that hold a key, a password or an address with one."""

    unknown: tuple[UnknownSetting, ...]
    """Names in them that a person should look at; other programs' are left out."""


class ZoneFacts(NamedTuple):
    """The time zones."""

    system: str
    """The name of the machine's."""

    schedule: str
    business: str

    schedule_moves: bool
    """Whether API_SYNC_TIME comes at other instants by the machine's clock than in its own zone."""


class ApiClock(NamedTuple):
    """What a server's Date header says."""

    host: str

    ahead: timedelta
    """How far this machine's clock is ahead of it."""


class User(NamedTuple):
    """Who this runs as."""

    name: str
    is_root: bool


class ApiAddress(NamedTuple):
    """Where one of the API's calls is answered."""

    url: str

    key_setting: str
    """The setting that holds its key, or would."""

    has_key: bool


class LockState(NamedTuple):
    """Whether a run holds the lock, and which one, by what the lock file says."""

    held: bool
    pid: int | None = None
    """The run's process id; None where the file does not say it, as with the next two."""

    host: str | None = None
    since: datetime | None = None
    """When it started, aware UTC."""

    problem: str | None = None
    """Why the lock can't be looked at."""


class ScheduledImport(NamedTuple):
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


class ScheduleState(NamedTuple):
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

    schedule: str = ""
    """When cron runs the line, as written there; "": no line of the crontab runs these settings."""


class StartedBy(StrEnum):
    """What starts the sync by itself."""

    CRONTAB = "crontab"
    TIMER = "timer"
    OTHER = "other"
    """Something that can't be seen from here, such as a container's scheduler: only its runs are."""


class NextStart(NamedTuple):
    """Which sync starts by itself next."""

    by: StartedBy | None = None
    """None: nothing is scheduled, as far as can be seen."""

    at: datetime | None = None
    """True UTC; None: nothing starts it, or it can't be known when."""

    problem: str = ""
    """Why it doesn't start although it is scheduled, or why nothing can be known; "": it starts, or nothing
    is scheduled."""

    hint: str = ""
    """What to do about the problem, where its daemon doesn't run."""

    daemon: str = ""
    """The running program that starts it, such as "cron"; "": it can't be seen."""

    may_be_hidden: bool = False
    """Whether something that can't be seen from here may start it, though nothing is scheduled."""

    is_paused: bool = False
    """Whether what is scheduled does nothing: API_SYNC_ENABLED=false."""

    def if_seen(self, runs_by_itself: bool | None, at: datetime) -> NextStart:
        """The same, or what the runs tell where nothing is scheduled as far as can be seen: something else
        starts the sync, next `at`, or may do so (None)."""
        if self.by is not None or runs_by_itself is False:
            return self
        if runs_by_itself is None:
            return self._replace(may_be_hidden=True)
        return self._replace(by=StartedBy.OTHER, at=at)

    def if_enabled(self, enabled: bool) -> NextStart:
        """The same where the sync is `enabled`, else paused."""
        return self if enabled else self._replace(at=None, is_paused=True)
