"""The settings: names, default and parser of each, and its value once read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from syncctl.domain.sources import SOURCES, StepName
from syncctl.errors import SettingsError
from syncctl.filesystem.private_files import BACKUP_FOLDER, OUTPUT_FILE, OwnFiles, log_files
from syncctl.safe_output.printable import printable
from syncctl.safe_output.redact import MASK
from syncctl.settings import parsers as values
from syncctl.settings import urls
from syncctl.settings.sources import Found, Sources
from syncctl.storage.registry import DEFAULT_URL, backend_for

DEFAULT = "default"


class EndpointNames(NamedTuple):
    """The settings of one of the API's endpoints."""

    address: str
    key: str
    bases: tuple[str, ...]
    """The base addresses that `address` is a path on: the first one that is set."""


ENDPOINTS: Mapping[StepName, EndpointNames] = {
    StepName.STORES: EndpointNames("STORE_LIST_API_URL", "STORE_API_KEY", ("API_BASE_URL",)),
    **{
        step: EndpointNames(
            f"{step.name}_API_ENDPOINT", f"{step.name}_API_KEY", (f"{step.name}_API_BASE_URL", "API_BASE_URL")
        )
        for step in SOURCES
    },
}
KEYS = ("API_TOKEN", *(names.key for names in ENDPOINTS.values()))

_LONGEST = 8192


class Spec(NamedTuple):
    """A row of the table."""

    name: str
    parse: values.Parser
    default: str | None = None
    aliases: tuple[str, ...] = ()
    """Older names."""

    show: Callable[[str], str] = str
    """Makes its text, right or wrong, fit to be shown."""

    in_data_dir: bool = False
    """Whether the default is a path in DATA_DIR."""

    or_file: bool = False
    """Whether the name with _FILE behind it works too: the path of a file that contains the value."""

    field: str = ""
    """The field of `Settings` that has it, where that isn't called like it."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases, *([f"{self.name}_FILE"] if self.or_file else []))


_DATA_DIR = Spec("DATA_DIR", values.path, "data")
SPECS = (
    Spec(
        "DATABASE_URL",
        urls.database_url,
        DEFAULT_URL,
        aliases=("MONGO_URI",),  # as the old system calls it
        show=urls.masked_database_url,
        in_data_dir=True,
    ),
    Spec("API_SYNC_ENABLED", values.boolean, "true"),
    Spec("API_SYNC_TIME", values.schedule, "*/5 * * * *"),
    Spec("API_SYNC_TIMEZONE", values.time_zone, "UTC"),
    Spec("API_BASE_URL", urls.base_url, "https://rentalapi.rootments.live", show=urls.masked_url),
    Spec("STORE_LIST_API_URL", urls.endpoint, "/api/Location/LocationList", show=urls.masked_url),
    *(
        spec
        for step, source in SOURCES.items()
        for spec in (
            Spec(ENDPOINTS[step].bases[0], urls.base_url, show=urls.masked_url),
            Spec(ENDPOINTS[step].address, urls.endpoint, source.path, show=urls.masked_url),
        )
    ),
    *(Spec(name, values.key, show=lambda _text: MASK, or_file=True) for name in KEYS),
    Spec("API_CONCURRENCY", values.whole_number(1, 32), "5"),
    Spec("API_CALL_DELAY_MS", values.decimal_number(0, 60_000, per=1000), "500", field="api_call_delay_s"),
    Spec("API_TIMEOUT_S", values.decimal_number(0.01, 3600), "30"),
    Spec("API_MAX_TRIES", values.whole_number(1, 20), "6"),
    Spec("API_RUN_DEADLINE_S", values.decimal_number(0.01, 86_400), "240"),
    Spec("API_MAX_ROWS", values.whole_number(1, 1_000_000), "100000"),
    Spec("API_SYNC_FIRST_MONTHS", values.whole_number(1, 120), "12", field="first_months"),
    Spec("API_SYNC_INCREMENTAL_DAYS", values.whole_number(0, 366), "7", field="incremental_days"),
    Spec("API_AUDIT_LOCATIONS", values.whole_number(0, 1000), "2", field="audit_locations"),
    Spec("API_BUSINESS_TIMEZONE", values.time_zone, "Asia/Kolkata", field="business_timezone"),
    Spec("API_MIN_BACKOFF_S", values.decimal_number(0, 3600), "0.5"),
    _DATA_DIR,
    Spec("IMPORT_DIR", values.path, "imports", in_data_dir=True),
    Spec("SYNC_LOCK_FILE", values.path, "syncctl.lock", in_data_dir=True, field="lock_file"),
    Spec("SYNC_LOG_FILE", values.path, field="log_file"),
    Spec("SYNC_LOG_FORMAT", values.choice("text", "json"), "text", field="log_format"),
    Spec("SYNC_LOG_LEVEL", values.choice("debug", "info", "warning", "error"), "info", field="log_level"),
    Spec("MAPPING_FILE", values.mapping_file, field="mapping"),
    Spec("HEARTBEAT_URL", urls.heartbeat_url, show=urls.masked_heartbeat_url),
    Spec("METRICS_FILE", values.path),
)
_WRITTEN = ("SYNC_LOCK_FILE", "SYNC_LOG_FILE", "METRICS_FILE")


class Reading(NamedTuple):
    """One setting once read."""

    spec: Spec
    text: str
    value: Any
    """None if it is not set, or wrong."""

    origin: str
    """"environment", a file's path or "default"."""

    set_as: str
    """Its name there."""

    problem: str | None = None
    """What is wrong with it."""

    joined_to: str = ""
    """Of a path, the name of the setting with the address that it was joined to."""

    @property
    def shown(self) -> str:
        """It as a person may see it: printable, secrets masked, paths and addresses whole; "" if not set."""
        if not self.text:
            return ""
        resolved = isinstance(self.value, str | PathLike)
        return printable(self.spec.show(str(self.value) if resolved else self.text))


