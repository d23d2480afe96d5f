"""The effective settings, read and checked once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from syncctl.domain.sources import StepName
from syncctl.errors import SettingsError
from syncctl.filesystem.private_files import NONE, OwnFiles
from syncctl.ports.machine import SettingFact
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import MASK
from syncctl.settings import urls
from syncctl.settings.sources import ENVIRONMENT, read_sources
from syncctl.settings.specs import ENDPOINTS, KEYS, Reading, own_files, read_all

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from syncctl.settings.mapping_file import MappingFile


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that is only revealed on request."""

    _text: str

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return MASK


class ApiEndpoint(NamedTuple):
    """One call of the rental API. The last three fields name the settings that the values come from."""

    url: str
    key: Secret | None

    key_setting: str
    """The setting that holds the key, or would hold it."""

    host_setting: str
    """The setting with the start of the address."""

    path_setting: str
    """The setting with the rest of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked. Paths are absolute, `_s` means seconds, no output may contain `secrets`."""

    folder: Path
    """Of the settings file, else the working folder: relative paths were relative to it."""

    database_url: str = field(repr=False)
    api_sync_enabled: bool
    api_sync_time: str
    api_sync_timezone: ZoneInfo
    endpoints: Mapping[StepName, ApiEndpoint]
    """Of the store list and of each report."""

    api_concurrency: int
    api_call_delay_s: float
    api_timeout_s: float
    api_max_tries: int
    api_run_deadline_s: float
    api_max_rows: int
    api_min_backoff_s: float
    first_months: int
    incremental_days: int
    audit_locations: int
    business_timezone: ZoneInfo
    data_dir: Path
    import_dir: Path
    lock_file: Path
    log_file: Path | None
    log_format: Literal["text", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    mapping: MappingFile | None
    """The tables of MAPPING_FILE over the packaged ones; None: those alone."""

    heartbeat_url: str | None = field(repr=False)
    metrics_file: Path | None
    secrets: tuple[str, ...] = field(repr=False)
    own_files: OwnFiles = field(repr=False, compare=False, default=NONE)
    """The files that nothing may be written over."""


def load_settings(
    env_file: Path | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Settings:
    """The settings from `environ` (default: the process's) and the settings files (see `read_sources`).

    Raises SettingsError naming the first invalid setting, its origin and what is allowed.
    """
    sources = read_sources(env_file, environ, cwd)
    readings = read_all(sources)
    wrong = [reading for reading in readings.values() if reading.problem]
    if wrong:
        first = wrong[0]
        others = f" And {len(wrong) - 1} more: see `syncctl config`." if len(wrong) > 1 else ""
        origin = "the environment" if first.origin == ENVIRONMENT else printable(first.origin)
        raise SettingsError(f"{first.set_as} (from {origin}) is wrong: {first.problem}.{others}")
    return replace(_settings(readings, sources.folder), own_files=own_files(readings, sources))


def written_secrets(env_file: Path | None = None) -> tuple[str, ...]:
    """The texts of secret settings, as far as they can be read: for use when some settings are invalid."""
    try:
        sources = read_sources(env_file).sources
    except SettingsError:
        sources = ((ENVIRONMENT, os.environ),)
    secret = (*KEYS, "HEARTBEAT_URL")
    return tuple({text for _, values in sources for name in secret if (text := values.get(name, "").strip())})


def metrics_file(env_file: Path | None = None) -> Path | None:
    """METRICS_FILE, whatever is wrong with other settings; None if it is not set, or wrong itself."""
    try:
        value: Path | None = read_all(read_sources(env_file))["METRICS_FILE"].value
    except SettingsError:
        return None
    return value


def inspect_settings(
    env_file: Path | None = None, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> list[SettingFact]:
    """Every setting as `load_settings` would see it, valid or not.

    Raises SettingsError only for a settings file that can't be read or parsed.
    """
    return [
        SettingFact(
            name=reading.spec.name,
            value=reading.shown,
            origin=printable(reading.origin),
            set_as=reading.set_as,
            problem=reading.problem,
        )
        for reading in read_all(read_sources(env_file, environ, cwd)).values()
    ]


def _settings(readings: Mapping[str, Reading], folder: Path) -> Settings:
    value = {name: reading.value for name, reading in readings.items()}
    by_field = {reading.spec.field or name.lower(): reading.value for name, reading in readings.items()}
    return Settings(
        folder=folder,
        endpoints={step: _endpoint(readings, names.address, names.key) for step, names in ENDPOINTS.items()},
        secrets=tuple(dict.fromkeys(_secrets(value))),
        **{each.name: by_field[each.name] for each in fields(Settings) if each.name in by_field},
    )


def _endpoint(readings: Mapping[str, Reading], url_name: str, key_name: str) -> ApiEndpoint:
    address = readings[url_name]
    key, key_setting = None, f"{key_name} or API_TOKEN"
    for reading in (readings["API_TOKEN"], readings[key_name]):
        if reading.value is not None:
            key, key_setting = Secret(reading.value), reading.set_as
    return ApiEndpoint(address.value, key, key_setting, address.joined_to or address.set_as, address.set_as)


def _secrets(value: Mapping[str, Any]) -> Iterator[str]:
    yield from (value[name] for name in KEYS if value[name])
    yield from urls.database_secrets(value["DATABASE_URL"])
    if value["HEARTBEAT_URL"]:
        yield from urls.heartbeat_secrets(value["HEARTBEAT_URL"])
