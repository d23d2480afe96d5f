"""`doctor` on what must be reached: the database with its rights, the rental API with its key and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlsplit

from syncctl.domain.checks import Check
from syncctl.domain.requests import ReportRequest, Window
from syncctl.domain.steps import StepName
from syncctl.errors import (
    ApiError,
    DeadlinePassedError,
    FinalApiError,
    InvalidRowError,
    KeyRefusedError,
    SettingsError,
    StorageError,
    UnclearAnswerError,
)
from syncctl.locations import Locations
from syncctl.mapping.api_rows import RowDates, identity_values
from syncctl.ports.admin import Database
from syncctl.ports.api import RentalApi
from syncctl.ports.machine import ApiAddress, ApiClock
from syncctl.services.sync.store_list import store_of_row

LARGEST_SKEW = timedelta(seconds=60)
OpenDatabase = Callable[[], AbstractContextManager[Database]]
_DATABASE_CURE = (
    "Put that right (`syncctl config` shows DATABASE_URL; Atlas must list this machine's address): "
    "nothing is synced meanwhile."
)
_RIGHTS_CURE = "Let the user in DATABASE_URL read and write there (MongoDB: the role readWrite)."
_SQLITE_CURE = (
    "Put that right (`syncctl config` shows which file DATABASE_URL names): nothing is synced meanwhile."
)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_database(open_to_read: OpenDatabase, open_to_write: OpenDatabase) -> Iterator[Check]:
    """What it is, what should be changed about it, and whether a run may write to it."""
    try:
        with open_to_read() as database:
            facts = database.facts()
    except SettingsError as error:
        yield Check.bad("Database", _one_line(error), "Nothing is synced until that is done.")
        return
    except StorageError as error:
        yield _unusable("Database", error, _DATABASE_CURE)
        return
    yield Check.good(
        "Database", f"{facts.kind} {facts.version}, {facts.topology}: {facts.place}; {facts.durability}"
    )
    for caveat in facts.caveats:
        found, _, cure = caveat.rpartition(": ")
        yield Check.warning("Database", found or caveat, cure or "See the database's own manual.")
    try:
        with open_to_write() as database:
            database.probe_writing()
    except StorageError as error:
        yield _unusable("Database rights", error, _RIGHTS_CURE)
        return
    yield Check.good("Database rights", "a run can write to it")


def _unusable(name: str, error: StorageError, cure: str) -> Check:
    """What the database said. A SQLite file has neither users nor addresses; only the error tells that it is
    one, as a database that can't be opened has no facts."""
    found = _one_line(error)
    return Check.bad(name, found, _SQLITE_CURE if found.startswith("The SQLite database ") else cure)


@dataclass(frozen=True, slots=True)
class ApiTrial:
    """How the API is tried. `addresses`: of each call. `limit_s`: seconds for each answer. `monotonic`: the
    clock of the deadlines."""

    addresses: Mapping[StepName, ApiAddress]
    locations: Locations
    limit_s: float
    monotonic: Callable[[], float]


def check_api(api: RentalApi, trial: ApiTrial) -> Iterator[Check]:
    """Ask for the store list, and for one location's bookings and returns of a month."""
    for address in {address.url: address for address in trial.addresses.values()}.values():
        yield from _transport(address)
    try:
        stores = api.store_list(trial.monotonic() + trial.limit_s)
    except ApiError as error:
        stores = []
        yield _failed(StepName.STORES, error)
    else:
        yield _store_list(stores, trial)
    location = _location(stores, trial.locations)
    deadline = trial.monotonic() + trial.limit_s
    requests = [
        ReportRequest(report, location, Window(months=1), deadline)
        for report in (StepName.BOOKING, StepName.RETURN)
    ]
    answers = {answer.request.report: answer for answer in api.reports(requests)}
    for report in (StepName.BOOKING, StepName.RETURN):
        answer = answers[report]
        if answer.error is not None:
            yield _failed(report, answer.error)
        else:
            yield _report(report, answer.rows or [], location, trial)


