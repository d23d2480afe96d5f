"""What was found when the machine was probed: plain values between `probes` and the checks of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
