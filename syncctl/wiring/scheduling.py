"""What cron or systemd should run, what they run now, and how to change that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.errors import ServiceUnavailableError, SettingsError, UsageError
from syncctl.filesystem.private_files import make_private_file
from syncctl.machine.probes import current_user, running_schedulers, system_zone
from syncctl.ports.machine import (
    CRON_NOT_RUNNING,
    SYSTEMD,
    SYSTEMD_NOT_RUNNING,
    NextStart,
    ScheduleState,
    StartedBy,
)
from syncctl.scheduling.crontab import (
    Crontab,
    block,
    parse_crontab,
    read_crontab,
    with_block,
    without_block,
    write_crontab,
)
from syncctl.scheduling.crontab_line import NIGHTLY, SYNC, Job, ScheduledCommand, cron_line
from syncctl.scheduling.expression import next_run, same_in_both_zones
from syncctl.scheduling.scheduled_imports import scheduled_imports, timer_imports
from syncctl.scheduling.state import LineContext, cron_state, old_syncs, timer_state
from syncctl.scheduling.systemd import (
    TIMER,
    daily_schedule_of,
    enabled_timer,
    on_calendar,
    systemd_units,
    timer_units,
    unit_folders,
)
from syncctl.settings.specs import SYNCCTL_SETTINGS
from syncctl.wiring.scheduled_command import schedule_warnings, scheduled_command

if TYPE_CHECKING:
    from syncctl.settings.settings import Settings

_START_LIMIT_S = 60.0
_READ_LIMIT_S = 30.0
GLANCE_LIMIT_S = 1.0
"""For reading the crontab where a person waits for a screen."""


@dataclass(frozen=True, slots=True)
class CrontabChange:
    """A planned change of a user's crontab."""

    user: str

    before: bytes
    """The crontab as it is."""

    after: bytes
    """The crontab as it will be."""

    warnings: tuple[str, ...] = ()
    """What the user should know before applying it."""

    start: NextStart = field(default_factory=NextStart)
    """What is started next once it is applied."""

    @property
    def changes(self) -> bool:
        return self.before != self.after


def schedule_state(
    settings: Settings, env_file: Path | None = None, limit_s: float = _READ_LIMIT_S
) -> ScheduleState:
    """Whether cron or systemd runs the sync at the configured times. `limit_s`: the most time that reading
    the crontab may take. Does not raise."""
    user, crontab = current_user().name, b""
    try:
        crontab = read_crontab(limit_s=limit_s)
        command = scheduled_command(settings, env_file)
        state = cron_state(crontab, cron_line(command), user, _line_context(settings), datetime.now(UTC))
    except (ServiceUnavailableError, SettingsError, UsageError) as error:
        state = ScheduleState(
            installed=False,
            in_step=False,
            found="the crontab can't be read",
            problem=error.message,
            hint=error.hint,
        )
    if not state.installed:
        state = _timer(settings) or state
    imports = (*scheduled_imports(crontab, user), *timer_imports(*unit_folders(), user))
    return state._replace(imports=imports, old_syncs=tuple(old_syncs(crontab)))


def next_start(settings: Settings, env_file: Path | None, now: datetime) -> NextStart:
    """Which sync cron or systemd starts by itself next. Quick; does not raise."""
    return start_of(schedule_state(settings, env_file, GLANCE_LIMIT_S), settings, now)


def start_of(state: ScheduleState, settings: Settings, now: datetime) -> NextStart:
    """What a schedule's state comes to: the next start after `now`, if its daemon runs. Does not raise."""
    if not state.installed:
        # Without crontab(1) this user has no crontab: that nothing is scheduled is known.
        is_unknown = state.problem is not None and shutil.which("crontab") is not None
        return NextStart(problem=(state.problem or "") if is_unknown else "")
    by = StartedBy.TIMER if state.by_systemd else StartedBy.CRONTAB
    running, daemon = running_schedulers(), ""
    if running is not None:
        daemon = next(iter(sorted(running & {SYSTEMD} if state.by_systemd else running - {SYSTEMD})), "")
        if not daemon:
            problem, hint = SYSTEMD_NOT_RUNNING if state.by_systemd else CRON_NOT_RUNNING
            return NextStart(by, problem=problem, hint=hint)
    if not (state.in_step if state.by_systemd else state.schedule):
        return NextStart(by, problem=state.found)
    schedule, zone = state.schedule, system_zone()[1]
    if state.by_systemd:
        schedule, zone = settings.api_sync_time, settings.api_sync_timezone
    try:
        return NextStart(by, next_run(schedule, zone, now), daemon=daemon)
    except SettingsError:  # @hourly and the like
        return NextStart(by, daemon=daemon)


def _line_context(settings: Settings) -> LineContext:
    zone = settings.api_sync_timezone
    return LineContext(zone, zone.key, SYNCCTL_SETTINGS, system_zone()[1])


def plan_install(settings: Settings, env_file: Path | None, nightly: Mapping[Job, str]) -> CrontabChange:
    """Plan a crontab whose block has our line and one for each nightly job: its schedule, by the machine's
    clock.

    Raises:
        ServiceUnavailableError: crontab(1) is missing, or does not end in time.
        SettingsError: it refuses, or something can't be written in a crontab.
    """
    command, *others = _commands(settings, env_file, nightly)
    line = cron_line(command)
    before = read_crontab()
    after = with_block(before, line, *map(cron_line, others))
    now = datetime.now(UTC)
    state = cron_state(after, line, current_user().name, _line_context(settings), now)
    warnings = [*_crontab_warnings(before, command, nightly), *schedule_warnings(settings, env_file)]
    warnings += [
        f"above the block, the crontab has {each}. Move the block above that with `crontab -e`."
        for each in state.obstacles
    ]
    if zone := zone_warning(settings):
        warnings.append(zone)
    warnings += [
        f"the systemd timer {unit.path} runs `{job.command}` as well: {unit.systemctl('disable')}"
        for job in (SYNC, *nightly)
        if (unit := enabled_timer(job))
    ]
    start = start_of(state, settings, now)
    return CrontabChange(current_user().name, before, after, tuple(warnings), start)