def read_all(sources: Sources) -> dict[str, Reading]:
    """Every setting by its name, in the table's order. Raises nothing for wrong ones."""
    # A wrong DATA_DIR is a problem of its own, not one of the paths below it.
    data_dir = _read(_DATA_DIR, sources, sources.folder).value or sources.folder
    readings = {spec.name: _read(spec, sources, data_dir) for spec in SPECS}
    for names in ENDPOINTS.values():
        name = names.address
        base = next(base for base_name in names.bases if (base := readings[base_name]).text)
        if base.problem is None and readings[name].problem is None:
            readings[name] = _joined(readings[name], base)
    return readings | _checked_for_clashes(readings, sources)


def own_files(readings: Mapping[str, Reading], sources: Sources) -> OwnFiles:
    """The files that the settings in force name, or that are kept in the folder that they name."""
    named = {
        reading.set_as: tuple(files)
        for reading in readings.values()
        if reading.value is not None and (files := _files_of(reading, sources.folder))
    }
    kept = _backups(readings)
    if data_dir := readings["DATA_DIR"].value:
        kept["it takes the output of cron's runs"] = str(data_dir / OUTPUT_FILE)
    return OwnFiles(tuple(origin for origin, _ in sources.files), named, kept)


def _backups(readings: Mapping[str, Reading]) -> dict[str, str]:
    data_dir = readings["DATA_DIR"].value
    return {"it is in the folder of the backups": str(data_dir / BACKUP_FOLDER)} if data_dir else {}


