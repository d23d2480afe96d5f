"""`doctor`: probes and checks everything that can be wrong with a fresh installation."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.domain.checks import CheckReport, CheckResult, Finding
from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError, StorageError
from syncctl.filesystem.private_files import BACKUP_FOLDER, OUTPUT_FILE, log_files
from syncctl.machine.probes import (
    api_clock,
    current_user,
    disk_space,
    path_facts,
    running_schedulers,
    system_zone,
)
from syncctl.ports.machine import (
    ApiAddress,
    MappingFacts,
    PathFacts,
    SettingsFacts,
    UnknownSetting,
    ZoneFacts,
)
from syncctl.run_lock import lock_state
from syncctl.services.checks.app_scheduler import APP_SCHEDULER, check_app_scheduler, find_traces
from syncctl.services.checks.environment_checks import check_lock
from syncctl.services.checks.progress import report_progress
from syncctl.services.checks.windows import AUDIT_PERIOD, check_windows
from syncctl.services.doctor.connections import ApiProbe, check_api, check_clock, check_database
from syncctl.services.doctor.locations import LOCATION_IDS, check_location_ids
from syncctl.services.doctor.machine import (
    check_exposed,
    check_output,
    check_path,
    check_schedule,
    check_space,
    check_zones,
)
from syncctl.services.doctor.settings import check_mapping, check_settings
from syncctl.settings.settings import inspect_settings
from syncctl.settings.sources import ENVIRONMENT, read_sources
from syncctl.settings.specs import KEYS, is_rent_out_setting, likely_setting
from syncctl.storage.registry import backend_for
from syncctl.wiring.adapters import locations_of, opened_database, rental_api
from syncctl.wiring.checks import runs_by_itself
from syncctl.wiring.scheduled_command import set_by_environment
from syncctl.wiring.scheduling import schedule_state, zone_warning

if TYPE_CHECKING:
    from syncctl.ports.admin import Database
    from syncctl.settings.mapping_file import MappingFile
    from syncctl.settings.settings import Settings

COMMAND = "doctor"
_ANSWER_LIMIT_S = 15.0
_THEN_AGAIN = "Then run `syncctl doctor` again."


def diagnose(settings: Settings | None, env_file: Path | None) -> CheckReport:
    """Run every check. `settings`: None if some are invalid; checks that depend on them are then left out."""
    checks = [Finding.passed("Python", f"{platform.python_version()} ({sys.executable})")]
    try:
        checks += check_settings(_settings_facts(env_file))
    except SettingsError as error:
        checks.append(Finding.failed("Settings", error.message, f"{error.hint or 'Fix that.'} {_THEN_AGAIN}"))
    if settings is None:
        checks.append(
            Finding.warning(
                "The rest",
                "database, API, files and schedule were not checked",
                f"Fix the settings. {_THEN_AGAIN}",
            )
        )
        return CheckReport(COMMAND, tuple(checks))
    checks.append(check_mapping(_mapping_facts(settings.mapping)))
    for part in (_database, _api, _machine):
        checks += part(settings)
    checks += _schedule(settings, env_file)
    return CheckReport(COMMAND, tuple(checks))


def _settings_facts(env_file: Path | None) -> SettingsFacts:
    files = [
        (Path(origin), values) for origin, values in read_sources(env_file).sources if origin != ENVIRONMENT
    ]
    unknown = [
        UnknownSetting(name, path, intended)
        for path, values in files
        for name in sorted(values)
        if (intended := likely_setting(name)) or is_rent_out_setting(name)
    ]
    secret = [path for path, values in files if any(map(_is_secret, values, values.values()))]
    return SettingsFacts(
        settings=tuple(inspect_settings(env_file)),
        files=tuple(path for path, _ in files),
        secret_files=tuple(path_facts(path.name, "", path) for path in secret),
        unknown=tuple(unknown),
    )


def _mapping_facts(mapping: MappingFile | None) -> MappingFacts | None:
    if mapping is None:
        return None
    said = {True: list[str](), False: list[str]()}
    for entry in mapping.entries:
        said[entry.is_new].append(f"[{entry.table}] {entry.key} = {entry.value}")
    return MappingFacts(mapping.path, tuple(said[True]), tuple(said[False]))


def _is_secret(name: str, value: str) -> bool:
    if name in ("DATABASE_URL", "MONGO_URI"):
        return "@" in value
    return name in (*KEYS, "HEARTBEAT_URL") and bool(value.strip())


def _database(settings: Settings) -> Iterator[Finding]:
    backend = backend_for(settings.database_url)
    files = _database_files(settings)
    if files and _is_missing(files[0]):
        yield Finding.passed(
            "Database", f"{backend.name}, {files[0]}: not there yet; the first sync creates it"
        )
        return
    database, *rights = check_database(
        lambda: opened_database(settings),
        lambda: opened_database(settings, for_reading_only=False),
        backend.hints,
    )
    yield from (database, *rights)
    for caveat in backend.caveats(settings.database_url):
        yield Finding.warning("Database", caveat.message, caveat.hint)
    if database.result is not CheckResult.FAILED:
        yield from _seen_in_database(settings)


def _seen_in_database(settings: Settings) -> Iterator[Finding]:
    """What a look at the database shows; where it can't be read (any more), that stands in place of each."""
    now = datetime.now(settings.business_timezone)
    locations = locations_of(settings)

    def windows(database: Database) -> Iterator[Finding]:
        progress = report_progress(database, locations)
        saved = database.saved_by_audits(now - AUDIT_PERIOD)
        return check_windows(database.dialects(), progress, saved, settings.audit_locations, now)

    def app_scheduler(database: Database) -> Iterator[Finding]:
        traces = find_traces(database, locations, lock_state(settings.lock_file), now)
        return check_app_scheduler(traces, now)

    def location_ids(database: Database) -> Iterator[Finding]:
        return check_location_ids(database.store_list(), database.dialects(), locations, now)

    looks = (
        ("Windows", windows, "how the reports are asked for"),
        (APP_SCHEDULER, app_scheduler, "whether it is off"),
        (LOCATION_IDS, location_ids, "which stores they are"),
    )
    with ExitStack() as stack:
        database: Database | None = None
        for name, look, shown in looks:
            try:
                database = database or stack.enter_context(opened_database(settings))
                yield from tuple(look(database))
            except StorageError as error:
                hint = f"Fix that, then run `syncctl doctor` again to see {shown}."
                yield Finding.failed(name, str(error), hint)


