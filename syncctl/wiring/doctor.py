"""`doctor`: everything that a fresh installation gets wrong, probed and checked."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syncctl.domain.checks import Check, CheckReport, Mark
from syncctl.domain.steps import StepName
from syncctl.errors import SettingsError, StorageError
from syncctl.filesystem.protected_files import BACKUP_FOLDER, OUTPUT_FILE, log_files, sqlite_files
from syncctl.locations import load_locations
from syncctl.machine.probes import (
    api_clock,
    current_user,
    disk_space,
    path_facts,
    running_schedulers,
    system_zone,
)
from syncctl.ports.machine import ApiAddress, PathFacts, SettingFact, SettingsFacts, UnknownSetting, ZoneFacts
from syncctl.run_lock import lock_state
from syncctl.services.checks.app_scheduler import APP_SCHEDULER, check_app_scheduler, find_traces
from syncctl.services.checks.progress import report_progress
from syncctl.services.checks.windows import AUDITS_OVER, check_windows
from syncctl.services.doctor.connections import ApiTrial, check_api, check_clock, check_database
from syncctl.services.doctor.locations import LOCATION_IDS, check_location_ids
from syncctl.services.doctor.machine import check_exposed, check_output, check_path, check_space, check_zones
from syncctl.services.doctor.schedule import check_lock, check_schedule
from syncctl.services.doctor.settings import check_settings
from syncctl.settings.settings import inspect_settings
from syncctl.settings.sources import ENVIRONMENT, read_sources
from syncctl.settings.specs import KEYS
from syncctl.settings.unknown_names import is_of_rent_outs, misspelt
from syncctl.wiring.adapters import opened_database, rental_api
from syncctl.wiring.scheduled_command import set_by_environment
from syncctl.wiring.scheduling import schedule_state, zone_warning

if TYPE_CHECKING:
    from syncctl.settings.settings import ApiEndpoint, Settings

COMMAND = "doctor"
_ANSWER_LIMIT_S = 15.0
_SQLITE = "sqlite:///"


def diagnose(settings: Settings | None, env_file: Path | None) -> CheckReport:
    """Every check. `settings`: None where some are wrong: then what depends on them is left out."""
    checks = [Check.good("Python", f"{platform.python_version()} ({sys.executable})")]
    try:
        checks += check_settings(_settings_facts(env_file))
    except SettingsError as error:
        checks.append(Check.bad("Settings", str(error), "Put it right: nothing runs without it."))
    if settings is None:
        checks.append(
            Check.warning(
                "The rest",
                "database, API, files and schedule were not checked",
                "Settings first; then again.",
            )
        )
        return CheckReport(COMMAND, tuple(checks))
    for part in (_database, _api, _machine):
        checks += part(settings)
    checks += _schedule(settings, env_file)
    return CheckReport(COMMAND, tuple(checks))


def _settings_facts(env_file: Path | None) -> SettingsFacts:
    files = [
        (Path(origin), values) for origin, values in read_sources(env_file).sources if origin != ENVIRONMENT
    ]
    unknown = [
        UnknownSetting(name, path, meant)
        for path, values in files
        for name in sorted(values)
        if (meant := misspelt(name)) or is_of_rent_outs(name)
    ]
    secret = [path for path, values in files if any(map(_is_secret, values, values.values()))]
    return SettingsFacts(
        settings=tuple(
            SettingFact(setting.name, setting.set_as, setting.origin, setting.problem)
            for setting in inspect_settings(env_file)
        ),
        files=tuple(path for path, _ in files),
        secret_files=tuple(path_facts(path.name, "", path) for path in secret),
        unknown=tuple(unknown),
    )


def _is_secret(name: str, value: str) -> bool:
    if name in ("DATABASE_URL", "MONGO_URI"):
        return "@" in value
    return name in (*KEYS, "HEARTBEAT_URL") and bool(value.strip())


def _database(settings: Settings) -> Iterator[Check]:
    file = _sqlite_file(settings)
    if file and _is_missing(file):
        yield Check.good("Database", f"SQLite, {file}: not there yet, the first sync makes it")
        return
    database, *rights = check_database(
        lambda: opened_database(settings), lambda: opened_database(settings, for_reading_only=False)
    )
    yield from (database, *rights)
    if not file:
        yield from _way_to_the_server(settings.database_url)
    if database.mark is not Mark.BAD:
        yield from _windows(settings)
        yield from _app_scheduler(settings)
        yield from _location_ids(settings)


def _windows(settings: Settings) -> Iterator[Check]:
    now = datetime.now(UTC)
    try:
        with opened_database(settings) as database:
            progress = report_progress(database, load_locations())
            dialects, saved = database.dialects(), database.saved_by_audits(now - AUDITS_OVER)
    except StorageError as error:
        yield Check.bad("Windows", str(error), "How the reports are asked can't be seen: put that right.")
        return
    yield from check_windows(dialects, progress, saved, settings.audit_locations, now)


def _way_to_the_server(url: str) -> Iterator[Check]:
    from syncctl.storage.mongo.options import security_caveats

    for caveat in security_caveats(url):
        found, _, cure = caveat.rpartition(": ")
        yield Check.warning("Database", found, cure[:1].upper() + cure[1:])


def _app_scheduler(settings: Settings) -> Iterator[Check]:
    now = datetime.now(UTC)
    try:
        with opened_database(settings) as database:
            traces = find_traces(database, load_locations(), lock_state(settings.lock_file), now)
    except StorageError as error:
        yield Check.bad(
            APP_SCHEDULER, str(error), "Whether it is off can't be seen: put that right, then look again."
        )
        return
    yield from check_app_scheduler(traces, now)


def _location_ids(settings: Settings) -> Iterator[Check]:
    try:
        with opened_database(settings) as database:
            listed, dialects = database.store_list(), database.dialects()
    except StorageError as error:
        yield Check.bad(
            LOCATION_IDS, str(error), "What they stand for can't be seen: put that right, then look again."
        )
        return
    yield from check_location_ids(listed, dialects, load_locations())


def _is_missing(file: Path) -> bool:
    """Whether there is no such file yet; what can't be looked at can't be opened either, which says why."""
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _sqlite_file(settings: Settings) -> Path | None:
    url = settings.database_url
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def _api(settings: Settings) -> Iterator[Check]:
    quick = replace(
        settings,
        api_max_tries=1,
        api_call_delay_s=0.0,
        api_timeout_s=min(settings.api_timeout_s, _ANSWER_LIMIT_S),
    )
    trial = ApiTrial(
        addresses={
            StepName.STORES: _address(settings.stores_api),
            StepName.BOOKING: _address(settings.booking_api),
            StepName.RETURN: _address(settings.return_api),
        },
        locations=load_locations(),
        limit_s=quick.api_timeout_s,
        monotonic=time.monotonic,
    )
    with rental_api(quick) as api:
        yield from check_api(api, trial)
    yield from check_clock(api_clock(settings.stores_api.url))


def _address(endpoint: ApiEndpoint) -> ApiAddress:
    return ApiAddress(endpoint.url, endpoint.key_setting, has_key=endpoint.key is not None)


def _machine(settings: Settings) -> Iterator[Check]:
    user = current_user()
    data = path_facts("Data folder", "DATA_DIR", settings.data_dir)
    files = [path_facts("Lock file", "SYNC_LOCK_FILE", settings.lock_file)]
    if settings.log_file:
        files.append(path_facts("Log file", "SYNC_LOG_FILE", settings.log_file))
    if database := _sqlite_file(settings):
        files.append(path_facts("Database file", "DATABASE_URL", database))
    yield check_path(data, user, folder=True)
    for file in files:
        # The lock file says nothing but who holds it.
        yield check_path(file, user, private=file.setting != "SYNC_LOCK_FILE")
    yield from check_exposed(_beside(settings))
    output = path_facts("Output of cron", "", settings.data_dir / OUTPUT_FILE)
    yield from check_output(output, has_log_file=settings.log_file is not None)
    yield from check_space(disk_space([facts.seen for facts in (data, *files)]))


def _beside(settings: Settings) -> Iterator[PathFacts]:
    """What holds customers' data or a key beside the files that have a line of their own."""
    for setting, key_file in settings.own_files.key_files().items():
        yield path_facts(setting, setting, Path(key_file))
    if settings.log_file:
        for old_log in log_files(str(settings.log_file))[1:]:
            yield path_facts("Old log file", "", Path(old_log))
    if database := _sqlite_file(settings):
        for companion in sqlite_files(str(database))[1:]:
            yield path_facts("Beside the database", "", Path(companion))
    yield path_facts("Output of cron", "", settings.data_dir / OUTPUT_FILE)
    yield path_facts("Backups", "", settings.data_dir / BACKUP_FOLDER)


def _schedule(settings: Settings, env_file: Path | None) -> Iterator[Check]:
    now = datetime.now(UTC)
    deadline = timedelta(seconds=settings.api_run_deadline_s)
    yield check_lock(lock_state(settings.lock_file), now, deadline)
    state = schedule_state(settings, env_file)
    yield from check_schedule(
        state, running_schedulers(), set_by_environment(env_file), enabled=settings.api_sync_enabled
    )
    zones = ZoneFacts(
        system=system_zone()[0],
        schedule=settings.api_sync_timezone.key,
        business=settings.business_timezone.key,
        schedule_moves=zone_warning(settings) is not None,
    )
    yield check_zones(zones, by_systemd=state.by_systemd)
