"""`doctor` on the machine: files and folders, disk space, the user, time zones; on what starts the sync: the
scheduler, its crontab line, the lock, missing environment."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence

from syncctl.domain.checks import Finding
from syncctl.ports.machine import (
    CRON_NOT_RUNNING,
    SYSTEMD,
    SYSTEMD_NOT_RUNNING,
    DiskSpace,
    NextStart,
    PathFacts,
    ScheduleState,
    User,
    ZoneFacts,
)
from syncctl.services.checks.environment_checks import check_other_lines, check_scheduler, check_switch
from syncctl.services.checks.severity import Trouble

MIB = 1024 * 1024
LOW_SPACE_BYTES, MIN_SPACE_BYTES = 500 * MIB, 50 * MIB
LARGE_OUTPUT = 50 * MIB


OTHERS = 0o077
"""The permission bits of everybody except the owner."""


def check_path(facts: PathFacts, user: User, *, folder: bool = False, private: bool = True) -> Finding:
    """Whether syncctl can use a file or, with `folder`, a folder, which may not exist yet. `private`: it
    holds customers' data, so only its owner may access it."""
    name, path = facts.what, str(facts.path)
    elsewhere = f", or set {facts.setting} to another one" if facts.setting else ""
    if facts.problem:
        return Finding.failed(name, f"{path}: {facts.problem}", f"Make {facts.seen} accessible{elsewhere}.")
    if facts.exists and facts.is_folder != folder:
        kind = "folder" if folder else "file"
        return Finding.failed(name, f"{path} isn't a {kind}", f"Move it away{elsewhere}.")
    if not facts.exists and not facts.is_folder:
        return Finding.failed(
            name, f"{path} can't be created: {facts.seen} isn't a folder", f"Move it away{elsewhere}."
        )
    if not facts.writable or (facts.exists and not facts.readable):
        what = path if facts.exists else f"{path} can't be created: {facts.seen}"
        return Finding.failed(
            name,
            f"{what} belongs to {facts.owner} ({facts.mode:04o}), but {user.name} has to write there",
            f"chown {user.name} {shlex.quote(str(facts.seen))}{elsewhere}.",
        )
    if not facts.exists:
        return Finding.passed(name, f"{path}: not there yet; the first run creates it")
    return (_exposed(facts) if private else None) or _existing(facts, user)


def check_exposed(facts: Iterable[PathFacts]) -> Iterator[Finding]:
    """A finding for each file or folder with customers' data or a key that others can open."""
    for each in facts:
        if each.exists and (exposed := _exposed(each)):
            yield exposed


def _exposed(facts: PathFacts) -> Finding | None:
    if facts.is_device or not facts.mode & OTHERS:
        return None
    can = "write to" if facts.mode & 0o022 else "read" if facts.mode & 0o044 else "go into"
    others = "everyone" if facts.mode & 0o007 else "its group"
    mode = "700" if facts.is_folder else "600"
    return Finding.failed(
        facts.what,
        f"{others} can {can} {facts.path} ({facts.mode:04o}), which is meant for {facts.owner} only",
        f"chmod {mode} {shlex.quote(str(facts.path))}",
    )


def _existing(facts: PathFacts, user: User) -> Finding:
    name, path = facts.what, str(facts.path)
    if user.is_root and facts.owner != user.name:
        return Finding.warning(
            name,
            f"{path} belongs to {facts.owner}, who can't change what root creates there",
            f"Always run syncctl as one user: sudo -u {facts.owner} syncctl doctor.",
        )
    if facts.mode & 0o002:
        return Finding.warning(
            name, f"{path} is writable by everyone ({facts.mode:04o})", f"chmod o-w {shlex.quote(path)}"
        )
    return Finding.passed(name, f"{path} ({facts.owner}, {facts.mode:04o})")


def check_output(facts: PathFacts, *, has_log_file: bool) -> Iterator[Finding]:
    """Whether the file with cron's output has grown too large: nothing rotates it."""
    if facts.exists and facts.size > LARGE_OUTPUT:
        hint = f"Let logrotate(8) rotate it, or empty it: truncate -s 0 {shlex.quote(str(facts.path))}"
        if not has_log_file:
            hint = "Set SYNC_LOG_FILE, which syncctl rotates, then `syncctl cron install`; empty this one."
        yield Finding.warning("Output of cron", f"{facts.path} has grown to {_size(facts.size)}", hint)


def check_space(disks: Sequence[DiskSpace]) -> Iterator[Finding]:
    """A finding for each disk."""
    for disk in disks:
        found = f"{_size(disk.free)} free at {disk.path}"
        if disk.free < MIN_SPACE_BYTES:
            yield Finding.failed("Disk space", found, "Make room now: runs are about to fail.")
        elif disk.free < LOW_SPACE_BYTES:
            yield Finding.warning("Disk space", found, "Make room: old logs and backups first.")
        else:
            yield Finding.passed("Disk space", found)


def check_zones(zones: ZoneFacts, *, by_systemd: bool) -> Finding:
    """Whether cron and the schedule use the same time zone. `by_systemd`: run by a timer, which supports
    time zones."""
    found = f"machine {zones.system}, schedule {zones.schedule}, business days {zones.business}"
    if zones.schedule_moves and not by_systemd:
        return Finding.warning(
            "Time zones",
            f"{found}: cron takes API_SYNC_TIME by the machine's clock",
            f"Set API_SYNC_TIMEZONE={zones.system} and API_SYNC_TIME by it, or use "
            "`syncctl cron install --systemd`, which knows zones.",
        )
    return Finding.passed("Time zones", found)


def _size(count: int) -> str:
    return f"{count / MIB / 1024:.1f} GiB" if count >= 1024 * MIB else f"{count / MIB:.0f} MiB"


def check_schedule(
    state: ScheduleState,
    running: Collection[str] | None,
    only_here: Sequence[str],
    *,
    enabled: bool,
    runs_by_itself: bool | None,
) -> Iterator[Finding]:
    """What starts the sync. `running`: the schedulers running on this machine, None if unknown.
    `only_here`: settings from this shell's environment. `enabled`: API_SYNC_ENABLED. `runs_by_itself`:
    whether something was seen at work, whatever the crontab says; None: unknown."""
    yield _daemon(state, running, runs_by_itself=runs_by_itself)
    yield check_scheduler(state, NextStart(), runs_by_itself=runs_by_itself, name="Crontab")
    yield from check_other_lines(state)
    if only_here:
        yield Finding.warning(
            "Environment",
            f"set only in this shell: {', '.join(only_here)}; a scheduled run reads the .env alone",
            "Put them into .env.local beside the .env.",
        )
    yield check_switch(enabled=enabled)


def _daemon(state: ScheduleState, running: Collection[str] | None, *, runs_by_itself: bool | None) -> Finding:
    name = "Scheduler"
    if running is None:
        return Finding.warning(
            name, "other users' processes can't be seen", "Run `syncctl doctor` as root to see them."
        )
    wanted = {SYSTEMD} if state.by_systemd else set(running) - {SYSTEMD}
    found = sorted(wanted & set(running))
    if found:
        return Finding.passed(name, f"{', '.join(found)} is running")
    if state.by_systemd:
        return Trouble.SCHEDULE_BROKEN.found(name, *SYSTEMD_NOT_RUNNING)
    problem, hint = CRON_NOT_RUNNING
    if state.installed:
        return Trouble.SCHEDULE_BROKEN.found(name, f"{problem}: nothing starts the sync", hint)
    if runs_by_itself:
        return Finding.passed(name, f"{problem} here, and none is needed")
    return Trouble.NOT_SCHEDULED.found(name, problem, hint)