def check_clock(clock: ApiClock | None) -> Iterator[Check]:
    """Whether this machine's clock agrees with the API's; nothing where that one tells no time."""
    if clock is None:
        return
    seconds = round(abs(clock.ahead).total_seconds())
    if abs(clock.ahead) > LARGEST_SKEW:
        yield Check.warning(
            "Clock",
            f"{seconds} s {'ahead of' if clock.ahead > timedelta(0) else 'behind'} that of {clock.host}",
            "Windows and watermarks go by it: let NTP set it (timedatectl set-ntp true).",
        )
    else:
        yield Check.good("Clock", f"agrees with that of {clock.host}")


def _transport(address: ApiAddress) -> Iterator[Check]:
    parts = urlsplit(address.url)
    if parts.scheme == "http" and address.has_key and parts.hostname not in _LOOPBACK:
        yield Check.warning(
            "API key", f"{address.key_setting} goes to {parts.hostname} unencrypted", "Use https://."
        )


def _failed(report: StepName, error: ApiError) -> Check:
    name, found = f"API: {report}", _one_line(error.found)
    advice = error.hint[:1].upper() + error.hint[1:]
    if isinstance(error, UnclearAnswerError):  # as a sync does, which takes it as empty
        return Check.warning(name, found, f"{advice}.")
    if isinstance(error, KeyRefusedError):
        cure = f"{advice}: ask the API's people for a valid key, and put it into .env.local."
    elif error.setting:
        cure = f"{advice}; `syncctl config` shows what is in force."
    elif advice:
        cure = f"{advice}."
    elif isinstance(error, FinalApiError) and not isinstance(error, DeadlinePassedError):
        cure = "`syncctl config` shows the addresses in force; compare them with the README's."
    else:
        cure = "It may pass: try again in some minutes. If others reach it, look at network and proxy."
    return Check.bad(name, found, cure)


def _answered(report: StepName, trial: ApiTrial) -> str:
    address = trial.addresses[report]
    key = f"took {address.key_setting}" if address.has_key else "wants no key"
    return f"{urlsplit(address.url).hostname} answered and {key}"


def _store_list(rows: list[Any], trial: ApiTrial) -> Check:
    name, found = f"API: {StepName.STORES}", _answered(StepName.STORES, trial)
    understood = sum(_is_store(row, trial.locations) for row in rows)
    if not understood:
        return Check.warning(
            name,
            f"{found}, but none of the {len(rows)} rows of its store list is a store",
            "The stores of locations.toml are used; ask the API's people whether it has changed.",
        )
    return Check.good(name, f"{found}; stores listed: {understood}")


def _report(report: StepName, rows: list[Any], location: str, trial: ApiTrial) -> Check:
    name, found = f"API: {report}", _answered(report, trial)
    store = trial.locations.by_code.get(location, "a store")
    dates = RowDates(UTC)  # the zone makes no date readable
    reasons = [reason for row in rows if (reason := _unfit(report, row, store, dates))]
    if changed := dates.changed_form:
        reasons = [f"{changed} is no date that can be read"] * len(rows)
    if rows and len(reasons) == len(rows):
        return Check.warning(
            name,
            f"{found}, but of the last month's {len(rows)} rows of location {location} none is valid: "
            f"{reasons[0]}",
            f"`syncctl {report} --location {location} --dry-run` says more: has the API changed?",
        )
    return Check.good(name, f"{found}; the last month's rows of location {location}: {len(rows)}")


def _is_store(row: Any, locations: Locations) -> bool:
    try:
        store_of_row(row, locations)
    except InvalidRowError:
        return False
    return True


def _unfit(report: StepName, row: Any, store: str, dates: RowDates) -> str:
    """Why no lead can come from a row, or "". What has not been returned yet may become one."""
    try:
        values = identity_values(report, row, store, dates)
    except InvalidRowError as reason:
        return str(reason)
    return "no booking date" if values is None and report is StepName.BOOKING else ""


def _location(stores: list[Any], locations: Locations) -> str:
    """An active one of the store list, else any that is known."""
    for row in stores:
        try:
            store = store_of_row(row, locations)
        except InvalidRowError:
            continue
        if store.is_active:
            return store.code
    return next(iter(locations.by_code))


def _one_line(said: object) -> str:
    return " ".join(str(said).split()).rstrip(".")
