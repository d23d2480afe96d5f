"""Read-only probes of the machine and of a server's clock, for `doctor` and `cron`."""

from __future__ import annotations

import os
import pwd
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syncctl.ports.machine import SYSTEMD, ApiClock, DiskSpace, PathFacts, User

SCHEDULERS = frozenset({"cron", "crond", "fcron", "bcron-sched", SYSTEMD})
_CLOCK_TIMEOUT_S = 10.0


def current_user() -> User:
    """The user whose rights this process has."""
    return User(_user_name(os.geteuid()), is_root=os.geteuid() == 0)


def running_schedulers(proc: Path = Path("/proc")) -> frozenset[str] | None:
    """The names in SCHEDULERS that are running, by /proc/*/comm (proc(5)).

    None if unknown: there is no /proc, or it hides other users' processes.
    """
    names = set()
    try:
        # Process 1 belongs to another user unless we are root: if it is visible, all are.
        names.add((proc / "1" / "comm").read_text().strip())
        processes = [entry for entry in os.listdir(proc) if entry.isdigit()]
    except OSError:
        return None
    for process in processes:
        try:
            names.add((proc / process / "comm").read_text(errors="replace").strip())
        except OSError:
            continue  # it has exited meanwhile
    return frozenset(names & SCHEDULERS)


def system_zone(localtime: Path = Path("/etc/localtime")) -> tuple[str, tzinfo]:
    """The machine's time zone, which cron uses whatever TZ says in this shell; UTC if none is set."""
    try:
        with localtime.open("rb") as file:
            zone = ZoneInfo.from_file(file)
        _, found, name = os.path.realpath(localtime).partition("zoneinfo/")
    except (OSError, ValueError):
        return "UTC", UTC
    return (name if found else "the machine's zone"), zone


def path_facts(what: str, setting: str, path: Path) -> PathFacts:
    """What this user may do with `path`, or could do if it were created."""
    seen = path
    try:
        while not os.path.lexists(seen) and seen != seen.parent:
            seen = seen.parent
        status = seen.stat()
    except OSError as error:
        return PathFacts(
            what,
            setting,
            path,
            exists=seen == path,
            seen=seen,
            is_folder=False,
            readable=False,
            writable=False,
            mode=0,
            owner="",
            problem=error.strerror or type(error).__name__,
        )
    is_folder = stat.S_ISDIR(status.st_mode)
    return PathFacts(
        what=what,
        setting=setting,
        path=path,
        exists=seen == path,
        seen=seen,
        is_folder=is_folder,
        readable=os.access(seen, os.R_OK, effective_ids=True),
        # A folder that may not be entered can't be written to either.
        writable=os.access(seen, os.W_OK | (os.X_OK if is_folder else 0), effective_ids=True),
        mode=stat.S_IMODE(status.st_mode),
        owner=_user_name(status.st_uid),
        size=0 if is_folder else status.st_size,
        is_device=not is_folder and not stat.S_ISREG(status.st_mode),
    )


def disk_space(paths: list[Path]) -> list[DiskSpace]:
    """The free space on each disk that holds one of `paths`, which exist."""
    disks: dict[int, DiskSpace] = {}
    for path in paths:
        try:
            device, room = path.stat().st_dev, os.statvfs(path)
        except OSError:
            continue  # `path_facts` reports it
        disks.setdefault(device, DiskSpace(path, room.f_bavail * room.f_frsize))
    return list(disks.values())


def api_clock(
    url: str,
    *,
    limit_s: float = _CLOCK_TIMEOUT_S,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
) -> ApiClock | None:
    """How far this machine's clock is ahead of the server's, by the Date header of its answer to a HEAD
    without a key (RFC 9110, 6.6.1: to the second). None if there is no answer or no valid date."""
    import requests

    from syncctl.http.session import HttpSession, environment_problem

    if environment_problem(url):
        return None
    begun = monotonic()
    try:
        with HttpSession() as session, session.answer("HEAD", url, limit_s) as answer:
            date = answer.headers["Date"]
    except (requests.RequestException, ValueError, OSError, KeyError):
        return None  # the check of the API itself says what is wrong
    # The header was written between the request and now: take the middle.
    local_time = now() - timedelta(seconds=(monotonic() - begun) / 2)
    try:
        server_time = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    server_time = server_time.replace(tzinfo=server_time.tzinfo or UTC)
    return ApiClock(urlsplit(url).hostname or url, local_time - server_time)


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
