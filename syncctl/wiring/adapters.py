"""The adapters that the settings ask for: database, rental API, clock."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from syncctl.domain.sources import SOURCES, StepName
from syncctl.errors import StorageError
from syncctl.locations import Locations, load_locations
from syncctl.ports.admin import DuplicateCount
from syncctl.scheduling.expression import next_run
from syncctl.services.run import Clock
from syncctl.storage.registry import open_storage

if TYPE_CHECKING:
    from syncctl.api.client import ApiClientConfig
    from syncctl.api.wire import Endpoint
    from syncctl.files.headers import Titles
    from syncctl.ports.admin import Database
    from syncctl.ports.api import RentalApi
    from syncctl.ports.stop import Stop
    from syncctl.sandbox import Report
    from syncctl.services.cleanup.duplicates import DuplicateSets, OnCounted
    from syncctl.services.rejects.file_rejects import CellsOf
    from syncctl.settings.settings import ApiEndpoint, Settings


@contextmanager
def opened_database(
    settings: Settings, *, for_reading_only: bool = True, limit_s: float = math.inf
) -> Iterator[Database]:
    """The configured database with everything that the operator commands need, ready for use. `limit_s`: the
    most time it may take, in seconds, if the run has a limit.

    Raises:
        SettingsError: it can't guarantee that each lead is stored once.
        StorageUnavailableError: it can't be reached or opened.
    """
    database = open_storage(settings.database_url, for_reading_only=for_reading_only)
    database.set_deadline(time.monotonic() + limit_s)
    try:
        database.prepare()
        yield database
    finally:
        database.close()


@contextmanager
def rental_api(settings: Settings, stop: Stop | None = None) -> Iterator[RentalApi]:
    """A client of the rental API of the settings; leaving it, or a request to `stop`, stops its lanes."""
    from syncctl.api.client import HttpRentalApi

    api = HttpRentalApi(api_config(settings), stop)
    try:
        yield api
    finally:
        api.close()


def api_config(settings: Settings) -> ApiClientConfig:
    """Where the rental API is and how it is called."""
    from syncctl.api.client import ApiClientConfig

    return ApiClientConfig(
        {step: _endpoint(endpoint) for step, endpoint in settings.endpoints.items()},
        concurrency=settings.api_concurrency,
        call_delay_s=settings.api_call_delay_s,
        timeout_s=settings.api_timeout_s,
        max_tries=settings.api_max_tries,
        min_backoff_s=settings.api_min_backoff_s,
        max_rows=settings.api_max_rows,
    )


def _endpoint(setting: ApiEndpoint) -> Endpoint:
    from syncctl.api.wire import Endpoint

    key = setting.key.reveal() if setting.key else None
    return Endpoint(setting.url, key, setting.key_setting, setting.host_setting, setting.path_setting)


def locations_of(settings: Settings) -> Locations:
    """The table of locations in force: the packaged one, with what MAPPING_FILE adds."""
    return settings.mapping.locations if settings.mapping else load_locations()


def titles_of(settings: Settings, kind: StepName) -> Titles:
    """The titles by which columns of this kind of file are recognized."""
    from syncctl.files.headers import Titles

    return settings.mapping.titles[kind] if settings.mapping else Titles(f"columns.{kind}")


def cells_of(settings: Settings) -> CellsOf:
    """What reads a file's raw row of a kind by its titles."""
    from syncctl.files import headers

    return lambda kind, row: headers.cells_of(row, titles_of(settings, kind))


def sandbox_reports() -> list[Report]:
    """The reports of the table of sources, for the sandbox, which shares no code with the client."""
    from syncctl.sandbox import Report

    return [Report(step.value, source.path, source.date[0]) for step, source in SOURCES.items()]


def clock_of(settings: Settings) -> Clock:
    """The real clocks, with the configured schedule and time zone."""
    return Clock(
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        next_sync=lambda after: next_run(settings.api_sync_time, settings.api_sync_timezone, after),
        business_zone=settings.business_timezone,
    )


logger = logging.getLogger(__name__)


@contextmanager
def keeping_count(settings: Settings, command: str) -> Iterator[OnCounted]:
    """Gives what takes the duplicates that `command` counts; the last of them are kept at the end. A database
    that can't be written is a warning: what the command shows is as true without."""
    counted: list[DuplicateSets] = []
    yield counted.append
    for duplicates in counted[-1:]:
        count = DuplicateCount(duplicates.count, duplicates.extra_copies, datetime.now(UTC), command)
        try:
            # Not prepared: a look upgrades nothing and makes no index.
            with closing(open_storage(settings.database_url)) as database:
                database.save_duplicate_count(count)
        except StorageError as problem:
            logger.warning("The count of duplicates is not kept for `syncctl status`: %s", problem)