def _checked_for_clashes(readings: Mapping[str, Reading], sources: Sources) -> dict[str, Reading]:
    """The settings of files that a run empties, moves or writes lines into, with what is wrong where such a
    file is another setting's, or one of syncctl's own."""
    checked: dict[str, Reading] = {}
    others = {name: reading for name, reading in readings.items() if name not in _WRITTEN}
    for name in _WRITTEN:
        reading = readings[name]
        if reading.value is not None:
            taken = replace(own_files(others, sources), kept=_backups(readings))
            problems = filter(None, map(taken.clash, _files_of(reading, sources.folder)))
            if problem := next(problems, None):
                checked[name] = reading._replace(value=None, problem=problem)
            others[name] = reading
    return checked


def _files_of(reading: Reading, folder: Path) -> list[str]:
    """The files with something to lose that a setting names."""
    match reading.spec.name:
        case "DATABASE_URL":
            return backend_for(reading.value).files(reading.value)
        case "SYNC_LOCK_FILE" | "MAPPING_FILE" | "METRICS_FILE":
            return [str(reading.value)]
        case "SYNC_LOG_FILE":
            return log_files(str(reading.value))
    if reading.spec.or_file and reading.set_as != reading.spec.name:
        return [str(values.path(reading.text, folder))]
    return []


def _read(spec: Spec, sources: Sources, data_dir: Path) -> Reading:
    found = sources.find(spec.names)
    if found is None:
        folder = data_dir if spec.in_data_dir else sources.folder
        value = None if spec.default is None else spec.parse(spec.default, folder)
        return Reading(spec, spec.default or "", value, DEFAULT, spec.name)
    reading = Reading(spec, found.text, None, found.origin, found.name)
    try:
        return reading._replace(value=_parse(spec, found, sources.folder))
    except SettingsError as error:
        return reading._replace(problem=str(error))


def _parse(spec: Spec, found: Found, folder: Path) -> Any:
    if len(found.text) > _LONGEST:
        raise SettingsError(f"it is longer than {_LONGEST} characters")
    from_file = spec.or_file and found.name != spec.name
    return values.key_file(found.text, folder) if from_file else spec.parse(found.text, folder)


def _joined(endpoint: Reading, base: Reading) -> Reading:
    """An endpoint as a whole address, or with what is wrong with that."""
    if urls.is_full_address(endpoint.value):
        return endpoint
    try:
        return endpoint._replace(value=urls.join(base.value, endpoint.value), joined_to=base.set_as)
    except SettingsError as error:
        return endpoint._replace(value=None, problem=f"together with {base.set_as}, {error}")


SYNCCTL_SETTINGS = frozenset(name for spec in SPECS for name in spec.names)

_LETTERS_PER_TYPO = 6
_MAX_TYPOS = 2
"""One typo per six letters, at most two: EXPORT_DIR is not a misspelled IMPORT_DIR."""

_FOREIGN_WORD = "APP"
"""One letter away from API, but a different word: APP_BASE_URL belongs to the web app."""


def likely_setting(name: str) -> str | None:
    """The setting that `name` probably means: one or two letters are wrong, missing or extra."""
    if name in SYNCCTL_SETTINGS or _FOREIGN_WORD in name.upper().split("_"):
        return None
    slips = {ours: _edit_distance(name.upper(), ours) for ours in sorted(SYNCCTL_SETTINGS)}
    nearest = min(slips, key=slips.__getitem__)
    most = min(_MAX_TYPOS, len(nearest) // _LETTERS_PER_TYPO)
    return nearest if slips[nearest] <= most else None


def is_rent_out_setting(name: str) -> bool:
    """Whether it is one of the old system's rent-out settings, which syncctl never uses."""
    return "RENTOUT" in name.upper().replace("_", "")


def _edit_distance(written: str, meant: str) -> int:
    """The Levenshtein distance between two names."""
    row = list(range(len(meant) + 1))
    for count, letter in enumerate(written, 1):
        diagonal, row[0] = row[0], count
        for place, other in enumerate(meant, 1):
            replaced = diagonal + (letter != other)
            diagonal, row[place] = row[place], min(replaced, row[place] + 1, row[place - 1] + 1)
    return row[-1]