def plan_removal() -> CrontabChange:
    """Plan a crontab without our block. Needs no settings. Raises as `plan_install` does."""
    before = read_crontab()
    return CrontabChange(current_user().name, before, without_block(before))


def apply_change(change: CrontabChange) -> None:
    """Write the planned crontab. Raises as crontab.write_crontab does."""
    write_crontab(change.after, change.before)


def prepare_cron_run(settings: Settings, env_file: Path | None) -> None:
    """Make sure that the line can work: the program starts in cron's environment, and its output file
    exists, readable by this user only (the shell would not start the command without its folder). Raises
    SettingsError."""
    command = scheduled_command(settings, env_file)
    try:
        # The shell started by cron would create it readable by everyone.
        make_private_file(command.output)
    except OSError as error:
        raise SettingsError(
            f"The file {command.output} can't be created ({error.strerror}): check DATA_DIR."
        ) from error
    words = (*command.program, "--version")
    try:
        ended = subprocess.run(
            words,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_START_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"{' '.join(words)} fails when started the way cron does it: {error}.") from error
    if ended.returncode != 0:
        message = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise SettingsError(f"{' '.join(words)} fails when started the way cron does it: {message}.")


def _commands(
    settings: Settings, env_file: Path | None, nightly: Mapping[Job, str]
) -> tuple[ScheduledCommand, ...]:
    """The sync, and each nightly job with its schedule."""
    sync = scheduled_command(settings, env_file)
    return (sync, *(replace(sync, job=job, schedule=when, zone="") for job, when in nightly.items()))


def machine_clock() -> str:
    """The time zone of this machine, by which nightly jobs run."""
    return system_zone()[0]


def installed_nightly() -> Mapping[Job, str]:
    """The nightly jobs of systemd's timers and of the block in the crontab, each with its schedule; none of
    the crontab's if it can't be read."""
    units = ((job, enabled_timer(job)) for job in NIGHTLY)
    by_timer = {job: when for job, unit in units if unit and (when := daily_schedule_of(unit.text))}
    try:
        return {**by_timer, **parse_crontab(read_crontab()).nightly}
    except (ServiceUnavailableError, SettingsError):
        return by_timer


def units(settings: Settings, env_file: Path | None, nightly: Mapping[Job, str]) -> Mapping[str, str]:
    """The texts of the systemd units by their file names; `nightly` as for `plan_install`. Raises
    SettingsError for settings that systemd can't express."""
    of_each = (systemd_units(each, current_user().name) for each in _commands(settings, env_file, nightly))
    return {name: text for units in of_each for name, text in units.items()}


def units_warnings(settings: Settings, env_file: Path | None) -> Iterator[str]:
    """What the user should know before installing the units."""
    yield from schedule_warnings(settings, env_file)
    for folder in scheduled_command(settings, env_file).writes:
        if not folder.is_dir():
            yield f"the folder {folder} isn't there, and the service can't start without it: create it first."
    try:
        crontab = parse_crontab(read_crontab())
    except (ServiceUnavailableError, SettingsError):
        return  # then there is nothing to conflict with
    if crontab.block:
        yield "the crontab runs the sync as well, so there would be two: see `syncctl cron remove`."
    yield from _other_lines(crontab)


def wanted_block(settings: Settings, env_file: Path | None, nightly: Mapping[Job, str]) -> bytes:
    """The block that the crontab should contain; `nightly` as for `plan_install`. Raises SettingsError for
    what a crontab can't express."""
    return block(*map(cron_line, _commands(settings, env_file, nightly)))


def zone_warning(settings: Settings) -> str | None:
    """A warning if cron would ignore API_SYNC_TIMEZONE, which only systemd timers support."""
    name, zone = system_zone()
    wanted = settings.api_sync_timezone
    if same_in_both_zones(settings.api_sync_time, wanted, zone, datetime.now(UTC)):
        return None
    return (
        f"cron uses the machine's time zone, {name}, but API_SYNC_TIME is meant in {wanted.key}: set "
        f"API_SYNC_TIMEZONE={name} and the time to match, or use `syncctl cron install --systemd`."
    )


def _crontab_warnings(content: bytes, command: ScheduledCommand, nightly: Mapping[Job, str]) -> Iterator[str]:
    crontab = parse_crontab(content)
    yield from _other_lines(crontab)
    named = crontab.line.settings_file if crontab.line else ""
    if named and named != str(command.settings_file or ""):
        yield f"the block was for {named}, whose runs end now: a crontab has one block."
    for job, when in crontab.nightly.items():
        if job not in nightly:
            yield f"`{job.command}`, which ran at {when}, ends now: to keep it, say {job.option} HH:MM too."


def _other_lines(crontab: Crontab) -> Iterator[str]:
    for line in crontab.others:
        yield (
            f"another line of the crontab runs a sync as well, so there would be two: remove it with "
            f"`crontab -e`: {line.schedule} {line.command}"
        )


def _timer(settings: Settings) -> ScheduleState | None:
    """The state of our systemd timer, if there is one."""
    try:
        wanted = on_calendar(settings.api_sync_time, settings.api_sync_timezone.key)
    except SettingsError:
        return None  # a timer can't have such a schedule
    return next((timer_state(unit, wanted) for unit in timer_units(TIMER)), None)