def _is_missing(file: Path) -> bool:
    """Whether the file does not exist yet. Other errors show when it is opened."""
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _database_files(settings: Settings) -> list[Path]:
    """The database's own file and those that are kept beside it; none of a server's."""
    return [Path(file) for file in backend_for(settings.database_url).files(settings.database_url)]


def _api(settings: Settings) -> Iterator[Finding]:
    quick = replace(
        settings,
        api_max_tries=1,
        api_call_delay_s=0.0,
        api_timeout_s=min(settings.api_timeout_s, _ANSWER_LIMIT_S),
    )
    trial = ApiProbe(
        addresses={
            step: ApiAddress(endpoint.url, endpoint.key_setting, has_key=endpoint.key is not None)
            for step, endpoint in settings.endpoints.items()
        },
        locations=locations_of(settings),
        limit_s=quick.api_timeout_s,
        monotonic=time.monotonic,
    )
    with rental_api(quick) as api:
        yield from check_api(api, trial)
    yield from check_clock(api_clock(settings.endpoints[StepName.STORES].url))


def _machine(settings: Settings) -> Iterator[Finding]:
    user = current_user()
    data = path_facts("Data folder", "DATA_DIR", settings.data_dir)
    files = [path_facts("Lock file", "SYNC_LOCK_FILE", settings.lock_file)]
    if settings.log_file:
        files.append(path_facts("Log file", "SYNC_LOG_FILE", settings.log_file))
    for database in _database_files(settings)[:1]:
        files.append(path_facts("Database file", "DATABASE_URL", database))
    yield check_path(data, user, folder=True)
    for file in files:
        # The lock file only says who holds the lock.
        yield check_path(file, user, private=file.setting != "SYNC_LOCK_FILE")
    yield from check_exposed(_exposed_paths(settings))
    output = path_facts("Output of cron", "", settings.data_dir / OUTPUT_FILE)
    yield from check_output(output, has_log_file=settings.log_file is not None)
    yield from check_space(disk_space([facts.seen for facts in (data, *files)]))


def _exposed_paths(settings: Settings) -> Iterator[PathFacts]:
    """Files with customers' data or a key that have no check line of their own."""
    for setting, key_file in settings.own_files.key_files().items():
        yield path_facts(setting, setting, Path(key_file))
    if settings.log_file:
        for old_log in log_files(str(settings.log_file))[1:]:
            yield path_facts("Old log file", "", Path(old_log))
    for companion in _database_files(settings)[1:]:
        yield path_facts("Beside the database", "", companion)
    yield path_facts("Output of cron", "", settings.data_dir / OUTPUT_FILE)
    yield path_facts("Backups", "", settings.data_dir / BACKUP_FOLDER)


def _schedule(settings: Settings, env_file: Path | None) -> Iterator[Finding]:
    now = datetime.now(UTC)
    deadline = timedelta(seconds=settings.api_run_deadline_s)
    yield check_lock(lock_state(settings.lock_file), now, deadline)
    state = schedule_state(settings, env_file)
    yield from check_schedule(
        state,
        running_schedulers(),
        set_by_environment(env_file),
        enabled=settings.api_sync_enabled,
        runs_by_itself=None if state.installed else runs_by_itself(settings),
    )
    zones = ZoneFacts(
        system=system_zone()[0],
        schedule=settings.api_sync_timezone.key,
        business=settings.business_timezone.key,
        schedule_moves=zone_warning(settings) is not None,
    )
    yield check_zones(zones, by_systemd=state.by_systemd)
